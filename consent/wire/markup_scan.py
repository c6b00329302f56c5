"""Find the tags of a page that could make a browser contact another host, byte for byte, without parsing the page.

The scan follows HTML's tokenizer exactly, and of its tree construction what tokens depend on: svg and math, templates, selects.
One pattern eats, in C, every run of tokens that cannot matter; Python sees only what is left. All is linear, whatever the page holds.

Where parsers differ (`<noscript>` with and without scripting, raw text in `<select>`, markup that may or may not be in svg) both
readings are followed, and nothing is certain until they agree again.

Found is every start tag with a value that may name another host in an attribute where browsers look for one (what is only linked
to does not count), every script or style with a host in its text, and every tag that the caller wants. What it is for, and whose
host it is, is for the caller to say. Hosts that a script puts together, or loads, are not found.

Source: HTML Living Standard, 13.2.5 (tokenization) and 13.2.6 (tree construction).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from consent.wire._markup_reading import Reading
from consent.wire._markup_window import Window
from consent.wire.markup import Element

HOLD_LIMIT_BYTES = 14 * 1024
"""How much of a stream is held back for a token that is not whole. With that, and chunks of 8 KB, all that it needs stays below 64 KB."""

# A token that is cut by the end of a chunk is read again when more came. This much rereading is free, beyond it sixteen bytes
# may be reread for each byte fed. Ordinary streams never notice; a long script sent byte by byte stays linear.
_FREE_REREADS_BYTES = 1 << 20
_REREADS_PER_BYTE = 16
# Readings beside the browsers' own. More than one needs markup that is wrong in two ways at once.
_OTHER_READINGS_LIMIT = 3
# What comes in small pieces would need more memory as many of them than as one.
_PARTS_LIMIT = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Wants:
    """Say what a scan is to find beside what contacts other hosts."""

    pattern: re.Pattern[bytes] | None = None
    """Tags in which it matches count too. A match must begin and end in the tag; one in text or a comment is passed over."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Hold the part of a stream that is settled: no later byte changes how it is read."""

    start: int
    """Offset of its first byte in the stream."""

    data: bytes
    elements: tuple[Element, ...]
    """Found in this piece; the tag of each stands in it as a whole, and of a certain one also its text and end tag."""


def scan(page: bytes, *, wants: Wants = Wants()) -> Iterator[Element]:
    """Find the elements of a whole page, in their order, no faster than they are asked for."""
    return _Readings(wants).read(Window(page, len(page), 0, is_last=True))


class MarkupScanner:
    """Find the elements of a page that comes in chunks; they are the same however it is cut.

    At most `HOLD_LIMIT_BYTES` and the last chunk are held. Of raw text that is longer, the element comes with what is known of
    it, not closed; of a longer tag come the attributes, a part of it at a time, as elements of its name that are not closed.
    In both only names of attributes may be changed. A value that is cut ends where the piece does, and says whether what follows may
    name another host. What follows the limit in a script is not looked at: its start tag and its beginning must decide.
    """

    def __init__(self, *, wants: Wants = Wants()) -> None:
        self._readings = _Readings(wants)
        self._parts: list[bytes] = []
        self._held_bytes = 0
        self._found: dict[int, Element] = {}
        self._start = 0
        self._fed_bytes = 0
        self._reread_bytes = 0

    def feed(self, chunk: bytes) -> Piece:
        """Take the next bytes, and return what is settled by them."""
        held_bytes = self._held_bytes
        self._parts.append(chunk)
        self._held_bytes += len(chunk)
        self._fed_bytes += len(chunk)
        if held_bytes and self._held_bytes <= HOLD_LIMIT_BYTES and not self._is_worth_rereading(chunk, held_bytes):
            if len(self._parts) > _PARTS_LIMIT:
                self._join()
            return Piece(self._start, b"", ())
        return self._read(is_last=False)

    def finish(self) -> Piece:
        """Return what is left, once all has been fed."""
        return self._read(is_last=True)

    def let_go(self) -> bytes:
        """Return what has been fed and is in no piece yet, unread; whatever went wrong."""
        held = self._join()
        self._parts, self._held_bytes = [], 0
        return held

    def _join(self) -> bytes:
        held = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._parts = [held]
        return held

    def _is_worth_rereading(self, chunk: bytes, held_bytes: int) -> bool:
        # Tokens end with `>`; text that is held is a `<` at most, or waits for the character behind a name.
        if held_bytes > _SHORT_BYTES and b">" not in chunk:
            return False
        if self._reread_bytes + held_bytes > _FREE_REREADS_BYTES + _REREADS_PER_BYTE * self._fed_bytes:
            return False
        self._reread_bytes += held_bytes
        return True

    def _read(self, *, is_last: bool) -> Piece:
        page, readings = self._join(), self._readings
        window = Window(page, len(page), self._start, is_last=is_last)
        self._add(readings.read(window))
        while not is_last and len(page) - readings.find_settled(self._start) > HOLD_LIMIT_BYTES:
            self._add(readings.give_up(Window(page, len(page), self._start, is_last=True, is_cut=True)))
            self._add(readings.read(window))
        settled, elements = self._release(len(page) if is_last else readings.find_settled(self._start))
        piece = Piece(self._start, page[:settled], elements)
        self._start += settled
        readings.move(settled)
        self._parts, self._held_bytes = [page[settled:]], len(page) - settled
        return piece

    def _add(self, elements: Iterator[Element]) -> None:
        for each in elements:
            self._found.setdefault(each.start, each)

    def _release(self, settled: int) -> tuple[int, tuple[Element, ...]]:
        """Take out what is settled. Where readings differ, a tag may begin in front of that and end behind it: then it stays."""
        elements = sorted(self._found.values(), key=lambda each: each.start)
        for each in reversed(elements):
            if each.start < self._start + settled < (each.element_end if each.is_certain else each.end):
                settled = each.start - self._start
        released = tuple(each for each in elements if each.start < self._start + settled)
        for each in released:
            del self._found[each.start]
        return settled, released


