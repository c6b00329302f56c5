"""What parameters and ids of the shipped catalogue take: what the provider hands out, and nothing that is an attack."""

from __future__ import annotations

import re

import pytest

from tests.catalogue_entries import EMBEDDED, HOSTILE, KEYS, embed_of, service_of

# A place may be called anything harmless as text: its name only ever stands percent-encoded, after `q=`.
HARMLESS_AS_TEXT = {"google-maps.id": {"javascript:alert(1)", "//evil.example"}}

_CLASS = re.compile(r"\\.|\[\^?(?:\\.|[^\]\\])+\]")
_GROUP = re.compile(r"\((?:\?:)?([^()]*)\)(\{\d+(?:,\d*)?\}|[*+])?")
_REPEAT = re.compile(r"\{\d+(?:,\d*)?\}|[*+]")


def list_patterns():
    """Return name, pattern and example of each parameter and each id."""
    parameters = [
        (f"{key}.{each.name}", each.pattern, each.example) for key in KEYS for each in service_of(key).parameters
    ]
    return parameters + [
        (f"{key}.id", embed.id_pattern, embed.id_example) for key in EMBEDDED for embed in [embed_of(key)]
    ]


def is_nested(pattern):
    """Whether what a group repeats repeats something itself: that is where matching turns exponential."""
    rest = _CLASS.sub("x", pattern)
    while group := _GROUP.search(rest):
        has_repeat = bool(_REPEAT.search(group[1]))
        if has_repeat and group[2]:
            return True
        rest = f"{rest[: group.start()]}{'x{2}' if has_repeat or group[2] else 'x'}{rest[group.end() :]}"
    return False


PATTERNS = list_patterns()
# To match with one that is nested might take for ever.
MATCHED = [each for each in PATTERNS if not is_nested(each[1])]
EXAMPLES = sorted({example for _, _, example in PATTERNS})
# None of them has a place in an id, wherever it stands.
MARKS = "\"'`<>{}\\\n\r\0\x7f\u2028\u202e"

each_pattern = pytest.mark.parametrize(("name", "pattern", "example"), MATCHED, ids=[each[0] for each in MATCHED])


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("(?:a{1,2}){3}", True),
        ("(a+)+", True),
        ("(?:(?:a{1,2}|b)c){1,3}", True),
        ("(?:a|b){1,3}x{2}", False),
        (r"[({]{1,3}\({2}", False),
        ("(?:a{1,2})?", False),
    ],
)
def test_nested_repetition_is_told_from_the_rest(pattern, expected):
    assert is_nested(pattern) is expected


@each_pattern
def test_pattern_refuses_hostile_values(name, pattern, example):
    taken = {value for value in HOSTILE if re.fullmatch(pattern, value)}

    assert taken == HARMLESS_AS_TEXT.get(name, set())


@each_pattern
def test_pattern_refuses_a_mark_in_every_place(name, pattern, example):
    places = [
        f"{example[:at]}{mark}{example[at + width :]}"
        for mark in MARKS
        for width in (0, 1)
        for at in range(len(example) + 1)
    ]

    assert [each for each in places if re.fullmatch(pattern, each)] == []


@each_pattern
def test_pattern_refuses_a_trailing_newline(name, pattern, example):
    assert not [each for each in EXAMPLES if re.fullmatch(pattern, f"{each}\n")]


@each_pattern
def test_pattern_refuses_endless_values(name, pattern, example):
    assert not [each for each in ("1", "a", "A", example[-1], f"{example[-1]}/") if re.fullmatch(pattern, each * 5_000)]


@pytest.mark.parametrize(("name", "pattern", "example"), PATTERNS, ids=[each[0] for each in PATTERNS])
def test_pattern_repeats_within_bounds_and_no_repetition(name, pattern, example):
    assert not re.search(r"[*+]|\{\d+,\}", _CLASS.sub("x", pattern))
    assert not is_nested(pattern)


@each_pattern
def test_pattern_names_its_characters(name, pattern, example):
    # Only the name of a place is given by what it may not hold.
    assert "." not in _CLASS.sub("x", pattern)
    assert not re.search(r"\\[wWdDsS]|\[\^", pattern) or name == "google-maps.id"


@pytest.mark.parametrize("key", KEYS)
def test_address_of_a_server_of_the_site_s_own_is_a_secure_one(key):
    for each in service_of(key).parameters:
        if each.example.startswith("https://"):
            assert not re.fullmatch(each.pattern, each.example.replace("https://", "http://"))
            assert not re.fullmatch(each.pattern, each.example.replace("https://", "https://user:pass@"))
            assert not re.fullmatch(each.pattern, f"{each.example}?x=1")
            assert not re.fullmatch(each.pattern, f"{each.example}#x")


@pytest.mark.parametrize(
    ("key", "name", "value", "is_taken"),
    [
        ("google-analytics", "measurement_id", "UA-12345-1", False),
        ("google-analytics", "measurement_id", "g-ab12cd34ef", False),
        ("google-tag-manager", "container_id", "G-AB12CD34EF", False),
        ("matomo", "url", "https://stats.example.com:8443/a/b", True),
        ("matomo", "site_id", "1", True),
        ("matomo", "site_id", "-1", False),
        ("plausible", "domain", "example.com/shop", True),
        ("plausible", "script_host", "stats.example.com:8443", True),
        ("plausible", "script_host", "stats.example.com/js", False),
        ("meta-pixel", "pixel_id", "12x45", False),
    ],
)
def test_parameter_takes_what_the_provider_gives_out(key, name, value, is_taken):
    (parameter,) = [each for each in service_of(key).parameters if each.name == name]

    assert bool(re.fullmatch(parameter.pattern, value)) is is_taken


@pytest.mark.parametrize(
    "place", ["Köln", "故宫博物院", "القاهرة", "दिल्ली", "O’Connell Street 1 & 2, Dublin", "52.5163,13.3777"]
)
def test_map_takes_places_in_any_script(place):
    assert re.fullmatch(embed_of("google-maps").id_pattern, place)
