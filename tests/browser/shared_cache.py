"""A caching reverse proxy that follows RFC 9111 and keeps whatever that allows, as long as it likes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Final
from wsgiref.types import StartResponse, WSGIEnvironment

from werkzeug.datastructures import EnvironHeaders, Headers
from werkzeug.http import parse_cache_control_header, parse_list_header

# RFC 9110 section 15.1: to be kept even without a word about freshness.
_KEPT_STATUSES: Final = frozenset({200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501})
# RFC 9110 section 7.6.1: between two neighbours only.
_HOP_BY_HOP: Final = frozenset({"connection", "keep-alive", "transfer-encoding", "te", "upgrade", "server", "date"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the origin said, and for which request."""

    status: str
    headers: Headers
    body: bytes
    selecting: Mapping[str, str | None]
    """Lower-case name to value of each request header that `Vary` names."""

    def suits(self, request_headers: EnvironHeaders) -> bool:
        """Whether a later request may get it, too (RFC 9111 section 4.1)."""
        return all(request_headers.get(name) == value for name, value in self.selecting.items())


@dataclass(slots=True)
class SharedCache:
    """A WSGI app in front of a server on this machine."""

    port: int
    kept: dict[str, list[Answer]] = field(default_factory=dict)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        """Answer from what was kept, else ask the origin. `X-Cache` says which."""
        url = f"{environ['HTTP_HOST']}{environ['PATH_INFO']}?{environ['QUERY_STRING']}"
        headers = EnvironHeaders(environ)
        method = environ["REQUEST_METHOD"]
        hit = next((answer for answer in self.kept.get(url, ()) if answer.suits(headers)), None)
        if method in {"GET", "HEAD"} and hit is not None:
            answer = hit
        else:
            answer = self._ask(environ, headers)
            if method != "GET":
                self.kept.pop(url, None)
            elif _may_keep(answer, headers):
                self.kept.setdefault(url, []).append(answer)
        start_response(answer.status, [*answer.headers, ("X-Cache", "HIT" if hit else "MISS")])
        return iter((answer.body,))

    def _ask(self, environ: WSGIEnvironment, headers: EnvironHeaders) -> Answer:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        target = environ["PATH_INFO"] + (f"?{environ['QUERY_STRING']}" if environ["QUERY_STRING"] else "")
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        sent = {name: value for name, value in headers if name.lower() not in _HOP_BY_HOP}
        try:
            connection.request(environ["REQUEST_METHOD"], target, body=body or None, headers=sent)
            response = connection.getresponse()
            received = Headers(
                [(name, value) for name, value in response.getheaders() if name.lower() not in _HOP_BY_HOP]
            )
            return Answer(
                status=f"{response.status} {response.reason}",
                headers=received,
                body=response.read(),
                selecting={name.lower(): headers.get(name) for name in parse_list_header(_join(received, "Vary"))},
            )
        finally:
            connection.close()


def _join(headers: Headers, name: str) -> str:
    return ", ".join(headers.getlist(name))


def _may_keep(answer: Answer, request_headers: EnvironHeaders) -> bool:
    """Whether a shared cache may keep and reuse an answer (RFC 9111 sections 3 and 4.2.2)."""
    control = parse_cache_control_header(_join(answer.headers, "Cache-Control"))
    if "*" in answer.selecting or "Authorization" in request_headers:
        return False
    if "no-store" in control or "private" in control or "no-cache" in control:
        return False
    lifetime = control.get("s-maxage", control.get("max-age"))
    return lifetime != "0" and int(answer.status[:3]) in _KEPT_STATUSES