_SHORT_BYTES = 16


class _Readings:
    """Follow the browsers' reading of a page, and beside it others for as long as they differ."""

    def __init__(self, wants: Wants) -> None:
        self._main = Reading(wants.pattern.search if wants.pattern else None)
        self._others: list[Reading] = []
        self._is_incomplete = False

    def find_settled(self, base: int) -> int:
        """Return how far no byte is needed any more."""
        return min(each.head.start - base if each.head else each.position for each in (self._main, *self._others))

    def move(self, count: int) -> None:
        """Count positions from a byte that comes so much later."""
        for each in (self._main, *self._others):
            each.position -= count

    def give_up(self, window: Window) -> Iterator[Element]:
        """Let what is too long to be held go by: readings beside the browsers' own first, then a token."""
        main = self._main
        if self._others:
            self._others.clear()
            self._is_incomplete = True
            if main.head is not None:
                yield main.head
                main.head = None
            return
        element = main.give_up(window)
        if element is not None:
            yield element
        if main.split is not None:
            yield from self._follow_split(window)

    def read(self, window: Window) -> Iterator[Element]:
        """Go on as far as there is something to read."""
        main = self._main
        while True:
            if self._others:
                yield from self._read_beside(window)
                if self._others:
                    return
            element = main.read(window)
            if element is not None:
                yield element
            if main.split is not None:
                yield from self._follow_split(window)
            elif element is None:
                return

    def _follow_split(self, window: Window) -> Iterator[Element]:
        """Read raw text as markup as well; if the two readings agree at its end, one of them is enough."""
        main, split = self._main, self._main.split
        if split is None:
            return
        main.split = None
        inside = Window(window.page, main.position, window.base, is_last=False)
        element = split.read(inside) if split.position < main.position else None
        while element is not None:
            yield element
            element = split.read(inside)
        self._keep(split)

    def _keep(self, other: Reading) -> None:
        if other.agrees_with(self._main):
            return
        self._main.is_sure = False
        if len(self._others) < _OTHER_READINGS_LIMIT:
            self._others.append(other)
        else:
            self._is_incomplete = True

    def _read_beside(self, window: Window) -> Iterator[Element]:
        """Tell what any of the readings finds, for as long as there are several."""
        while self._others:
            self._find_heads(window)
            heads = [each.head for each in (self._main, *self._others) if each.head is not None]
            if not heads or (len(heads) <= len(self._others) and not window.is_last):
                return
            first = min(heads, key=lambda head: head.start)
            yield first
            self._take(first)

    def _find_heads(self, window: Window) -> None:
        main = self._main
        while main.head is None:
            main.head = main.read(window)
            if main.split is None:
                break
            other, main.split = main.split, None
            self._keep(other)
        for each in self._others:
            if each.head is None:
                each.head = each.read(window)

    def _take(self, told: Element) -> None:
        """Go on from an element, and forget the readings that agree there with the browsers' own."""
        taken = [
            each for each in (self._main, *self._others) if each.head is not None and each.head.start == told.start
        ]
        for each in taken:
            each.head = None
        if self._main in taken:
            self._others = [each for each in self._others if each not in taken or not each.agrees_with(self._main)]
        if not self._others:
            self._main.is_sure = not self._is_incomplete
