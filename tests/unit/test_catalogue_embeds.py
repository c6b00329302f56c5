"""Embeds of the shipped catalogue: one frame, from the host that is declared, whatever the id."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote, urlsplit

import pytest

from consent.web.snippet import render_frame, source_url
from tests.catalogue_entries import BREAKING, EMBEDDED, embed_of, parse, service_of

SITE_HOST = "news.example"
ATTRIBUTES = {"class", "src", "title", "width", "height", "loading", "referrerpolicy", "allow"}
# Features that a player may need; cameras, microphones and places it never gets.
FEATURES = {
    "fullscreen", "encrypted-media", "picture-in-picture", "autoplay", "clipboard-write", "web-share", "payment"
}  # fmt: skip

each_embed = pytest.mark.parametrize("key", EMBEDDED)


def frame_of(key, embed_id=None):
    embed = embed_of(key)
    ((tag, attributes, _),) = parse(
        render_frame(embed, embed_id or embed.id_example, title="Title", width=560, height=315, site_host=SITE_HOST)
    )
    assert tag == "iframe"
    return attributes


@each_embed
def test_frame_of_the_example_is_complete(key):
    attributes = frame_of(key)

    assert set(attributes) == ATTRIBUTES
    assert "{" not in attributes["src"]
    assert urlsplit(attributes["src"]).scheme == "https"


@each_embed
def test_frame_comes_from_a_host_that_is_declared_for_frames(key):
    host = urlsplit(frame_of(key)["src"]).hostname or ""

    assert host in service_of(key).hosts_by_use["frame"]


@each_embed
def test_same_content_is_on_a_declared_host(key):
    embed = embed_of(key)
    url = urlsplit(source_url(embed, embed.id_example))

    assert url.scheme == "https"
    assert service_of(key).has_host(url.hostname or "")
    assert "{" not in url.geturl()


@each_embed
@pytest.mark.parametrize("value", BREAKING, ids=ascii)
def test_hostile_id_stays_a_part_of_the_address(key, value):
    attributes = frame_of(key, value)
    kept = "/" if embed_of(key).keeps_slashes else ""

    assert set(attributes) == ATTRIBUTES
    assert urlsplit(attributes["src"]).hostname == urlsplit(frame_of(key)["src"]).hostname
    assert quote(value, safe=kept) in attributes["src"]
    assert not re.search(r"[\"'<>\\`\s\x00-\x1f]", attributes["src"])


@each_embed
def test_id_that_keeps_its_slashes_cannot_leave_its_folder(key):
    embed = embed_of(key)
    example = embed.id_example

    assert embed.keeps_slashes or "/" not in example
    for path in (f"/{example}", f"../{example}", f"{example}/..", f"{example}/../..", f"{example}//x", f"{example}/"):
        assert not re.fullmatch(embed.id_pattern, path) or key == "google-maps"


@each_embed
def test_frame_may_use_no_more_than_a_player_needs(key):
    features = {each.strip().partition(" ")[0] for each in embed_of(key).allow.split(";") if each.strip()}

    assert features <= FEATURES


@each_embed
def test_frame_has_a_size_that_fits_a_page(key):
    embed = embed_of(key)

    assert 200 <= embed.width <= 1280
    assert 80 <= embed.height <= 1024


@each_embed
def test_frame_does_not_start_by_itself(key):
    assert not re.search(r"autoplay=(?:1|true)|autostart=(?:1|true)", unquote(embed_of(key).url))


@pytest.mark.parametrize("key", ["calendly", "figma", "twitch", "twitch-video"])
def test_frame_that_wants_to_know_the_site_is_told_its_host(key):
    assert f"={SITE_HOST}" in frame_of(key)["src"]


@pytest.mark.parametrize(
    ("key", "url"),
    [
        ("youtube", "https://www.youtube-nocookie.com/embed/{id}"),
        ("vimeo", "https://player.vimeo.com/video/{id}?dnt=1"),
        ("google-maps", "https://www.google.com/maps?q={id}&output=embed"),
        ("x-post", "https://platform.twitter.com/embed/Tweet.html?dnt=true&id={id}"),
        ("typeform", "https://form.typeform.com/to/{id}?disable-tracking=true"),
    ],
)
def test_embed_uses_the_quieter_address(key, url):
    assert embed_of(key).url == url
