"""Put into a page what it did not place itself: stylesheet, script, banner, link to the preferences.

Nothing of the page is rewritten, only inserted into, at places found from its beginning. A script tag that a
macro wrote before the page's language was known, or too late, stays; another one is put before it, and the first counts.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from http import HTTPStatus
from itertools import chain

from flask import Response
from markupsafe import Markup
from werkzeug.http import parse_options_header

from consent.web.runtime import find_own_tag, script_tag
from consent.web.tallying import count_prompt
from consent.web.templating import render_banner, settings_region, style_link
from consent.web.visit import Visit
from consent.wire.document import DocumentScanner, NotADocument, Places, begins_document, find_end, find_places

log = logging.getLogger("consent")

# With their `<` these cannot stand in a page's text, only in its markup.
_BANNER_MARK = b'<section class="pvc-banner" lang="'
_LINK_MARK = b'<a class="pvc-settings-link" href="'

# Encodings in which `<` is the byte 3C and nothing else: inserted ASCII cannot be misread.
_ASCII_COMPATIBLE = (
    "utf-8",
    "utf8",
    "us-ascii",
    "ascii",
    "iso-8859-",
    "latin",
    "windows-125",
    "cp125",
    "koi8-",
    "gb",
    "big5",
    "shift_jis",
    "euc-",
)

_UTF8 = ("utf-8", "utf8")

Insertions = list[tuple[int, bytes]]
"""Offset and text of each."""


def inject(response: Response, visit: Visit) -> None:
    """Insert what an HTML response lacks, if it turns out to be a document."""
    encode = find_encoder(response.headers["Content-Type"])
    if encode is None:
        return
    gather_error_page(response, visit)
    if response.is_sequence:
        _inject_whole(response, visit, encode)
    else:
        _inject_stream(response, visit, encode)


def splice(body: bytes, insertions: Insertions) -> bytes:
    """Return `body` with each text inserted at its offset; offsets must not fall."""
    parts: list[bytes] = []
    done = 0
    for offset, text in insertions:
        parts += (body[done:offset], text)
        done = offset
    parts.append(body[done:])
    return b"".join(parts)


class InjectedStream:
    """Iterate over a streamed document, holding back nothing but its beginning.

    A class and not a generator: the server closes what it was given, and the view's own
    generator must learn of it.
    """

    def __init__(self, chunks: Iterable[str | bytes], plan: Callable[[bytes, Places], Insertions]) -> None:
        self._chunks = chunks
        self._plan = plan

    def __iter__(self) -> Iterator[bytes]:
        chunks = iter(self._chunks)
        # Not `yield from`: that would run Python for every further chunk.
        return chain(self._read_beginning(chunks), chunks)  # type: ignore[arg-type]  # what is text among them, Werkzeug encodes

    def close(self) -> None:
        """Close the view's own iterable."""
        close = getattr(self._chunks, "close", None)
        if close is not None:
            close()

    def _read_beginning(self, chunks: Iterator[str | bytes]) -> Iterator[bytes]:
        scanner = DocumentScanner()
        places = None
        try:
            while places is None:
                chunk = next(chunks, None)
                if chunk is None:
                    places = scanner.finish()
                    break
                places = scanner.feed(chunk.encode() if isinstance(chunk, str) else chunk)
        except NotADocument:
            places = None
        beginning = scanner.buffered
        if places is not None:
            beginning = self._splice_safely(beginning, places)
        if beginning:
            yield beginning

    def _splice_safely(self, beginning: bytes, places: Places) -> bytes:
        try:
            return splice(beginning, self._plan(beginning, places))
        except Exception:  # a fault of ours must never cost the page; it goes out as it is
            log.exception("The banner could not be inserted into a stream; the page was sent without it.")
            return beginning


def gather_error_page(response: Response, visit: Visit) -> None:
    """Join an error page, which Flask hands over as an iterator although it is whole."""
    if response.status_code < HTTPStatus.BAD_REQUEST or response.content_length is None:
        return
    length = response.content_length
    response.make_sequence()
    if length and not response.get_data():
        # For HEAD the body is gone already, and how long GET's would be is no longer known. Werkzeug
        # would give a list its length, which is 0.
        response.response = iter(())
        response.headers.pop("Content-Length", None)
        _ = visit.decision


def _inject_whole(response: Response, visit: Visit, encode: Callable[[str], bytes]) -> None:
    body = response.get_data()
    if not begins_document(body):
        return
    needs_link = body.rfind(_LINK_MARK) < 0  # from the end: it mostly stands in the footer
    if not (needs_link or visit.needs_prompt or visit.has_script):
        return
    places = find_places(body)
    if places is None:
        return
    visit.speak_like_page(places.language)
    if visit.needs_prompt:
        _warn_of_base(visit, places)
    insertions = _plan_head(body, visit, places, encode, banner_at=_find_banner(body, visit))
    visit.has_banner = visit.needs_prompt
    if needs_link:
        end = find_end(body)
        insertions.append((places.body_at if end is None else end, encode(settings_region(visit))))
    if insertions:
        response.set_data(splice(body, insertions))


