"""Addresses by which services are loaded, of the whole catalogue."""

from __future__ import annotations

import pytest

from consent.catalogue import list_entries, load_service
from consent.core.declaration import Service
from consent.core.embed import Embed, Parameter
from consent.core.loader import Address, Loader, list_embed_loaders, list_snippet_loaders, read_address
from consent.errors import ConfigError
from consent.wire.url_reading import read_url

EMBEDS = [entry.service for entry in list_entries() if entry.service.embed]


def _read(url):
    address = read_url(url)
    assert address is not None
    return address


def _fill(url, embed_id):
    return url.replace("{id}", embed_id.replace(" ", "%20")).replace("{site_host}", "example.org")


@pytest.mark.parametrize("service", EMBEDS, ids=lambda service: service.key)
def test_every_address_of_an_embed_gives_its_id(service):
    embed = service.embed
    assert embed is not None
    loaders = list_embed_loaders(service.key, embed)
    urls = [_fill(url, embed.id_example) for url in (embed.url, *embed.pasted_urls)]

    assert [loader.find_id(_read(url)) for loader, url in zip(loaders, urls, strict=True)] == [
        embed.id_example for _ in urls
    ]


@pytest.mark.parametrize(
    ("key", "url", "embed_id"),
    [
        ("youtube", "https://www.youtube.com/embed/aqz-KE-bpKQ?start=5&rel=0", "aqz-KE-bpKQ"),
        ("youtube", "//www.youtube-nocookie.com/embed/aqz-KE-bpKQ", "aqz-KE-bpKQ"),
        ("youtube", "https://www.youtube.com/embed/videoseries?list=PL1", None),
        ("vimeo", "https://player.vimeo.com/video/1084537?h=b1b3ab5aa2&title=0", "1084537"),
        (
            "spotify",
            "https://open.spotify.com/embed/track/3CPjqkaMwrbht1lJpELoY0?utm_source=oembed",
            "track/3CPjqkaMwrbht1lJpELoY0",
        ),
        ("soundcloud", "https://w.soundcloud.com/player/?url=https%3A//soundcloud.com/a/b&color=%23ff5500", "a/b"),
        ("soundcloud", "https://w.soundcloud.com/player/?url=https%3A//api.soundcloud.com/tracks/293", None),
        ("google-maps", "https://maps.google.com/maps?q=Berlin&t=&z=13&output=embed", "Berlin"),
        ("google-maps", "https://www.google.com/maps/embed?pb=!1m18", None),
        ("twitch", "https://player.twitch.tv/?channel=twitchdev&parent=other.example", "twitchdev"),
        ("twitch", "https://player.twitch.tv/?video=v29415830&parent=other.example", None),
        ("x-post", "https://platform.twitter.com/embed/Tweet.html?id=463440424141459456", "463440424141459456"),
    ],
)
def test_pasted_forms_of_an_embed(key, url, embed_id):
    embed = load_service(key).embed
    assert embed is not None
    loaders = list_embed_loaders(key, embed)
    found = [loader.find_id(_read(url)) for loader in loaders]

    assert next(filter(None, found), None) == embed_id


def _make_service(**changes):
    fields = {
        "name": "Stats",
        "purposes": ("analytics",),
        "hosts_by_use": {"script": ("*.stats.example", "mirror.example")},
        "parameters": (Parameter("site", pattern="S-[0-9]+", example="S-1234"),),
    }
    return Service("stats", **fields | changes)


def test_loaders_of_a_snippet_know_its_parameters_and_every_host_of_its_scripts():
    loaders = list_snippet_loaders(_make_service(), ["https://cdn.stats.example/js?id=S-1234&v=1"])

    assert loaders == (
        Loader("stats", "*.stats.example", "/js", (("id", "(?:S-[0-9]+)"),)),
        Loader("stats", "mirror.example", "/js", (("id", "(?:S-[0-9]+)"),)),
    )
    assert loaders[0].find_id(read_address("https://eu.stats.example/js?id=S-9")) == ""
    assert loaders[0].find_id(read_address("https://eu.stats.example/js?id=T-9")) is None
    assert loaders[0].find_id(read_address("https://stats.example/js?id=S-9")) is None


@pytest.mark.parametrize("url", ["https://other.example/js", "https://[bad/js", "/own.js"])
def test_addresses_of_a_snippet_that_are_no_hosts_of_the_service_are_no_loaders(url):
    assert list_snippet_loaders(_make_service(), [url]) == ()


def test_parameter_with_a_short_example_is_no_part_of_a_pattern():
    service = _make_service(parameters=(Parameter("region", pattern="[a-z]{2}", example="eu"),))

    assert list_snippet_loaders(service, ["https://mirror.example/eu/neutral.js"])[0].path == "/eu/neutral\\.js"


def test_address_too_long_is_nobodys():
    assert Loader("stats", "stats.example", ".*").find_id(Address("stats.example", "/" * 3000)) is None


@pytest.mark.parametrize(
    ("urls", "words"),
    [
        (("https://video.example/v",), "must hold '{id}'"),
        (("https://{id}.example/v",), "takes its host from the id"),
        ((7,), "must hold addresses with '{id}', got 7"),
        ("https://video.example/{id}", "pasted_urls"),
        (("javascript:{id}",), "javascript"),
    ],
)
def test_pasted_address_that_is_none_is_refused(urls, words):
    with pytest.raises(ConfigError, match=words):
        Embed(
            url="https://video.example/{id}",
            source_url="https://video.example/{id}",
            id_pattern="[0-9]+",
            id_example="1",
            pasted_urls=urls,
        )


def test_pasted_address_of_an_undeclared_host_is_refused():
    embed = Embed(
        url="https://video.example/{id}",
        source_url="https://video.example/{id}",
        id_pattern="[0-9]+",
        id_example="1",
        pasted_urls=("https://other.example/{id}",),
    )

    with pytest.raises(ConfigError, match=r"embeds from 'other\.example', which is not among its hosts"):
        Service("video", name="Video", purposes=("marketing",), hosts=("video.example",), embed=embed)
