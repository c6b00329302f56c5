"""What `flask consent audit` prints: what got past the templates, by page, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby

from consent.catalogue.entry import Entry
from consent.catalogue.search import find_entries
from consent.command_output import count_of, format_table
from consent.core.audit import AuditEntry, count_kinds
from consent.core.leak import Leak, LeakKind

TITLES: Mapping[LeakKind, str] = {
    LeakKind.COOKIE_SUPPRESSED: "cookies that were set without a grant, and not sent",
    LeakKind.COOKIE_SENT: "cookies that were set without a grant, and sent",
    LeakKind.COOKIE_UNDECLARED: "cookies that nobody declares, sent",
    LeakKind.COOKIE_BLOCKED: "cookies that nobody declares, not sent",
    LeakKind.COOKIE_HIDDEN: "cookies that browsers still have without a grant, hidden from the app",
    LeakKind.MARKUP_HELD: "markup outside of any gate, held",
    LeakKind.MARKUP_UNDECLARED: "markup of services that the site does not declare, shut",
    LeakKind.MARKUP_SENT: "markup of services without a grant outside of any gate, live",
    LeakKind.MARKUP_UNKNOWN: "markup of hosts that nobody knows, live",
    LeakKind.HINT_REMOVED: "hints to hosts without a grant, taken out",
    LeakKind.HEADER_REMOVED: "headers that name hosts without a grant, taken out",
    LeakKind.HOST_BLOCKED: "requests that browsers reported against the policy",
    LeakKind.HOST_REDIRECTED: "addresses of the site's own that lead to hosts against the policy, as browsers reported",
}
_ALLOWS = "Set it only where it is granted: if current_consent.allows({key})."
_GATE = "Put it into {{% call gate({key}) %}}, or embed()."
# For what a service that the site declares has done.
_ADVICE: Mapping[LeakKind, str] = {
    LeakKind.COOKIE_SUPPRESSED: _ALLOWS,
    LeakKind.COOKIE_SENT: _ALLOWS,
    LeakKind.COOKIE_UNDECLARED: _ALLOWS,
    LeakKind.COOKIE_BLOCKED: _ALLOWS,
    LeakKind.COOKIE_HIDDEN: "Nothing: it goes from the browser by itself. If the app cannot do without it, file it under 'necessary'.",
    LeakKind.MARKUP_HELD: _GATE,
    LeakKind.MARKUP_UNDECLARED: _GATE,
    LeakKind.MARKUP_SENT: "Put it into {{% call gate({key}) %}} or embed(), or set 'CONSENT_AUTO_HOLD' to 'enforce'.",
    LeakKind.MARKUP_UNKNOWN: _GATE,
    LeakKind.HINT_REMOVED: "Take it out of the template, or put it into {{% call gate({key}) %}}.",
    LeakKind.HEADER_REMOVED: "Send it only where it is granted: if current_consent.allows({key}).",
    LeakKind.HOST_BLOCKED: "Find what loads it, and put that into {{% call gate({key}) %}}: nobody stops it but the policy.",
    LeakKind.HOST_REDIRECTED: (
        "The address itself is allowed, and redirects to another host: find out which, and declare the service that it "
        "belongs to, or name it in 'CONSENT_OWN_HOSTS'. Then put what asks for the address into a gate."
    ),
}
# Nothing is to be declared, whoever it belongs to.
_SAME_FOR_ALL = frozenset({LeakKind.COOKIE_HIDDEN, LeakKind.HOST_REDIRECTED})
_FOREIGN_TAG = (
    "It is a tag for another consent manager. The log says, in a line of its own, what is wrong with it; what a name means "
    "here stands in 'CONSENT_FOREIGN_TAGS'."
)
_COOKIE_KINDS = frozenset({LeakKind.COOKIE_UNDECLARED, LeakKind.COOKIE_BLOCKED})
_NO_ROUTE = "(no route)"
_KNOWN_LIMIT = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """Say what was looked at."""

    lines: int = 0
    malformed: int = 0
    left_out: int = 0
    visits: tuple[str, ...] = ()
    """Addresses of the pages that were visited."""

    troubles: Mapping[str, str] = field(default_factory=dict)
    """What went wrong, by address."""


def advise(leak: Leak, catalogue: Sequence[Entry]) -> str:
    """Return what a developer is to do about a leak, as a sentence."""
    # Only what the site declares has purposes, and only that can be asked for in a gate.
    if leak.purposes or leak.kind in _SAME_FOR_ALL:
        return _ADVICE[leak.kind].format(key=repr(leak.services[0]) if leak.services else "")
    if leak.kind is LeakKind.MARKUP_UNDECLARED and not leak.services:
        return _FOREIGN_TAG
    return _declare(leak, catalogue)


def find_known(leak: Leak, catalogue: Sequence[Entry]) -> tuple[str, ...]:
    """Return the keys of the services that a leak names, else of the few of the catalogue that have such a cookie or host."""
    if leak.services or len(leak.subject.split()) != 1:
        return leak.services
    found = find_entries((leak.subject,), catalogue)
    # A part of a name is no match: only what a cookie or a host is called.
    return tuple(entry.service.key for entry, matched in found if _is_meant(leak, entry, matched))[:_KNOWN_LIMIT]


def _is_meant(leak: Leak, entry: Entry, matched: Sequence[str]) -> bool:
    if leak.kind in _COOKIE_KINDS:
        return any(cookie.name in matched for cookie in entry.service.cookies)
    hosts = (host for host in entry.service.hosts if host in matched)
    return any(leak.subject == host or (host[0] == "*" and leak.subject.endswith(host[1:])) for host in hosts)


def _declare(leak: Leak, catalogue: Sequence[Entry]) -> str:
    known = find_known(leak, catalogue)
    if known:
        return f"Declare it: flask consent services show {' or '.join(known)}"
    if leak.kind in _COOKIE_KINDS:
        return "The catalogue does not know it. Declare it in a service of your own: flask consent services new KEY"
    return (
        "If the host is the site's own, name it in 'CONSENT_OWN_HOSTS'. Else declare a service: "
        f"flask consent services new KEY --host {show(leak.subject)}"
    )


def describe_audit(entries: Sequence[AuditEntry], read: Read, catalogue: Sequence[Entry]) -> dict[str, object]:
    """Return an audit as plain JSON values."""
    return {
        "lines": read.lines,
        "malformed": read.malformed,
        "left_out": read.left_out,
        "visits": list(read.visits),
        "troubles": dict(read.troubles),
        "kinds": {kind.value: number for kind, number in count_kinds(tuple(entries)).items()},
        "leaks": [
            {
                **asdict(each.leak),
                "count": each.count,
                "first": str(each.first),
                "last": str(each.last),
                "advice": advise(each.leak, catalogue),
            }
            for each in entries
        ],
    }


def format_audit(entries: Sequence[AuditEntry], read: Read, catalogue: Sequence[Entry]) -> str:
    """Return an audit for people: by page, then by kind, with a summary at the end."""
    parts = [
        "\n".join(_format_page(page, list(on_page), catalogue))
        for page, on_page in groupby(entries, key=lambda each: each.leak.page)
    ]
    return "\n\n".join([*parts, *_format_troubles(read), _summarise(entries, read)])


def show(text: str) -> str:
    """Return a text for a terminal: what would move its cursor, colour it or turn its direction is written out (T44)."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def _format_page(page: str, entries: Sequence[AuditEntry], catalogue: Sequence[Entry]) -> list[str]:
    lines = [show(page) or _NO_ROUTE]
    for kind, of_kind in groupby(entries, key=lambda each: each.leak.kind):
        lines.append(f"  {TITLES[kind]}")
        for each in of_kind:
            lines += _format_entry(each, catalogue)
    return lines