def _plan_head(
    body: bytes,
    visit: Visit,
    places: Places,
    encode: Callable[[str], bytes],
    *,
    banner_at: int,
    banner: Markup | None = None,
) -> Insertions:
    """Return what the page still needs: stylesheet and runtime in front of the banner, and the banner.

    Args:
        body: The page, as far as it is known.
        banner_at: Offset of the banner that the page placed itself; -1 for none.
        banner: The one to insert, if it is rendered already.
    """
    is_asking = visit.needs_prompt
    begins_at = places.body_at if banner_at < 0 else banner_at
    insertions: Insertions = []
    # A link to the stylesheet further down, from a placeholder, would come after the banner's first paint.
    if is_asking and not _has_styles(body, visit, begins_at):
        insertions.append((places.head_at, encode(style_link(visit))))
    if is_asking or visit.has_script:
        script = encode(script_tag(visit))
        if not _has_script(body, visit, begins_at if is_asking else len(body), script):
            insertions.append((places.head_at, script))
    if is_asking and banner_at < 0:
        insertions.append((places.body_at, encode(banner or render_banner(visit))))
    return insertions


def _has_styles(body: bytes, visit: Visit, limit: int) -> bool:
    return body.find(visit.asset_url("banner.css").encode(), 0, limit) >= 0


def _has_script(body: bytes, visit: Visit, limit: int, script: bytes) -> bool:
    """Whether the page's first runtime tag, which is the one that counts, is this one.

    One that a gate printed may stand in a `<noscript>`, speak the language of before `<html lang>` was known, or come
    from a cached fragment.
    """
    first = body.find(f'<script src="{visit.asset_url("consent.js")}"'.encode(), 0, limit)
    begins_at = first - find_own_tag(script)
    return begins_at >= 0 and body.startswith(script, begins_at)


def _inject_stream(response: Response, visit: Visit, encode: Callable[[str], bytes]) -> None:
    # Asked now, while there is a request: the stream may be read after it.
    needs_prompt = visit.needs_prompt
    if not needs_prompt:
        return
    visit.ask_app_for_language()
    _ = visit.nonce, visit.page_key, visit.next_path

    # A site's own template may use the request, which the stream outlives; ours waits for the page's language.
    banner = None if visit.site.is_banner_ours else render_banner(visit)

    def plan(beginning: bytes, places: Places) -> Insertions:
        visit.speak_like_page(places.language)
        # What a macro has rendered and the stream has not sent yet is still to come.
        banner_at = len(beginning) if visit.has_banner else -1
        _warn_of_base(visit, places)
        insertions = _plan_head(beginning, visit, places, encode, banner_at=banner_at, banner=banner)
        visit.has_banner = visit.has_styles = visit.has_script = True
        count_prompt(visit)
        return insertions

    response.response = InjectedStream(response.response, plan)
    response.headers.pop("Content-Length", None)


def _warn_of_base(visit: Visit, places: Places) -> None:
    if places.has_base:
        visit.site.warn_once(
            "base",
            "A page has a <base href> with a host of its own, to which the banner's form would post too. "
            "Use a path in <base href>, or leave it out.",
        )


def _find_banner(body: bytes, visit: Visit) -> int:
    """Return where the banner that the page placed itself begins; -1 if it placed none."""
    at = body.find(_BANNER_MARK)
    # A template of the site's own may have changed the element, but then its macro ran in this request.
    return body.find(b'data-consent-ui="banner"') if at < 0 and visit.has_banner else at


@lru_cache(maxsize=64)
def find_encoder(content_type: str) -> Callable[[str], bytes] | None:
    """Return how to put text into a page of this type; None if its encoding could misread what is put in."""
    charset = _read_charset(content_type)
    if charset in _UTF8:
        return _encode_utf8
    return _encode_ascii if not charset or charset.startswith(_ASCII_COMPATIBLE) else None


def is_said_to_be_utf8(content_type: str) -> bool:
    """Whether a `Content-Type` says that the page is UTF-8, and not that nobody knows."""
    return _read_charset(content_type) in _UTF8


@lru_cache(maxsize=64)
def _read_charset(content_type: str) -> str:
    return parse_options_header(content_type)[1].get("charset", "").lower()


def _encode_utf8(markup: Markup | str) -> bytes:
    return markup.encode("utf-8")


def _encode_ascii(markup: Markup | str) -> bytes:
    # Character references are read alike in every encoding, declared in the page or guessed.
    return markup.encode("ascii", "xmlcharrefreplace")
