"""Tell the developer what got past the templates: one line of the log for each thing and page, once."""

from __future__ import annotations

import json
import logging
from collections.abc import MutableMapping
from dataclasses import asdict, replace
from threading import Lock

from flask import has_request_context, request

from consent.core.leak import AUDIT_MARK, Leak, LeakKind

log = logging.getLogger("consent")

# A visitor can make up cookie names, and a browser's reports name any host: beyond this, nothing new is told.
_TOLD_LIMIT = 4096
# What is missing is a declaration, or a refusal on the visitor's side: it is the same on every page.
_ONCE_A_NAME = frozenset({LeakKind.COOKIE_UNDECLARED, LeakKind.COOKIE_BLOCKED, LeakKind.COOKIE_HIDDEN})
_ONCE_AN_ENDPOINT = frozenset({LeakKind.COOKIE_SUPPRESSED, LeakKind.COOKIE_SENT})
# They tell of another request than the one they come with.
_REPORTED = frozenset({LeakKind.HOST_BLOCKED, LeakKind.HOST_REDIRECTED})
_WATCH_KEY = "flask_cookie_consent.leaks"

_SENTENCES = {
    LeakKind.COOKIE_SUPPRESSED: "The cookie {subject!r} of {services} was not sent: it is not granted.",
    LeakKind.COOKIE_SENT: "The cookie {subject!r} of {services} was sent, which is not granted: 'CONSENT_COOKIE_GATE' only reports.",
    LeakKind.COOKIE_UNDECLARED: "The cookie {subject!r} was sent, which no service declares. Declare it, so that visitors are told of it.",
    LeakKind.COOKIE_BLOCKED: "The cookie {subject!r} was not sent: no service declares it.",
    LeakKind.COOKIE_HIDDEN: "The cookie {subject!r} of {services} was hidden from the app: it is not granted.",
    LeakKind.MARKUP_HELD: "<{element}> from {subject!r} was held: {services} is not granted. Put it into gate() or embed().",
    LeakKind.MARKUP_UNDECLARED: "<{element}> from {subject!r} stays shut: it belongs to {services}, which the site does not declare. Declare it.",
    LeakKind.MARKUP_SENT: "<{element}> loads from {subject!r} although {services} is not granted: no gate is around it, and nobody held it.",
    LeakKind.MARKUP_UNKNOWN: "<{element}> loads from {subject!r}, which no service declares.",
    LeakKind.HINT_REMOVED: "A hint to {subject!r} was taken out: {services} is not granted.",
    LeakKind.REFRESH_REMOVED: "A 'Refresh' header to {subject!r} was taken out: {services} is not granted.",
    LeakKind.HOST_BLOCKED: "A browser reports that {element!r} does not allow {subject!r}.",
    LeakKind.HOST_REDIRECTED: "A browser reports that an address of {subject!r} redirects to a host that {element!r} does not allow.",
}


class LeakLog:
    """Log every leak of one app once, and hand those of a request that is watched to whoever watches it."""

    def __init__(self) -> None:
        self._told: set[object] = set()
        self._lock = Lock()

    def note(self, leak: Leak) -> None:
        """Take note of a leak, with the page of the current request where the leak names none."""
        if has_request_context():
            leak = _place(leak)
            watched: list[Leak] | None = request.environ.get(_WATCH_KEY)
            if watched is not None and leak not in watched:
                watched.append(leak)
        likeness = _find_likeness(leak)
        with self._lock:
            if likeness in self._told or len(self._told) >= _TOLD_LIMIT:
                return
            self._told.add(likeness)
        log.warning("%s %s%s", describe_leak(leak), AUDIT_MARK, encode_leak(leak))


def watch(environ: MutableMapping[str, object]) -> list[Leak]:
    """Return the list that fills with what is noted during a request: one for all who watch it."""
    found: list[Leak] = environ.setdefault(_WATCH_KEY, [])  # type: ignore[assignment]  # nobody else knows the key
    return found


def describe_leak(leak: Leak) -> str:
    """Say in a sentence, in English, what got past the templates."""
    services = " and ".join(repr(key) for key in leak.services) or "no known service"
    return _SENTENCES[leak.kind].format(subject=leak.subject, element=leak.element, services=services)


def encode_leak(leak: Leak) -> str:
    """Return a leak as JSON in one line of ASCII: nothing in it can begin another line of the log (T44)."""
    return json.dumps(asdict(leak))


def _find_likeness(leak: Leak) -> object:
    """Return what two leaks have in common of which only the first is told."""
    if leak.kind in _ONCE_A_NAME:
        return (leak.kind, leak.subject)
    return (leak.kind, leak.subject, leak.endpoint) if leak.kind in _ONCE_AN_ENDPOINT else leak


def _place(leak: Leak) -> Leak:
    if leak.page or leak.endpoint or leak.kind in _REPORTED:
        return leak
    rule = request.url_rule
    return replace(leak, page=rule.rule if rule else "", endpoint=request.endpoint or "")
