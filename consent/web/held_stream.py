"""Hold, in a page that is sent while it is made, what belongs to services that are not granted."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from consent.web.markup_holding import MarkupHolding
from consent.wire.markup_edit import Edit, apply_edits, move_element
from consent.wire.markup_scan import MarkupScanner, Piece
from consent.wire.other_format import BEGINNING_BYTES

log = logging.getLogger("consent")


class HeldStream:
    """Iterate over a streamed page, holding back no more than the scanner does.

    A class and not a generator: the server closes what it was given, and the view's own generator must learn of it.

    Args:
        make_holding: Makes what edits the page, given a function that returns as much of the page's beginning as is known.
        is_no_markup: Tells of the beginning that all of it is to be left alone; asked again as long as more of it comes.
    """

    def __init__(
        self,
        chunks: Iterable[str | bytes],
        make_holding: Callable[[Callable[[], bytes]], MarkupHolding],
        is_no_markup: Callable[[bytes], bool],
    ) -> None:
        self._chunks = chunks
        self._beginning = b""
        self._holding = make_holding(lambda: self._beginning)
        self._scanner = MarkupScanner(wants=self._holding.wants)
        self._is_no_markup = is_no_markup
        self._is_left_alone = False

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            data = chunk.encode() if isinstance(chunk, str) else chunk
            self._look_at_beginning(data)
            if self._is_left_alone:
                sent = self._scanner.let_go() + data
            else:
                sent = self._send_safely(partial(self._scanner.feed, data))
            if sent:
                yield sent
        sent = self._scanner.let_go() if self._is_left_alone else self._send_safely(self._scanner.finish)
        if sent:
            yield sent

    def close(self) -> None:
        """Close the view's own iterable."""
        close = getattr(self._chunks, "close", None)
        if close is not None:
            close()

    def _look_at_beginning(self, data: bytes) -> None:
        room = BEGINNING_BYTES - len(self._beginning)
        if room > 0 and not self._is_left_alone:
            self._beginning += data[:room]
            # What is no markup has no element before it can be told: until then nothing has been changed.
            self._is_left_alone = self._is_no_markup(self._beginning)

    def _send_safely(self, read: Callable[[], Piece]) -> bytes:
        unsent = b""
        try:
            piece = read()
            unsent = piece.data
            return self._edit(piece) if piece.elements else unsent
        except Exception:  # a fault of ours must never cost the page
            log.exception("Markup of a stream could not be held; the rest of the page was sent as it is.")
            self._is_left_alone = True
        return unsent + self._scanner.let_go()

    def _edit(self, piece: Piece) -> bytes:
        holding, page, edits = self._holding, piece.data, list[Edit]()
        for each in piece.elements:
            found = holding.edit(move_element(each, -piece.start), page)
            place_at = holding.take_place()
            # Nobody knows whether a better one is to come.
            if place_at is not None:
                edits.append(Edit(place_at, place_at, holding.write_front()))
            # Of a tag that is longer than what is held, the beginning has gone.
            edits += (edit for edit in found if edit.start >= 0)
        return apply_edits(page, sorted(edits, key=lambda edit: edit.start))
