"""Where the fields of a TOML file stand."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.catalogue import _lines
from consent.catalogue._lines import find_line, find_lines

TEXT = '''# comment with = and [table]
name = "Stats"   # "quoted" = 1
privacy_url = 'https://stats.example/[x]'

checked = 2026-11-23
snippet = \'\'\'
<script>
[hosts]
a = 1
</script>\'\'\'
words = """one \\""" two
three"""""
share = 1.5

[hosts]
script = [
  "a.example",   # ]
  "b.example", "c.example",
]
"zh-Hans".x = 1

[[cookies]]
name = "_a"
session = true
[cookies.description]
en = "A."

[[cookies]]
name = "_b"
months = 3

[[parameters]]
patterns = [{ name = "x", of = ["y"] }, { name = "z" }]
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("name", 2),
        ("privacy_url", 3),
        ("checked", 5),
        ("snippet", 6),
        ("words", 11),
        ("share", 13),
        ("hosts", 15),
        ("hosts.script", 16),
        ("hosts.script[0]", 17),
        ("hosts.script[1]", 18),
        ("hosts.script[2]", 18),
        ("hosts.zh-Hans.x", 20),
        ("cookies", 22),
        ("cookies[0]", 22),
        ("cookies[0].session", 24),
        ("cookies[0].description.en", 26),
        ("cookies[1]", 28),
        ("cookies[1].months", 30),
        ("parameters[0].patterns[0].of[0]", 33),
        ("parameters[0].patterns[1].name", 33),
    ],
)
def test_field_is_found_on_its_line(path, line):
    assert find_line(TEXT, path) == line


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("cookies[1].use", 28),
        ("hosts.frame[0]", 15),
        ("cookies[0].description.de", 25),
        ("embed.url", None),
        ("", None),
    ],
)
def test_field_that_is_missing_is_found_where_it_should_be(path, line):
    assert find_line(TEXT, path) == line


def test_text_for_the_tests_is_toml():
    assert set(tomllib.loads(TEXT)) == {path for path in find_lines(TEXT) if not set(path) & set(".[")}


def test_lines_end_as_windows_writes_them():
    assert find_line(TEXT.replace("\n", "\r\n"), "cookies[1].months") == 30


def paths_of(value, path=""):
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in parts:
        own = f"{path}[{name}]" if isinstance(value, list) else f"{path}.{name}".strip(".")
        yield own
        yield from paths_of(part, own)


def write(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {write(part)}" for name, part in value.items()) + "}"
    if isinstance(value, list):
        return "[\n" + ",\n".join(map(write, value)) + "\n]"
    return value


SCALARS = st.sampled_from(
    ['"""a\n"b" = [\n"""', "'''\n[x]\n'''", '"[\\"]"', "'{'", "1.5", "2026-11-23T10:00:00.5Z", "true"]
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from("xyz"), VALUES, min_size=1))
def test_every_field_of_a_file_has_a_line(table):
    text = "\n".join(f"{name} = {write(value)}" for name, value in table.items())
    found = tomllib.loads(text)

    assert set(_lines.find_lines(text)) == set(paths_of(found))
