"""One way of reading a page: a position in it, what is open there, and the elements found from there on.

Source: HTML Living Standard, 13.2.5 (tokenization).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from consent.wire._markup_attributes import ends_itself, may_contact, read_attributes
from consent.wire._markup_passing import Passed, Passing, PassingTag, PassingText, begin_mark
from consent.wire._markup_patterns import (
    RAW_NAMES,
    Step,
    match_cdata,
    match_declaration,
    match_tag_name,
    step,
    step_slowly,
    step_slowly_to_cdata,
    step_slowly_with_cdata,
)
from consent.wire._markup_text import Text, find_foreign_text, find_raw_end, may_contact_by_text
from consent.wire._open_elements import OpenElements
from consent.wire.markup import Attribute, Element

FindWanted = Callable[[bytes, int, int], "re.Match[bytes] | None"]

_SLASH = ord("/")
_ROOTS = frozenset({b"svg", b"math"})
_TEXTS = frozenset({b"script", b"style"})
# Names that a parser ignores, or whose attributes it gives to others, depending on where they stand; and without scripting.
_NEVER_CERTAIN = frozenset(
    b"html head body frameset frame form caption col colgroup tbody td tfoot th thead tr svg math template select noscript".split()
)
_READ_WHERE_TAGS_ARE_IGNORED = frozenset({b"script", b"textarea"})


# Named tuples, since these are made for every tag: a frozen dataclass takes three times as long.
class Window(NamedTuple):
    """Hold the bytes that are looked at."""

    page: bytes
    end: int
    """How far to read, from the page's first byte."""

    base: int
    """Offset of the page's first byte in the stream."""

    is_last: bool
    """Whether to make do with what is there, since nothing comes behind it, or it is cut."""

    is_cut: bool = False
    """Whether more is held than should be, so that what is not whole must go by."""


class _Tag(NamedTuple):
    """Hold a start tag that has been read."""

    name: bytes
    start: int
    name_end: int
    end: int
    is_wanted: bool


