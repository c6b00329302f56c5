"""Tell the developer what got past the templates: one line of the log for each thing and page, once."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import MutableMapping
from dataclasses import replace
from threading import Lock

from flask import has_request_context, request

from consent.core.leak import AUDIT_MARK, Leak, LeakKind
from consent.wire.leak_line import encode_leak, fit_leak

log = logging.getLogger("consent")

# What belongs to services is as much as the site and the catalogue list, on each page. Names of nobody's can be without end: a view
# may put a visitor's into a cookie's. Beyond these, of each kind, nothing new is told: others are not silenced by it.
_OWNED_LIMIT = 4096
_OTHERS_LIMIT = 512
# What is missing is a declaration, or a refusal on the visitor's side: it is the same on every page.
_ONCE_A_NAME = frozenset({LeakKind.COOKIE_UNDECLARED, LeakKind.COOKIE_BLOCKED, LeakKind.COOKIE_HIDDEN})
_ONCE_AN_ENDPOINT = frozenset({LeakKind.COOKIE_SUPPRESSED, LeakKind.COOKIE_SENT})
_HEADERS = frozenset({"Link", "Refresh"})
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
    LeakKind.HEADER_REMOVED: "A {element!r} header to {subject!r} was taken out: {services} is not granted.",
    LeakKind.HOST_BLOCKED: "A browser reports that {element!r} does not allow {subject!r}.",
    LeakKind.HOST_REDIRECTED: "A browser reports that an address of {subject!r} redirects to a host that {element!r} does not allow.",
}
_SENT_HEADER = "A {element!r} header leads to {subject!r} although {services} is not granted, and nobody took it out."
# It stays shut for its words, whosever host it names.
_FOREIGN_TAG = "<{element}>, which is written for another consent manager, stays shut over {subject!r}: another line of the log says why."


class LeakLog:
    """Log every leak of one app once, and hand those of a request that is watched to whoever watches it."""

    def __init__(self) -> None:
        self._told: defaultdict[tuple[LeakKind, bool], set[object]] = defaultdict(set)
        self._lock = Lock()

    def note(self, leak: Leak) -> None:
        """Take note of a leak, with the page of the current request where the leak names none."""
        if has_request_context():
            leak = _place(leak)
            watched: list[Leak] | None = request.environ.get(_WATCH_KEY)
            if watched is not None and leak not in watched:
                watched.append(leak)
        if self._is_to_tell(leak):
            self.tell(leak)

    def tell(self, leak: Leak) -> None:
        """Log a leak as it is, of whichever request, however often it was told."""
        leak = fit_leak(leak)
        log.warning("%s %s%s", describe_leak(leak), AUDIT_MARK, encode_leak(leak))

    def _is_to_tell(self, leak: Leak) -> bool:
        likeness, limit = _find_likeness(leak), _OWNED_LIMIT if leak.services else _OTHERS_LIMIT
        with self._lock:
            told = self._told[leak.kind, bool(leak.services)]
            if likeness in told or len(told) > limit:
                return False
            told.add(likeness)
            is_last = len(told) > limit
        if is_last:
            owners = "services" if leak.services else "no known service"
            log.warning(
                "There were %d different leaks of the kind %r and of %s: no more of these are logged until the app starts anew.",
                limit,
                str(leak.kind),
                owners,
            )
        return not is_last


def watch(environ: MutableMapping[str, object]) -> list[Leak]:
    """Return the list that fills with what is noted during a request: one for all who watch it."""
    found: list[Leak] = environ.setdefault(_WATCH_KEY, [])  # type: ignore[assignment]  # nobody else knows the key
    return found


def describe_leak(leak: Leak) -> str:
    """Say in a sentence, in English, what got past the templates."""
    services = " and ".join(repr(key) for key in leak.services) or "no known service"
    return _find_sentence(leak).format(subject=leak.subject, element=leak.element, services=services)


def _find_sentence(leak: Leak) -> str:
    if leak.kind is LeakKind.MARKUP_UNDECLARED and not leak.services:
        return _FOREIGN_TAG
    return _SENT_HEADER if leak.kind is LeakKind.MARKUP_SENT and leak.element in _HEADERS else _SENTENCES[leak.kind]


def _find_likeness(leak: Leak) -> object:
    """Return what two leaks have in common of which only the first is told."""
    if leak.kind in _ONCE_A_NAME:
        return (leak.kind, leak.subject)
    return (leak.kind, leak.subject, leak.endpoint) if leak.kind in _ONCE_AN_ENDPOINT else leak


def _place(leak: Leak) -> Leak:
    if leak.page or leak.endpoint:
        return leak
    rule = request.url_rule
    return replace(leak, page=rule.rule if rule else "", endpoint=request.endpoint or "")
