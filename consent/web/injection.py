"""Put into a page what it did not place itself: stylesheet, banner, link to the preferences.

Nothing of the page is rewritten, only inserted into, at places found from its beginning.
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

Insertions = list[tuple[int, bytes]]


def inject(response: Response, visit: Visit) -> None:
    """Insert what an HTML response lacks, if it turns out to be a document."""
    encode = _find_encoder(response.headers["Content-Type"])
    if encode is None:
        return
    if response.status_code >= HTTPStatus.BAD_REQUEST and response.content_length is not None:
        _gather_error_page(response, visit)
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

    def __init__(self, chunks: Iterable[str | bytes], insert: Callable[[Places], Insertions]) -> None:
        self._chunks = chunks
        self._insert = insert

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
            return splice(beginning, self._insert(places))
        except Exception:  # a fault of ours must never cost the page; it goes out as it is
            log.exception("The banner could not be inserted into a stream; the page was sent without it.")
            return beginning


def _gather_error_page(response: Response, visit: Visit) -> None:
    """Join an error page, which Flask hands over as an iterator although it is whole."""
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
    needs_prompt = visit.needs_prompt and not _has_prompt(body, visit)
    if not needs_link and not needs_prompt:
        return
    places = find_places(body)
    if places is None:
        return
    insertions = _plan_prompt(body, visit, places, encode) if needs_prompt else []
    if needs_link:
        visit.speak_like_page(places.language)
        end = find_end(body)
        insertions.append((places.body_at if end is None else end, encode(settings_region(visit))))
    response.set_data(splice(body, insertions))


def _has_prompt(body: bytes, visit: Visit) -> bool:
    """Whether the page placed its banner, and the stylesheet in front of it."""
    banner_at = _find_banner(body, visit)
    return banner_at >= 0 and body.find(visit.asset_url("banner.css").encode(), 0, banner_at) >= 0


def _plan_prompt(body: bytes, visit: Visit, places: Places, encode: Callable[[str], bytes]) -> Insertions:
    banner_at = _find_banner(body, visit)
    begins_at = places.body_at if banner_at < 0 else banner_at
    # A link to the stylesheet further down, from a placeholder, would come after the banner's first paint.
    needs_styles = visit.asset_url("banner.css").encode() not in body[:begins_at]
    return _plan(visit, places, encode, needs_banner=banner_at < 0, needs_styles=needs_styles)


def _inject_stream(response: Response, visit: Visit, encode: Callable[[str], bytes]) -> None:
    # Asked now, while there is a request: the stream may be read after it.
    needs_prompt = visit.needs_prompt
    if not needs_prompt:
        return
    visit.ask_app_for_language()
    _ = visit.nonce, visit.next_path

    # A site's own template may use the request, which the stream outlives; ours waits for the page's language.
    banner = None if visit.site.is_banner_ours else render_banner(visit)

    def insert(places: Places) -> Insertions:
        needs_banner, needs_styles = not visit.has_banner, not visit.has_styles
        visit.has_banner = visit.has_styles = True
        return _plan(visit, places, encode, needs_banner=needs_banner, needs_styles=needs_styles, banner=banner)

    response.response = InjectedStream(response.response, insert)
    response.headers.pop("Content-Length", None)


def _plan(
    visit: Visit,
    places: Places,
    encode: Callable[[str], bytes],
    *,
    needs_banner: bool,
    needs_styles: bool,
    banner: Markup | None = None,
) -> Insertions:
    visit.speak_like_page(places.language)
    if places.has_base:
        visit.site.warn_once(
            "base",
            "A page has a <base href> with a host of its own, to which the banner's form would post too. "
            "Use a path in <base href>, or leave it out.",
        )
    insertions = []
    if needs_styles:
        insertions.append((places.head_at, encode(style_link(visit))))
    if needs_banner:
        insertions.append((places.body_at, encode(banner or render_banner(visit))))
    return insertions


def _find_banner(body: bytes, visit: Visit) -> int:
    """Return where the banner that the page placed itself begins; -1 if it placed none."""
    at = body.find(_BANNER_MARK)
    # A template of the site's own may have changed the element, but then its macro ran in this request.
    return body.find(b'data-consent-ui="banner"') if at < 0 and visit.has_banner else at


@lru_cache(maxsize=64)
def _find_encoder(content_type: str) -> Callable[[str], bytes] | None:
    """Return how to put text into a page of this type; None if its encoding could misread what is put in."""
    charset = parse_options_header(content_type)[1].get("charset", "").lower()
    if charset in ("utf-8", "utf8"):
        return _encode_utf8
    return _encode_ascii if not charset or charset.startswith(_ASCII_COMPATIBLE) else None


def _encode_utf8(markup: Markup | str) -> bytes:
    return markup.encode("utf-8")


def _encode_ascii(markup: Markup | str) -> bytes:
    # Character references are read alike in every encoding, declared in the page or guessed.
    return markup.encode("ascii", "xmlcharrefreplace")
