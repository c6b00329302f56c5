"""The US Privacy string: read wherever it is met, written only where a site asks for it."""

from __future__ import annotations

from itertools import product

import pytest

from consent.wire.us_privacy import UsPrivacy, format_us_privacy, parse_us_privacy

ALL = ["1" + "".join(letters) for letters in product("YN-", repeat=3)]


@pytest.mark.parametrize(
    ("text", "answers"),
    [
        ("1YNN", (True, False, False)),
        ("1YYN", (True, True, False)),
        ("1N-Y", (False, None, True)),
        ("1---", (None,) * 3),
    ],
)
def test_string_is_read(text, answers):
    found = parse_us_privacy(text)

    assert (found.notice, found.has_opted_out, found.lspa_covered) == answers


@pytest.mark.parametrize("text", ALL)
def test_string_is_written_as_it_was_read(text):
    assert format_us_privacy(parse_us_privacy(text), legacy_usp=True) == text


@pytest.mark.parametrize("text", ["", "1YN", "2YNN", "1YNNN", "1ynn", "1YNX", " 1YNN", "1YNN\n", "1YNN~", "１YNN"])
def test_other_text_is_refused(text):
    with pytest.raises(ValueError, match=r"must be '1' and three of 'Y', 'N' and '-', got"):
        parse_us_privacy(text)


def test_string_is_not_written_unless_the_site_asks_for_it():
    with pytest.raises(ValueError, match="written only with legacy_usp=True"):
        format_us_privacy(UsPrivacy(notice=True, has_opted_out=False, lspa_covered=False), legacy_usp=False)
