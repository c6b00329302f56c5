"""The beginning of a service's file loads as it is, and is right for its kind."""

from __future__ import annotations

import pytest
from jinja2 import Environment, StrictUndefined

from consent.catalogue import read_shipped
from consent.catalogue.entry import read_entry
from consent.catalogue.skeleton import build_copy, build_skeleton
from consent.core.declaration import ServiceKind


def build(**values):
    return read_entry("my-stats", build_skeleton("my-stats", **values).encode())


@pytest.mark.parametrize("kind", ServiceKind)
def test_skeleton_of_every_kind_loads(kind):
    entry = build(kind=kind, host="stats.example.org")

    assert (entry.service.kind, entry.service.hosts) == (kind, ("stats.example.org",))
    assert bool(entry.service.snippet) is not bool(entry.service.embed)
    assert entry.service.has_unknown_storage
    assert entry.not_known


@pytest.mark.parametrize("kind", ServiceKind)
def test_snippet_of_a_skeleton_loads_from_its_host_alone(kind):
    service = build(kind=kind, host="stats.example.org").service
    template = Environment(autoescape=True, undefined=StrictUndefined).from_string(service.snippet)
    markup = template.render({each.name: each.example for each in service.parameters}, nonce="abc")

    assert markup.count("https://") == markup.count("https://stats.example.org/") == bool(service.snippet)
    assert markup.count('nonce="abc"') == markup.count("<script") + markup.count("<link")


def test_skeleton_is_named_by_its_key():
    assert build().service.name == "My stats"


@pytest.mark.parametrize("name", ["\"Quoted\" \\ 'name'", "Zähler ☂", "$name {{ name }} # 1", "''' \"\"\""])
def test_name_of_a_skeleton_is_kept_to_the_letter(name):
    assert build(name=name).service.name == name


def test_only_the_kind_without_words_of_its_own_brings_some():
    described = {kind for kind in ServiceKind if build(kind=kind).service.description}

    assert described == {ServiceKind.OTHER}


@pytest.mark.parametrize(
    ("kind", "purposes"),
    [
        ("other", ("marketing",)),
        ("video", ("marketing",)),
        ("analytics", ("analytics",)),
        ("tag_manager", ("analytics", "marketing")),
        ("captcha", ("preferences",)),
    ],
)
def test_skeleton_begins_with_the_purpose_of_its_kind(kind, purposes):
    assert build(kind=kind).service.purposes == purposes


def test_cookie_that_is_commented_out_is_right_once_it_is_not():
    head, mark, cookie = build_skeleton("my-stats").partition("# [[cookies]]")
    cookies = f"{mark}{cookie}".replace("# ", "", 1).replace("\n# ", "\n")

    assert read_entry("my-stats", f"{head}{cookies}".encode()).has_sourced_cookies


def test_copy_of_a_shipped_entry_says_that_it_is_one():
    text = build_copy(read_shipped("vimeo"))

    assert text.startswith("# A copy of the shipped entry. ")
    assert read_entry("vimeo", text.encode()).service == read_entry("vimeo", read_shipped("vimeo").encode()).service
