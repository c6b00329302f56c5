"""Where the text of a raw text element ends, and whether it may name another host.

Source: HTML Living Standard, 13.2.5.9 to 13.2.5.14 and, of scripts, 13.2.5.15 to 13.2.5.31.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from consent.wire._markup_patterns import (
    Search,
    has_script_host,
    has_style_host,
    match_foreign_text,
    match_rest,
    search_raw_end,
    search_script,
    search_script_double_escaped,
    search_script_escaped,
)


class Text(NamedTuple):
    """Hold where a text ends. Offsets count from the first byte that is looked at."""

    text_end: int
    """In front of the end tag."""

    end: int
    """Behind the end tag; the same for an end tag that is missing."""

    is_stopped: bool = False
    """Whether another element of its kind begins there, in svg."""

    @property
    def is_closed(self) -> bool:
        """Whether there is an end tag."""
        return self.text_end < self.end


class ScriptState(IntEnum):
    """Say how a script's text is read: within `<!--` another `<script>` hides the next `</script>`."""

    DATA = 0
    ESCAPED = 1
    DOUBLE_ESCAPED = 2


_SEARCHES: tuple[Search, ...] = (search_script, search_script_escaped, search_script_double_escaped)


def find_raw_end(name: bytes, page: bytes, at: int, end: int) -> Text:
    """Find where the text ends that begins at `at`; all of it up to `end` for an end tag that is not there."""
    if name == b"script":
        text_end, _, _ = search_script_end(page, at, end, ScriptState.DATA)
    else:
        match = search_raw_end[name](page, at, end)
        text_end = match.start() if match else end
    return _close(name, page, text_end, end)


def _close(name: bytes, page: bytes, text_end: int, end: int) -> Text:
    rest = match_rest(page, text_end + len(name) + 2, end) if text_end < end else None
    return Text(text_end, rest.end()) if rest else Text(end, end)


def search_script_end(page: bytes, at: int, end: int, state: ScriptState) -> tuple[int, int, ScriptState]:
    """Search the `</script` that ends a script.

    Returns:
        Where it is, or `end`; and from where, in which state, a search goes on once more bytes have come.
    """
    while True:
        match = _SEARCHES[state](page, at, end)
        if match is None:
            return end, at, state
        found = match[0]
        if found == b"<!--":
            # `<!-->` closes what it opens.
            at, state = match.end() - 2, ScriptState.ESCAPED
        elif found == b"-->":
            at, state = match.end(), ScriptState.DATA
        elif state is ScriptState.DOUBLE_ESCAPED:
            at, state = match.end(), ScriptState.ESCAPED
        elif found[1:2] == b"/":
            return match.start(), match.start(), state
        else:
            at, state = match.end(), ScriptState.DOUBLE_ESCAPED


def find_foreign_text(name: bytes, page: bytes, at: int, end: int, *, is_inner: bool) -> Text:
    """Find where the text of a script or style in svg ends, which is read as markup.

    Args:
        is_inner: Whether it is within another's text, of which its own is a part: then it stops at the next of its kind, so
            that nothing is read twice as often as there are.
    """
    match = match_foreign_text[name](page, at, end)
    if match[1] == b"/":
        return _close(name, page, match.end(), end)
    if is_inner and match[1] is not None:
        return Text(match.end(), match.end(), is_stopped=True)
    return Text(end, end)


def may_contact_by_text(name: bytes, page: bytes, at: int, end: int, *, is_foreign: bool) -> bool:
    """Whether the text of a script or style may name another host; other texts load nothing.

    Args:
        is_foreign: Whether it stands in svg, where it has character references, and markup may cut addresses in two.
    """
    if name == b"script":
        may_contact = has_script_host(page, at, end) is not None
    elif name == b"style":
        may_contact = has_style_host(page, at, end) is not None
    else:
        return False
    return may_contact or (is_foreign and (page.find(b"&", at, end) >= 0 or page.find(b"<", at, end) >= 0))
