"""Put into a page what it did not place itself: stylesheet, script, banner, link to the preferences.

Nothing of the page is rewritten, only inserted into, at places found from its beginning. One thing of ours moves: a script
tag that a macro wrote before the page's language was known, or where it would come late.
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

from consent.web.runtime import script_tag
from consent.web.templating import render_banner, settings_region, style_link
from consent.web.visit import Visit
from consent.wire.document import DocumentScanner, NotADocument, Places, begins_document, find_end, find_places

log = logging.getLogger("consent")

# With their `<` these cannot stand in a page's text, only in its markup.
_BANNER_MARK = b'<section class="pvc-banner" lang="'
_LINK_MARK = b'<a class="pvc-settings-link" href="'
_SCRIPT_DATA_MARK = " data-consent-page='"
_SCRIPT_END = b"'></script>"

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

Edits = list[tuple[int, int, bytes]]
"""Each says from where to where the page gives way to a text; from and to are the same where it is only inserted."""


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


def splice(body: bytes, edits: Edits) -> bytes:
    """Return `body` with every edit made; of those at one place the first goes first."""
    parts: list[bytes] = []
    done = 0
    for start, end, text in sorted(edits, key=_places_of):
        parts += (body[done:start], text)
        done = end
    parts.append(body[done:])
    return b"".join(parts)


def _places_of(edit: tuple[int, int, bytes]) -> tuple[int, int]:
    return edit[:2]


class InjectedStream:
    """Iterate over a streamed document, holding back nothing but its beginning.

    A class and not a generator: the server closes what it was given, and the view's own
    generator must learn of it.
    """

    def __init__(self, chunks: Iterable[str | bytes], plan: Callable[[bytes, Places], Edits]) -> None:
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
    visit.speak_like_page(places.language)
    edits: Edits = []
    if needs_prompt:
        edits = _plan_prompt(body, visit, places, encode)
    elif visit.has_script:
        edits = _plan_script(body, visit, places, encode, limit=len(body))
    if needs_link:
        end = find_end(body)
        at = places.body_at if end is None else end
        edits.append((at, at, encode(settings_region(visit))))
    response.set_data(splice(body, edits))


def _has_prompt(body: bytes, visit: Visit) -> bool:
    """Whether the page placed its banner, and stylesheet and script in front of it."""
    banner_at = _find_banner(body, visit)
    return banner_at >= 0 and _has_styles(body, visit, banner_at) and _has_script(body, visit, banner_at)


def _plan_prompt(body: bytes, visit: Visit, places: Places, encode: Callable[[str], bytes]) -> Edits:
    banner_at = _find_banner(body, visit)
    begins_at = places.body_at if banner_at < 0 else banner_at
    _warn_of_base(visit, places)
    edits: Edits = []
    # A link to the stylesheet further down, from a placeholder, would come after the banner's first paint.
    if not _has_styles(body, visit, begins_at):
        edits.append((places.head_at, places.head_at, encode(style_link(visit))))
    edits += _plan_script(body, visit, places, encode, limit=begins_at)
    if banner_at < 0:
        edits.append((places.body_at, places.body_at, encode(render_banner(visit))))
    return edits


def _plan_script(body: bytes, visit: Visit, places: Places, encode: Callable[[str], bytes], *, limit: int) -> Edits:
    """Return what makes the first runtime tag of a page the one of this response, in the page's language.

    Args:
        limit: Offset that it must not stand behind: a gate in the body may be in a `<noscript>`, where it would not run.
    """
    tag = encode(script_tag(visit))
    start, end = _find_script(body, visit)
    if body[start:end] == tag and _has_script(body, visit, limit):
        return []
    edits: Edits = [(places.head_at, places.head_at, tag)]
    if end:
        edits.append((start, end, b""))
    return edits


def _inject_stream(response: Response, visit: Visit, encode: Callable[[str], bytes]) -> None:
    # Asked now, while there is a request: the stream may be read after it.
    needs_prompt = visit.needs_prompt
    if not needs_prompt:
        return
    visit.ask_app_for_language()
    _ = visit.nonce, visit.page_key, visit.next_path

    # A site's own template may use the request, which the stream outlives; ours waits for the page's language.
    banner = None if visit.site.is_banner_ours else render_banner(visit)

    def plan(beginning: bytes, places: Places) -> Edits:
        return _plan_stream(beginning, visit, places, encode, banner=banner)

    response.response = InjectedStream(response.response, plan)
    response.headers.pop("Content-Length", None)


def _plan_stream(
    beginning: bytes, visit: Visit, places: Places, encode: Callable[[str], bytes], *, banner: Markup | None
) -> Edits:
    visit.speak_like_page(places.language)
    _warn_of_base(visit, places)
    head, body = places.head_at, places.body_at
    edits: Edits = []
    if not visit.has_styles:
        edits.append((head, head, encode(style_link(visit))))
    # A tag that a macro wrote and the stream has not sent yet is still to come.
    if not visit.has_script or _find_script(beginning, visit)[1]:
        edits += _plan_script(beginning, visit, places, encode, limit=len(beginning) if visit.has_banner else body)
    if not visit.has_banner:
        edits.append((body, body, encode(banner or render_banner(visit))))
    visit.has_banner = visit.has_styles = True
    visit.script = visit.script or script_tag(visit)
    return edits


def _warn_of_base(visit: Visit, places: Places) -> None:
    if places.has_base:
        visit.site.warn_once(
            "base",
            "A page has a <base href> with a host of its own, to which the banner's form would post too. "
            "Use a path in <base href>, or leave it out.",
        )


def _has_styles(body: bytes, visit: Visit, limit: int) -> bool:
    return body.find(visit.asset_url("banner.css").encode(), 0, limit) >= 0


def _has_script(body: bytes, visit: Visit, limit: int) -> bool:
    """Whether the tag that a macro wrote is the page's first: before it, one from a cached fragment may stand."""
    start, end = _find_script(body, visit)
    mark = f'<script src="{visit.asset_url("consent.js")}"'.encode()
    return 0 < end <= limit and body.find(mark, 0, end) == start


def _find_script(body: bytes, visit: Visit) -> tuple[int, int]:
    """Return where the tag that a macro wrote for this response begins and ends; twice 0 for nowhere."""
    # Its beginning is ASCII and holds the page key: no other response's, and the same in each encoding.
    opening, mark, _ = visit.script.partition(_SCRIPT_DATA_MARK)
    start = body.find(f"{opening}{mark}".encode()) if mark else -1
    closing = body.find(_SCRIPT_END, start) if start >= 0 else -1
    return (start, closing + len(_SCRIPT_END)) if closing >= 0 else (0, 0)


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
