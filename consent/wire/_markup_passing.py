"""What is too long for a stream to hold goes by: a comment, raw text, a tag. Found is where it ends.

Source: HTML Living Standard, 13.2.5.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from consent.wire._html_tokens import SPACE
from consent.wire._markup_attributes import decode_value, stays_open
from consent.wire._markup_patterns import Search, search_raw_end
from consent.wire._markup_text import ScriptState, search_script_end
from consent.wire.markup import Attribute

# Longer than any end that may be cut, such as `</noscript` and the character behind it.
_KEPT_BYTES = 16


@dataclass(frozen=True, slots=True)
class Passed:
    """Hold how far something long was passed."""

    position: int
    is_over: bool
    start: int = 0
    """Of a tag: from where to `position` its attributes are whole."""


class PassingMark:
    """Pass a comment, a declaration or CDATA, to behind what ends it."""

    def __init__(self, search_end: Search) -> None:
        self._search_end = search_end

    def go_on(self, page: bytes, at: int, end: int) -> Passed:
        """Pass what there is."""
        match = self._search_end(page, at, end)
        return Passed(match.end(), is_over=True) if match else Passed(max(at, end - _KEPT_BYTES), is_over=False)


class PassingText:
    """Pass raw text, to the front of its end tag; of `<plaintext>` it is the rest of the page."""

    def __init__(self, name: bytes) -> None:
        self._name = name
        self._state = ScriptState.DATA

    def go_on(self, page: bytes, at: int, end: int) -> Passed:
        """Pass what there is."""
        if self._name == b"plaintext":
            return Passed(end, is_over=False)
        if self._name == b"script":
            found, at, self._state = search_script_end(page, at, end, self._state)
        else:
            match = search_raw_end[self._name](page, at, end)
            found = match.start() if match else end
        return Passed(found, is_over=True) if found < end else Passed(max(at, end - _KEPT_BYTES), is_over=False)


class PassingTag:
    """Pass what is left of a tag behind its name, one whole attribute after the other."""

    def __init__(self, name: bytes) -> None:
        self.name = name
        # What ends the value that goes by.
        self._search_value_end: Search | None = None

    def go_on(self, page: bytes, at: int, end: int) -> Passed:
        """Pass what there is."""
        if self._search_value_end:
            found = self._search_value_end(page, at, end)
            if not found:
                return Passed(end, is_over=False, start=end)
            self._search_value_end = None
            at = found.end()
        match = _match_attributes(page, at, end)
        position = match.end() if match else at
        is_over = page[position - 1 : position] == b">" and match is not None and match[1] is not None
        return Passed(position, is_over, start=at)

    def cut(self, page: bytes, at: int, end: int, base: int) -> tuple[int, Attribute | None]:
        """Pass an attribute in its middle.

        Returns:
            How far it was passed, and the attribute with what is known of its value. Of a name, the last byte stays.
        """
        match = _match_cut(page, at, end)
        if match is None or match[2] is None:
            return max(at, end - 1), None
        self._search_value_end = _VALUE_ENDS[match[2]]
        value = decode_value(memoryview(page)[match.end() : end])
        name = match[1].lower().decode("utf-8", "replace")
        is_open = stays_open(self.name.decode("utf-8", "replace"), name, value)
        return end, Attribute(name, value, base + match.start(1), base + match.end(1), base + end, is_open)


Passing = PassingMark | PassingText | PassingTag

_VALUE = rf"""(?:"[^"]*+"|'[^']*+'|[^{SPACE}"'>][^{SPACE}>]*+(?=[{SPACE}>])|(?=>))"""
_NAME = rf"[^{SPACE}/>][^{SPACE}/>=]*+"
_match_attributes = re.compile(
    rf"(?:[{SPACE}/]++|{_NAME}(?:[{SPACE}]*+=[{SPACE}]*+{_VALUE}|(?=[{SPACE}]*+[^{SPACE}=])))*+(>)?+".encode()
).match
_match_cut = re.compile(rf"[{SPACE}/]*+({_NAME})(?:[{SPACE}]*+=[{SPACE}]*+([\"']?+))?+".encode()).match
_VALUE_ENDS = {
    b'"': re.compile(b'"').search,
    b"'": re.compile(b"'").search,
    b"": re.compile(rf"(?=[{SPACE}>])".encode()).search,
}
_MARKS = {
    b"<!--": re.compile(rb"--!?>").search,
    b"<![CDATA[": re.compile(rb"\]\]>").search,
}
_search_mark_end = re.compile(rb">").search


def begin_mark(page: bytes, at: int, *, has_cdata: bool) -> PassingMark:
    """Pass the mark that begins at `at`, of which more is there than any opening has."""
    if page.startswith(b"<!--", at):
        return PassingMark(_MARKS[b"<!--"])
    if has_cdata and page.startswith(b"<![CDATA[", at):
        return PassingMark(_MARKS[b"<![CDATA["])
    return PassingMark(_search_mark_end)