class Reading:
    """Read one tag after the other.

    `position` is always at the start of a token, so that the reading can go on from there when more bytes have come.
    """

    __slots__ = (
        "_cdata_end",
        "_foreign_text_end",
        "_is_main",
        "_is_old",
        "_wanted_at",
        "_wanted_in",
        "find_wanted",
        "head",
        "is_sure",
        "opened",
        "passing",
        "position",
        "split",
    )

    def __init__(self, find_wanted: FindWanted | None, *, is_main: bool = True, is_old: bool = False) -> None:
        self.position = 0
        self.opened = OpenElements()
        self.is_sure = is_main
        """Whether no other reading is as good as this one."""

        self.split: Reading | None = None
        """Another reading of the raw text that `read` has just passed; it begins where that text does."""

        self.head: Element | None = None
        """What was read and not yet told, where there are several readings."""

        self.passing: Passing | None = None
        """What goes by without being held, as it is too long."""

        self.find_wanted = find_wanted
        self._wanted_at = 0
        self._wanted_in: Window | None = None
        self._is_main = is_main
        # Whether tags are ignored wherever a parser may.
        self._is_old = is_old
        # To where the text of the script or style in svg reaches that was found last.
        self._foreign_text_end = -1
        # The same of CDATA.
        self._cdata_end = -1

    def read(self, window: Window) -> Element | None:
        """Go on to the next element that counts; None if there is none, if not enough is there to tell, or at a split."""
        while True:
            if self.passing is not None:
                element = self._pass(window)
                if element is not None or self.passing is not None:
                    return element
            match = self._step(window)
            if match[1] is None:
                self.position = match.end()
                if self.opened.is_doubtful:
                    self._read_doubtful_cdata(window)
                return None
            element = self._read_tag(window, match)
            if element is not None or self.split or self.position == match.start(1) - 1:
                return element

    def _read_doubtful_cdata(self, window: Window) -> None:
        """Take what begins CDATA in svg as a comment, which it is in HTML; another reading takes it as CDATA."""
        page, at, end = window.page, self.position, window.end
        comment = match_declaration(page, at, end)
        if not comment or not page.startswith(b"<![CDATA[", at):
            return
        # What begins within another's ends with it.
        if window.base + at + len(b"<![CDATA[") > self._cdata_end:
            cdata = match_cdata(page, at, end)
            if not (cdata or window.is_last):
                return
            self._cdata_end = window.base + (cdata.end() if cdata else end)
        self.position = comment.end()
        self.split = self._copy(min(self._cdata_end - window.base, end))

    def agrees_with(self, other: Reading) -> bool:
        """Whether both go on from here in the same way."""
        return self.position == other.position and self.passing is other.passing and self.opened.is_like(other.opened)

    def _read_tag(self, window: Window, match: re.Match[bytes]) -> Element | None:
        name: bytes = match[1].lower()
        self.position = match.start(1) - 1
        if name[0] == _SLASH:
            self.opened.end(name[1:])
            self.position = match.end()
            return None
        if name == b"image" and self.opened.reads_as_html(name, tuple):
            name = b"img"
        is_wanted = self.find_wanted is not None and self._find_wanted(window) < match.end()
        return self._read_start(window, _Tag(name, self.position, match.end(1), match.end(), is_wanted))

    # --- What is too long --------------------------------------------------------------------------------------------------------

    def give_up(self, window: Window) -> Element | None:
        """Let the token at `position`, which is too long to be held, go by; return what is known of it if that counts."""
        page, at = window.page, self.position
        if isinstance(self.passing, PassingTag):
            return self._note(window, self.passing, self.passing.cut(page, at, window.end, window.base))
        match = self._step(window)
        if match[1] is not None:
            return self._read_tag(window, match)
        name = match_tag_name(page, at, window.end)
        if name is None and page[at + 1 : at + 2].isalpha():
            name_end, self.passing = window.end - 1, PassingTag(b"")
        elif name is None:
            self.passing = begin_mark(page, at, has_cdata=self.opened.has_cdata)
            name_end = at + 2
        else:
            name_end, self.passing = name.end(), PassingTag(name[1].lower())
        self.position = name_end
        return None

    def _pass(self, window: Window) -> Element | None:
        passing = self.passing
        if passing is None:
            return None
        passed = passing.go_on(window.page, self.position, window.end, window.base)
        if passed.is_over:
            self.passing = None
        if isinstance(passing, PassingTag):
            return self._note(window, passing, passed)
        self.position = passed.position
        return None

    def _note(self, window: Window, passing: PassingTag, passed: Passed) -> Element | None:
        """Tell of the attributes of a long tag that were passed, if they count."""
        start = window.base + self.position
        self.position = passed.position
        name = passing.name
        if passed.is_over:
            self._follow(name)
        element = Element(
            name=_decode_name(name),
            start=start,
            name_end=start,
            end=window.base + passed.position,
            attributes=passed.attributes,
            text_end=window.base + passed.position,
            element_end=window.base + passed.position,
            is_certain=False,
            is_closed=False,
        )
        if name == b"image" and self.opened.reads_as_html(name, tuple):
            name = b"img"
        is_wanted = self.find_wanted is not None  # what they look for may be cut
        counts = is_wanted or may_contact(element.name, passed.attributes, is_foreign=self.opened.is_foreign)
        return element if counts and passed.attributes and name[:1] != b"/" else None

    def _follow(self, name: bytes) -> None:
        """Follow a long tag, whose attributes are gone."""
        if name[:1] == b"/":
            self.opened.end(name[1:])
        elif name in RAW_NAMES and self.opened.reads_as_html(name, tuple):
            self.passing = PassingText(name)
        else:
            self.opened.start(name, closes_itself=False, read=tuple)

    def _step(self, window: Window) -> re.Match[bytes]:
        page, end = window.page, window.end
        if not self.opened.is_plain:
            return self._choose_slow_step()(page, self.position, end)
        wanted_at = self._find_wanted(window)
        match = step(page, self.position, wanted_at)
        if match[1] is None and wanted_at < end:
            return step_slowly(page, match.end(), end)
        return match

    def _choose_slow_step(self) -> Step:
        if self.opened.has_cdata:
            if not self.opened.is_doubtful:
                return step_slowly_with_cdata
            return step_slowly_to_cdata if self._is_main else step_slowly_with_cdata
        return step_slowly

    def _find_wanted(self, window: Window) -> int:
        """Return where the next tag is that the caller wants, or the end; tags before it may be passed over."""
        if self.find_wanted is None:
            return window.end
        if self._wanted_in is not window or self._wanted_at < self.position:
            match = self.find_wanted(window.page, self.position, window.end)
            self._wanted_in = window
            self._wanted_at = match.start() if match else window.end
        return self._wanted_at

    # --- Start tags ------------------------------------------------------------------------------------------------------------

    def _read_start(self, window: Window, tag: _Tag) -> Element | None:
        """Take a start tag; the position stays in front of it if not enough is there to tell."""
        if self.opened.is_foreign:
            return self._read_start_in_foreign(window, tag)
        if tag.name in RAW_NAMES and not self._is_markup(tag.name):
            return self._read_raw(window, tag)
        is_root = tag.name in _ROOTS
        if is_root and self._is_main and self.opened.may_ignore:
            self.split = self._copy(tag.end, is_old=True)
        closes_itself = is_root and (self._ignores_tags or ends_itself(window.page, tag.name_end, tag.end - 1))
        self.opened.start(tag.name, closes_itself=closes_itself, read=tuple)
        self.position = tag.end
        return self._make(window, tag)

    def _is_markup(self, name: bytes) -> bool:
        """Whether what browsers take as raw text is markup for this reading."""
        if self._is_main:
            return False
        return name == b"noscript" or (self._ignores_tags and name not in _READ_WHERE_TAGS_ARE_IGNORED)

    @property
    def _ignores_tags(self) -> bool:
        return self._is_old and self.opened.may_ignore

    def _read_start_in_foreign(self, window: Window, tag: _Tag) -> Element | None:
        def read() -> tuple[Attribute, ...]:
            return read_attributes(window.page, tag.name_end, tag.end - 1, window.base)

        is_html = self.opened.reads_as_html(tag.name, read)
        is_either = self._is_main and self.opened.is_doubtful
        if tag.name in RAW_NAMES and not self._is_markup(tag.name) and (is_html or is_either):
            return self._read_raw(window, tag)
        text = None
        closes_itself = ends_itself(window.page, tag.name_end, tag.end - 1)
        if tag.name in _TEXTS and not (is_html or closes_itself):
            text = self._find_foreign_text(window, tag)
            if text and not (text.is_closed or window.is_last):
                return None
        self.opened.start(tag.name, closes_itself=closes_itself, read=read)
        self.position = tag.end
        # A tag that ends svg or math does so: another in its place would stay within, and what follows would be read anew.
        return self._make(window, tag, text, is_sure=False)

    def _find_foreign_text(self, window: Window, tag: _Tag) -> Text | None:
        """Find the text of a script or style in svg; None within another's, which is told already."""
        if window.base + tag.start < self._foreign_text_end:
            return None
        text = find_foreign_text(tag.name, window.page, tag.end, window.end)
        if text.is_closed or window.is_last:
            self._foreign_text_end = window.base + text.end
        return text

    def _read_raw(self, window: Window, tag: _Tag) -> Element | None:
        is_either = self._is_main and self.opened.is_foreign and self.opened.is_doubtful
        foreign = self._find_foreign_text(window, tag) if is_either and tag.name in _TEXTS else None
        if foreign and not (foreign.is_closed or window.is_last):
            return None
        text = self._find_raw_text(window, tag)
        if text is None:
            return None
        if foreign:
            # What either reading takes as its text.
            text = Text(max(text.text_end, foreign.text_end), max(text.end, foreign.end))
        is_split = is_either or (self._is_main and (tag.name == b"noscript" or self.opened.may_ignore))
        if is_split:
            self._split(window, tag)
        return self._make(window, tag, text, is_sure=text.is_closed and not is_split)

    def _find_raw_text(self, window: Window, tag: _Tag) -> Text | None:
        """Find where raw text ends, and go on from there; None if not enough is there to tell."""
        if tag.name == b"plaintext":
            text = Text(tag.end, tag.end)
            self.passing = PassingText(tag.name)
        else:
            text = find_raw_end(tag.name, window.page, tag.end, window.end)
            if not (text.is_closed or window.is_last):
                return None
            if not text.is_closed and window.is_cut:
                self.passing = PassingText(tag.name)
            if tag.name == b"textarea" and self._is_old:
                self.opened.leave_select()
        self.position = text.end if self.passing is None else tag.end
        return text

    def _copy(self, position: int, *, is_old: bool = False) -> Reading:
        """Return another reading, from a position on."""
        other = Reading(self.find_wanted, is_main=False, is_old=is_old)
        other.opened = self.opened.copy()
        other.position = position
        return other

    def _split(self, window: Window, tag: _Tag) -> None:
        other = self._copy(tag.end, is_old=self.opened.may_ignore and not self.opened.is_foreign)
        if self.opened.is_foreign:
            closes_itself = ends_itself(window.page, tag.name_end, tag.end - 1)
            other.opened.start(tag.name, closes_itself=closes_itself, read=tuple)
        self.split = other

    # --- Elements --------------------------------------------------------------------------------------------------------------

    def _make(self, window: Window, tag: _Tag, text: Text | None = None, *, is_sure: bool = True) -> Element | None:
        """Return the element if it counts."""
        page, base, is_foreign = window.page, window.base, self.opened.is_foreign
        attributes = read_attributes(page, tag.name_end, tag.end - 1, base)
        name = _decode_name(tag.name)
        counts = (
            may_contact(name, attributes, is_foreign=is_foreign)
            or tag.is_wanted
            or (text is not None and may_contact_by_text(tag.name, page, tag.end, text.text_end, is_foreign=is_foreign))
        )
        if not counts:
            return None
        return Element(
            name=name,
            start=base + tag.start,
            name_end=base + tag.name_end,
            end=base + tag.end,
            attributes=attributes,
            text_end=base + (text.text_end if text else tag.end),
            element_end=base + (text.end if text else tag.end),
            is_certain=is_sure and self.is_sure and self.opened.is_plain and tag.name not in _NEVER_CERTAIN,
            is_closed=text is None or text.is_closed,
        )


def _decode_name(name: bytes) -> str:
    return name.decode("utf-8", "replace").replace("\0", "\ufffd")
