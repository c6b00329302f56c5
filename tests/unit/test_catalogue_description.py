"""A catalogue entry as plain values, and the line that places it in a template."""

from __future__ import annotations

import json

import pytest

from consent.catalogue.description import build_markup, describe, describe_lifetime, summarise
from consent.catalogue.entry import Entry, read_entry
from consent.core.cookie_declaration import CookieDeclaration
from consent.core.declaration import Service
from consent.core.embed import Embed, Parameter

EMBED = Embed(
    url="https://a.example/{id}", source_url="https://a.example/{id}", id_pattern='[a"]{1,9}', id_example='a"a'
)


def make(**values):
    return Service("stats", **({"name": "Stats", "purposes": ("analytics",), "hosts": ("a.example",)} | values))


@pytest.mark.parametrize(
    ("values", "markup"),
    [
        ({}, '{% call gate("stats") %}…{% endcall %}'),
        ({"snippet": "<script></script>"}, '{{ script("stats") }}'),
        (
            {
                "snippet": "<script></script>",
                "parameters": (
                    Parameter("site", pattern='[a"]+', example='"a"'),
                    Parameter("more", pattern="a", example="a", required=False),
                ),
            },
            r'{{ script("stats", site="\"a\"") }}',
        ),
        ({"embed": EMBED}, r'{{ embed("stats", "a\"a", title="…") }}'),
    ],
)
def test_markup_has_the_examples_of_what_is_required(values, markup):
    assert build_markup(make(**values)) == markup


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"months": 24}, "24 months"),
        ({"days": 1}, "1 day"),
        ({"minutes": 30}, "30 minutes"),
        ({"session": True}, "session"),
        ({"unpublished": True}, "lifetime not published"),
        ({"kind": "local_storage"}, "until cleared"),
    ],
)
def test_lifetime_in_words(values, words):
    assert describe_lifetime(CookieDeclaration("_st", **values)) == words


@pytest.mark.parametrize(("is_unknown", "count"), [(True, None), (False, 0)])
def test_number_of_cookies_is_none_where_nobody_knows(is_unknown, count):
    assert summarise(Entry(service=make(has_unknown_storage=is_unknown)))["cookies"] == count


def test_description_is_plain_json():
    text = (
        'name = "Stats"\npurposes = ["analytics"]\nhosts.script = ["a.example"]\nchecked = 2026-11-23\ndescription.en = "Counts."\n'
        '[[cookies]]\nname = "_st"\ndays = 1\nchecked = 2026-11-22\ndescription = "One."\n'
    )
    found = describe(read_entry("stats", text.encode()))

    assert json.loads(json.dumps(found)) == found
    assert (found["checked"], found["description"], found["hosts"]) == (
        "2026-11-23",
        {"en": "Counts."},
        {"script": ["a.example"]},
    )
