"""Placeholders that another consent manager would fill with a frame."""

from __future__ import annotations

import pytest

from consent.catalogue import load_service
from consent.web.foreign_names import NAMES, WORDS
from consent.wire.foreign_frame import PLACEHOLDER_CLASSES, empty_placeholder, read_frame
from consent.wire.foreign_tag import Manager
from tests.foreign_markup import read_element

# Markup as tarteaucitron's guide for sites has it, and what is in it.
PLACEHOLDERS = [
    ('<div class="bandcamp_player" albumID="2447688282" width="350" height="470">', "bandcamp", "2447688282"),
    ('<div class="calendly-inline-widget" data-url="https://calendly.com/team/30min?a=b">', "calendly", "team/30min"),
    ('<div class="deezer_player" deezerID="302127" embedType="track">', "deezer", "track/302127"),
    ('<div class="deezer_player" data-deezerID="302127" embedType="radio">', "deezer", "album/302127"),
    (f'<div class="gforms_embed" data-id="1FAIpQL{"a" * 50}">', "gforms", f"1FAIpQL{'a' * 50}"),
    (f'<div class="gslides_embed" data-id="2PACX-{"a" * 50}">', "gslides", f"2PACX-{'a' * 50}"),
    ('<div class="instagram_post" postId="gbGaIXBQbn">', "instagram", "p/gbGaIXBQbn"),
    ('<div class="mixcloud_embed" data-id="/OneTakeTapes/tape-2/">', "mixcloud", "OneTakeTapes/tape-2"),
    (
        '<div class="soundcloud_player" data-playable-url="https://soundcloud.com/andrewbird/three-white-horses">',
        "soundcloud",
        "andrewbird/three-white-horses",
    ),
    (
        '<div class="spotify_player" spotifyID="track/3CPjqkaMwrbht1lJpELoY0">',
        "spotify",
        "track/3CPjqkaMwrbht1lJpELoY0",
    ),
    (
        '<div class="tac_facebookpost" data-url="https://www.facebook.com/20531316728/posts/10154009990506729">',
        "facebookpost",
        "20531316728/posts/10154009990506729",
    ),
    ('<div class="twitch_player" videoID="v29415830">', "twitch", "29415830"),
    ('<div class="twitterembed-canvas" tweetid="463440424141459456">', "twitterembed", "463440424141459456"),
    ('<div class="vimeo_player" videoID="1084537">', "vimeo", "1084537"),
    ('<div class="wide youtube_player" videoID=" aqz-KE-bpKQ ">', "youtube", "aqz-KE-bpKQ"),
]
ADDRESSES = [
    ('<div class="tac_iframe" data-url="https://a.example/b?c=d">', "iframe", "https://a.example/b?c=d"),
    (
        '<div class="openstreetmap" data-url="https://www.openstreetmap.org/e">',
        "openstreetmap",
        "https://www.openstreetmap.org/e",
    ),
    (
        '<div class="googlemapsembed" data-url="https://www.google.com/maps/embed?pb=1">',
        "googlemapsembed",
        "https://www.google.com/maps/embed?pb=1",
    ),
    (
        "<div class='googlemaps_embed' data-id='!1m1\"<'>",
        "maps_noapi",
        "https://www.google.com/maps/embed?pb=!1m1%22%3C",
    ),
]


def frame_of(markup, manager=Manager.TARTEAUCITRON):
    return read_frame(read_element(markup.encode()), manager)


@pytest.mark.parametrize(("markup", "service", "embed_id"), PLACEHOLDERS)
def test_placeholder_says_which_content_of_which_service(markup, service, embed_id):
    frame = frame_of(markup)

    assert frame
    assert (frame.service, frame.embed_id, frame.address) == (service, embed_id, "")


@pytest.mark.parametrize(("markup", "service", "address"), ADDRESSES)
def test_placeholder_with_an_address_gives_it(markup, service, address):
    frame = frame_of(markup)

    assert frame
    assert (frame.service, frame.embed_id, frame.address) == (service, "", address)


@pytest.mark.parametrize(("markup", "name", "embed_id"), PLACEHOLDERS)
def test_service_of_a_placeholder_is_one_of_the_catalogue_that_takes_the_id(markup, name, embed_id):
    service = load_service(NAMES[Manager.TARTEAUCITRON].get(name, {"facebookpost": "facebook-post"}.get(name, name)))

    assert service.embed
    assert service.embed.takes(embed_id)


def test_every_placeholder_is_tried():
    tried = " ".join(markup for markup, *_ in (*PLACEHOLDERS, *ADDRESSES))

    assert [name for name in PLACEHOLDER_CLASSES if name not in tried] == []


@pytest.mark.parametrize("name", PLACEHOLDER_CLASSES)
def test_every_placeholder_is_looked_for(name):
    assert any(word in name.encode() for word in WORDS[Manager.TARTEAUCITRON])


def test_placeholder_says_title_and_size():
    frame = frame_of('<div class="youtube_player" videoID="a" title="Ümläut" width="640" data-height="360px">')

    assert frame
    assert (frame.title, frame.width, frame.height) == ("Ümläut", 640, 360)


@pytest.mark.parametrize("width", ["100%", "auto", "0", "-5", "123456", ""])
def test_size_in_anything_but_pixels_is_none(width):
    frame = frame_of(f'<div class="youtube_player" videoID="a" width="{width}">')

    assert frame
    assert frame.width is None


@pytest.mark.parametrize(
    "markup",
    [
        '<div class="youtube_player">',
        '<div class="youtube_player" videoID="">',
        '<span class="youtube_player" videoID="aqz-KE-bpKQ">',
        '<div class="my-youtube_player" videoID="aqz-KE-bpKQ">',
        # Private: without its hash it would show nothing.
        '<div class="vimeo_player" videoID="1084537" data-hash="abc">',
        '<div class="tac_iframe" data-url="javascript:alert(1)">',
        '<div class="tac_iframe" data-url="/own">',
        '<div class="calendly-inline-widget" data-url="https://evil.example/team/30min">',
        '<div class="soundcloud_player" data-playable-id="1" data-playable-type="tracks">',
    ],
)
def test_placeholder_that_says_too_little_is_none(markup):
    assert frame_of(markup) is None


def test_placeholder_of_iframemanager_says_service_and_id():
    frame = frame_of('<div data-service="youtube" data-id="aqz-KE-bpKQ" data-title="Film">', Manager.VANILLA)

    assert frame
    assert (frame.service, frame.embed_id, frame.title) == ("youtube", "aqz-KE-bpKQ", "Film")


@pytest.mark.parametrize("manager", [Manager.COOKIEBOT, Manager.KLARO, Manager.ONETRUST])
def test_other_managers_have_no_placeholders(manager):
    assert frame_of('<div class="youtube_player" videoID="a" data-service="youtube" data-id="a">', manager) is None


def test_emptied_placeholder_keeps_every_other_byte_and_is_none_any_more():
    page = b'<p><div  CLASS="youtube_player"\tvideoID="a"\n data-videoid=b style="x"><br></div>'
    element = read_element(page, at=3)

    emptied = empty_placeholder(element, page)

    assert emptied == b'<div  CLASS="youtube_player"\t\n  style="x">'
    assert read_frame(read_element(emptied), Manager.TARTEAUCITRON) is None