def _format_entry(entry: AuditEntry, catalogue: Sequence[Entry]) -> list[str]:
    leak = entry.leak
    owner = f" ({', '.join(leak.services)})" if leak.services else ""
    element = f" by {leak.element}" if leak.element else ""
    where = str(entry.first) if entry.first == entry.last else f"{entry.first} to {entry.last}"
    times = f"{count_of(entry.count, 'time')}, " if entry.first.line else ""
    return [
        f"    {show(leak.subject)}{show(owner)}{show(element)}: {times}{show(where)}",
        f"      {show(advise(leak, catalogue))}",
    ]


def _format_troubles(read: Read) -> list[str]:
    if not read.troubles:
        return []
    lines = [f"  {show(path)}: {show(trouble)}" for path, trouble in read.troubles.items()]
    return ["\n".join(["Pages that were not seen", *lines])]


def _count_visits(read: Read) -> str:
    unseen = f" ({len(read.troubles):,} not seen)" if read.troubles else ""
    return f"{count_of(len(read.visits), 'page')}{unseen}"


def _summarise(entries: Sequence[AuditEntry], read: Read) -> str:
    looked_at = " and ".join(
        [
            *([count_of(read.lines, "line")] if read.lines or not read.visits else []),
            *([_count_visits(read)] if read.visits else []),
        ]
    )
    notes = [
        f"{count_of(number, noun)} {words}"
        for number, noun, words in (
            (read.malformed, "line", "marked 'consent-audit' could not be read."),
            (read.left_out, "line", "came when there were too many different leaks, and were left out."),
        )
        if number
    ]
    if not entries:
        return "\n".join([f"{looked_at}: nothing got past the templates.", *notes])
    pages = len({each.leak.page for each in entries})
    rows = [(f"  {number:,}", kind.value, TITLES[kind]) for kind, number in count_kinds(tuple(entries)).items()]
    head = f"{looked_at}: {count_of(len(entries), 'leak')} on {count_of(pages, 'route')}."
    return "\n".join([head, format_table(rows), *notes])
