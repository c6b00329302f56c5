"""One way of reading a page: a position in it, what is open there, and the elements found from there on.

Source: HTML Living Standard, 13.2.5 (tokenization).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from consent.wire._markup_attributes import FULL_BYTES, ends_itself, may_contact, read_attributes
from consent.wire._markup_passing import Passing, PassingTag, PassingText, begin_mark
from consent.wire._markup_patterns import (
    RAW_NAMES,
    Step,
    match_cdata,
    match_declaration,
    match_tag_name,
    search_form_end,
    step,
    step_slowly,
    step_slowly_to_cdata,
    step_slowly_with_cdata,
)
from consent.wire._markup_text import Text, find_foreign_text, find_raw_end, may_contact_by_text
from consent.wire._markup_window import Tag, Window
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


class Reading:
    """Read one tag after the other.

    `position` is always at the start of a token, so that the reading can go on from there when more bytes have come.
    """

    __slots__ = (
        "_cdata_end",
        "_foreign_text_end",
        "_form_end_at",
        "_form_end_in",
        "_is_main",
        "_is_old",
        "_wanted_at",
        "_wanted_in",
        "find_wanted",
        "head",
        "is_in_noscript",
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

        self.is_in_noscript = False
        """Whether only browsers without scripts read it so."""

        self.find_wanted = find_wanted
        self._wanted_at = 0
        self._wanted_in: Window | None = None
        self._form_end_at = 0
        self._form_end_in: Window | None = None
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
        name = self._rename(match[1].lower())
        self.position = match.start(1) - 1
        if name[0] == _SLASH:
            self.opened.end(name[1:])
            self.position = match.end()
            return None
        is_wanted = self.find_wanted is not None and self._find_wanted(window) < match.end()
        return self._read_start(window, Tag(name, self.position, match.end(1), match.end(), is_wanted))

    def _rename(self, name: bytes) -> bytes:
        return b"img" if name == b"image" and self.opened.reads_as_html(name, tuple) else name

    # --- What is too long --------------------------------------------------------------------------------------------------------

    def give_up(self, window: Window) -> Element | None:
        """Let the token at `position`, which is too long to be held, go by; return what is known of it if that counts."""
        page, at = window.page, self.position
        if isinstance(self.passing, PassingTag):
            cut_at, attribute = self.passing.cut(page, at, window.end, window.base)
            return self._note(window, self.passing.name, cut_at, (attribute,) if attribute else ())
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
            name_end, self.passing = name.end(), PassingTag(self._rename(name[1].lower()))
        self.position = name_end
        return None

    def _pass(self, window: Window) -> Element | None:
        passing = self.passing
        if passing is None:
            return None
        page = window.page
        passed = passing.go_on(page, self.position, window.end)
        if passed.is_over:
            self.passing = None
        if not isinstance(passing, PassingTag):
            self.position = passed.position
            return None
        is_wanted = self.find_wanted and self.find_wanted(page, passed.start, passed.position)
        full_bytes = FULL_BYTES if is_wanted else 0
        attributes = read_attributes(page, passed.start, passed.position, window.base, full_bytes=full_bytes)
        element = self._note(window, passing.name, passed.position, attributes, is_wanted=bool(is_wanted))
        if passed.is_over:
            self._follow(passing.name)
        return element

    def _note(
        self, window: Window, name: bytes, position: int, attributes: tuple[Attribute, ...], *, is_wanted: bool = False
    ) -> Element | None:
        """Pass a part of a long tag, and tell of its attributes if they count."""
        start, end = window.base + self.position, window.base + position
        self.position = position
        told = _decode_name(name)
        if not attributes or told[0] == "/":
            return None
        if not (is_wanted or may_contact(told, attributes, is_foreign=self.opened.is_foreign)):
            return None
        return Element(
            name=told,
            start=start,
            name_end=start,
            end=end,
            attributes=attributes,
            text_end=end,
            element_end=end,
            is_certain=False,
            is_closed=False,
            is_foreign=self.opened.is_foreign,
            is_in_form=self.opened.is_in_form,
            is_in_noscript=self.is_in_noscript,
        )

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
        # What is not to be passed over.
        stop_at = end if self.find_wanted is None else self._find_wanted(window)
        if self.opened.is_in_form:
            stop_at = min(stop_at, self._find_form_end(window))
        match = step(page, self.position, stop_at)
        if match[1] is None and stop_at < end:
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

    def _find_form_end(self, window: Window) -> int:
        """Return where the next end tag of a form is, or may be, or the end."""
        if self._form_end_in is not window or self._form_end_at < self.position:
            match = search_form_end(window.page, self.position, window.end)
            self._form_end_in = window
            self._form_end_at = match.start() if match else window.end
        return self._form_end_at

    # --- Start tags ------------------------------------------------------------------------------------------------------------

    def _read_start(self, window: Window, tag: Tag) -> Element | None:
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

    def _read_start_in_foreign(self, window: Window, tag: Tag) -> Element | None:
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
            if text is None:
                return None
        self.opened.start(tag.name, closes_itself=closes_itself, read=read)
        self.position = tag.end
        # A tag that ends svg or math does so: another in its place would stay within, and what follows would be read anew.
        return self._make(window, tag, text, is_sure=False)

    def _find_foreign_text(self, window: Window, tag: Tag) -> Text | None:
        """Find the text of a script or style in svg; None if not enough is there to tell."""
        is_inner = window.base + tag.start < self._foreign_text_end
        text = find_foreign_text(tag.name, window.page, tag.end, window.end, is_inner=is_inner)
        if not (text.is_closed or text.is_stopped or window.is_last):
            return None
        if not is_inner:
            self._foreign_text_end = window.base + text.end
        return text

    def _read_raw(self, window: Window, tag: Tag) -> Element | None:
        is_either = self._is_main and self.opened.is_foreign and self.opened.is_doubtful
        may_be_markup = is_either and tag.name in _TEXTS
        foreign = self._find_foreign_text(window, tag) if may_be_markup else None
        text = None if may_be_markup and foreign is None else self._find_raw_text(window, tag)
        if text is None:
            return None
        if foreign:
            # What either reading takes as its text.
            text = Text(max(text.text_end, foreign.text_end), max(text.end, foreign.end))
        is_split = is_either or (self._is_main and (tag.name == b"noscript" or self.opened.may_ignore))
        if is_split:
            self._split(window, tag)
        return self._make(window, tag, text, is_sure=text.is_closed and not is_split)

    def _find_raw_text(self, window: Window, tag: Tag) -> Text | None:
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
        other.is_in_noscript = self.is_in_noscript
        other.opened = self.opened.copy()
        other.position = position
        return other

    def _split(self, window: Window, tag: Tag) -> None:
        other = self._copy(tag.end, is_old=self.opened.may_ignore and not self.opened.is_foreign)
        if self.opened.is_foreign:
            closes_itself = ends_itself(window.page, tag.name_end, tag.end - 1)
            other.opened.start(tag.name, closes_itself=closes_itself, read=tuple)
        elif tag.name == b"noscript" and not self.opened.may_ignore:
            other.is_in_noscript = True
        self.split = other

    # --- Elements --------------------------------------------------------------------------------------------------------------

    def _make(self, window: Window, tag: Tag, text: Text | None = None, *, is_sure: bool = True) -> Element | None:
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
            is_foreign=is_foreign,
            is_in_form=self.opened.is_in_form,
            is_in_noscript=self.is_in_noscript,
        )


def _decode_name(name: bytes) -> str:
    return name.decode("utf-8", "replace").replace("\0", "\ufffd")
