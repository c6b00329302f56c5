"""What browsers report of requests that a Content-Security-Policy does not allow; anybody can make such a report up.

Source: Content Security Policy level 3, section 5 (both shapes); Reporting API, section 8.1.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NoReturn
from urllib.parse import urlsplit

from consent.core.content_security_policy import DIRECTIVES
from consent.errors import SubmissionError

OLD_TYPE = "application/csp-report"
"""What `report-uri` sends."""

NEW_TYPE = "application/reports+json"
"""What `report-to` sends: a list."""

_HOST_LENGTH_LIMIT = 253
_HOST = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
# Not the browser's extensions, and no `inline` or `eval`, which the policy leaves to the app's own.
_SCHEMES = frozenset({"http", "https", "ws", "wss"})


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockedRequest:
    """Hold one request that a browser says it did not send, or would not have."""

    host: str
    """In lower case, without a port."""

    authority: str
    """The same, with the port where it is not that of the scheme."""

    directive: str
    """The one that does not allow it, of `DIRECTIVES`."""

    page_url: str
    """Address of the page as reported: any text."""


def parse_reports(body: bytes, *, content_type: str) -> tuple[BlockedRequest, ...]:
    """Read what a browser has sent, and leave out what is no request to a host.

    Args:
        content_type: One of the two types, without parameters.

    Raises:
        SubmissionError: 400 for anything of another shape.
    """
    found = _parse_json(body)
    bodies = [_take(found, "csp-report")] if content_type == OLD_TYPE else _list_bodies(found)
    reports = [_read_fields(_check(each)) for each in bodies]
    return tuple(report for report in reports if report is not None)


def _list_bodies(found: object) -> list[object]:
    if not isinstance(found, list):
        raise _malformed("is no list")
    return [_take(each, "body") for each in found if _take(each, "type") == "csp-violation"]


def _take(report: object, name: str) -> object:
    return _check(report).get(name)


def _check(report: object) -> Mapping[str, object]:
    if not isinstance(report, dict):
        raise _malformed("holds something that must be an object and is none")
    return report


def _parse_json(body: bytes) -> object:
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise _malformed("is no JSON in UTF-8") from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _malformed(what: str) -> SubmissionError:
    return SubmissionError(f"The body {what}.", code="malformed")


def _read_fields(report: Mapping[str, object]) -> BlockedRequest | None:
    url = _find_text(report, "blockedURL", "blocked-uri")
    host = _read_host(url)
    directive = next(_find_directives(report), "")
    if not host or not directive:
        return None
    authority = urlsplit(url).netloc.rpartition("@")[2].lower()
    # A page in `srcdoc` has none: it says `about`, and its referrer is the bare host in Chromium, nothing in Firefox.
    page_url = _find_text(report, "documentURL", "document-uri")
    return BlockedRequest(host=host, authority=authority, directive=directive, page_url=page_url)


def _find_directives(report: Mapping[str, object]) -> Iterator[str]:
    for name in ("effectiveDirective", "effective-directive", "violated-directive"):
        # Older browsers say the whole directive, with its sources.
        word = _find_text(report, name).strip().partition(" ")[0].lower()
        if word in DIRECTIVES:
            yield word


def _find_text(report: Mapping[str, object], *names: str) -> str:
    return next((value for name in names if isinstance(value := report.get(name), str)), "")


def _read_host(url: str) -> str:
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").removesuffix(".")
    except ValueError:
        return ""
    is_host = parts.scheme in _SCHEMES and len(host) <= _HOST_LENGTH_LIMIT and _HOST.fullmatch(host)
    return host if is_host else ""
