"""Requests to an app in the same process, each as new as a server makes it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from time import thread_time
from urllib.parse import urlencode
from uuid import uuid4
from wsgiref.types import WSGIEnvironment

from flask import Flask
from werkzeug.test import create_environ

from consent import testing
from consent.wire.cookie import PLAIN_NAME
from tests.bench.pairing import Work

BASE_URL = "http://courier.example"

# What a browser sends beside the consent cookie; none of a declared service, which a visitor who refused no longer has.
OTHER_COOKIES = "theme=dark; basket=4f1c0d6e9b7a4b52; session=eyJ1c2VyIjoxMn0.Z88AAA.mJ0yZb3cQk1lL2xvb2tpbmc"

_HIDDEN_FIELD = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')
_FORM_ACTION = re.compile(r'<form class="pvc-banner__form" method="post" action="([^"]*)"')
_FORM_HEADERS = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Content-Type": "application/x-www-form-urlencoded",
    "Origin": BASE_URL,
    "Sec-Fetch-Site": "same-origin",
    "Cookie": OTHER_COOKIES,
}


def request_page(app: Flask, path: str, cookie: str) -> Work:
    """Ask for a page, in seconds of processor time.

    Args:
        cookie: The visitor's consent cookie, `name=value`; empty for a first visit.
    """
    environ = create_environ(path, base_url=BASE_URL)

    def run(repeats: int) -> float:
        environs = [_freshen(environ, cookie) for _ in range(repeats)]
        started = thread_time()
        for each in environs:
            consume(app, each)
        return thread_time() - started

    return run


def consume(app: Flask, environ: WSGIEnvironment) -> None:
    """Let an app answer, and read the answer to its end."""
    body = app(environ, start_response)
    for _ in body:
        pass
    body.close()  # type: ignore[attr-defined]  # Werkzeug's iterables have it


def start_response(
    _status: str, _headers: list[tuple[str, str]], _exc_info: object = None
) -> Callable[[bytes], object]:
    """Take the head of an answer, whatever it is."""
    return bytes


def get_cookie(app: Flask, *, is_grant: bool) -> str:
    """Return the consent cookie of a visitor who accepted everything, or refused it."""
    client = app.test_client()
    if is_grant:
        testing.grant(client)
    else:
        testing.refuse(client)
    cookie = client.get_cookie(PLAIN_NAME)
    if cookie is None:
        raise RuntimeError("The site set no consent cookie.")
    return f"{PLAIN_NAME}={cookie.value}"


def copy_text(text: str) -> str:
    """Make a new object of a text, as a server does for each request: its hash is not known yet."""
    return text[:1] + text[1:]


@dataclass(frozen=True, slots=True)
class ChoiceForm:
    """Accept everything in the banner, each time as another visitor."""

    path: str
    fields: Mapping[str, str]

    @property
    def headers(self) -> Mapping[str, str]:
        """What a browser sends along."""
        return _FORM_HEADERS

    def write_body(self) -> bytes:
        """Return what is posted; the mark of the page is another one each time."""
        mark = {"attempt": uuid4().hex[:16]} if "attempt" in self.fields else {}
        return urlencode({**self.fields, **mark, "action": "accept_all"}).encode()

    def make_environ(self) -> WSGIEnvironment:
        """Return a request that posts it."""
        body = self.write_body()
        return create_environ(
            self.path, method="POST", base_url=BASE_URL, headers=dict(self.headers), input_stream=BytesIO(body)
        ) | {"CONTENT_LENGTH": str(len(body))}


def find_form(page: str) -> ChoiceForm:
    """Read the banner's form out of a page."""
    action = _FORM_ACTION.search(page)
    if action is None:
        raise RuntimeError("The page has no banner.")
    return ChoiceForm(action[1], dict(_HIDDEN_FIELD.findall(page)))


def _freshen(environ: WSGIEnvironment, cookie: str) -> WSGIEnvironment:
    return {**environ, "HTTP_COOKIE": f"{OTHER_COOKIES}; {cookie}" if cookie else copy_text(OTHER_COOKIES)}
