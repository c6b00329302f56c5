"""Write docs/services.md anew, from the files in consent/catalogue/services/.

Usage: python -m tools.list_services [--check]   (--check writes nothing and fails when the page is out of date)
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping, Sequence

from consent.catalogue import Entry, list_entries
from consent.core.declaration import ServiceKind
from tools.generated_page import CHECKOUT, run

PAGE = CHECKOUT / "docs" / "services.md"

TITLES: Mapping[str, str] = {
    ServiceKind.ANALYTICS: "Web analytics",
    ServiceKind.RECORDING: "Heat maps and recordings",
    ServiceKind.TESTING: "A/B tests",
    ServiceKind.TAG_MANAGER: "Tag managers",
    ServiceKind.ADVERTISING: "Advertising",
    ServiceKind.CRM: "Newsletters and customer records",
    ServiceKind.CHAT: "Chat",
    ServiceKind.VIDEO: "Video",
    ServiceKind.AUDIO: "Audio",
    ServiceKind.MAP: "Maps",
    ServiceKind.POST: "Posts of social networks",
    ServiceKind.FORM: "Forms and surveys",
    ServiceKind.COMMENTS: "Comments and reviews",
    ServiceKind.CALENDAR: "Calendars and bookings",
    ServiceKind.FILE: "Documents, slides, drawings, code",
    ServiceKind.FONT: "Fonts",
    ServiceKind.CAPTCHA: "Captchas",
    ServiceKind.PAYMENT: "Payments",
    ServiceKind.ERRORS: "Errors in the page",
    ServiceKind.OTHER: "Others",
}
"""Heading by kind, in the order of the page."""

_INTRODUCTION = """\
<!-- Written by `make services` from the files in consent/catalogue/services/. -->

# The services of the catalogue

How to use, change and add them is in [the guide](catalogue.md). `flask consent services show KEY` prints everything about one of them, its
hosts and the source of each cookie included; `flask consent services search` finds one by a host, an address or the name of a cookie.
"""

_LEGEND = """\
"Sourced" counts the entries that declare cookies or other storage, each with the source it was read in. "Stores nothing" counts those whose provider
says so. For the others, nobody could find out what they store, and the cookie table says that.

What the columns hold: **takes** is what `script()` needs, or the id that `embed()` needs, with an example (*optional* where it may be left out); **signals** names the
consent APIs of providers that are told what the visitor chose; **cookies** is the number of cookies and other entries. A note's "below" means the lines further down in the
service's file. None is filed under `necessary`: what "could be" is called so on the site's own word, with `load_necessary()`. Purposes are a starting point, and no entry is legal advice.
"""

_COUNTS_HEAD = ("| kind | services | sourced | stores nothing | not known |", "|---|---:|---:|---:|---:|")
_HEAD = ("| key | service, provider | purposes | signals | takes | cookies | notes |", "|---|---|---|---|---|---|---|")

_CANDIDATE = "[*Could be necessary:*](catalogue.md#what-a-site-cannot-do-without)"

# What Markdown would take for markup, outside of code; and the bar, which ends a cell even within it.
_CODE = re.compile(r"(`[^`]+`)")
_MARKUP = re.compile(r"([\\|*_<\[\]])")


def build_page(entries: Sequence[Entry]) -> str:
    """Return the page about these entries, which are in the order of their keys."""
    by_kind = {kind: [entry for entry in entries if entry.service.kind == kind] for kind in TITLES}
    sections = [_build_section(TITLES[kind], found) for kind, found in by_kind.items() if found]
    days = sorted(entry.checked for entry in entries if entry.checked)
    read_on = f"Facts were read between {days[0]} and {days[-1]}.\n" if days else ""
    counts = build_counts({TITLES[kind]: found for kind, found in by_kind.items() if found})
    return "\n".join((_INTRODUCTION, counts, f"{_LEGEND}{read_on}", *sections))


def build_counts(entries_by_title: Mapping[str, Sequence[Entry]]) -> str:
    """Return the table that counts the entries under each title, and all of them together."""
    every = [entry for entries in entries_by_title.values() for entry in entries]
    rows = [_build_count_row(f"[{title}](#{_slug(title)})", entries) for title, entries in entries_by_title.items()]
    return "\n".join((*_COUNTS_HEAD, *rows, _build_count_row("**together**", every))) + "\n"


def _build_count_row(title: str, entries: Sequence[Entry]) -> str:
    sourced = sum(entry.has_sourced_cookies for entry in entries)
    nothing = sum(bool(entry.cookieless) and not entry.service.cookies for entry in entries)
    return f"| {title} | {len(entries)} | {sourced} | {nothing} | {len(entries) - sourced - nothing} |"


def _build_section(title: str, entries: Iterable[Entry]) -> str:
    return "\n".join((f"## {title}", "", *_HEAD, *map(_build_row, entries))) + "\n"


def _build_row(entry: Entry) -> str:
    service = entry.service
    provider = ", ".join(filter(None, (service.provider, service.provider_country)))
    cells = (
        f"`{service.key}`",
        _escape(f"{service.name}, {provider}" if provider else service.name),
        _join(service.purposes),
        _join(service.signals),
        _list_what_it_takes(entry),
        _count_cookies(entry),
        " ".join(_list_notes(entry)),
    )
    return f"| {' | '.join(cells)} |"


def _list_what_it_takes(entry: Entry) -> str:
    service = entry.service
    if service.embed:
        return f"id, such as {_code(service.embed.id_example)}"
    return "; ".join(
        f"`{each.name}`, such as {_code(each.example)}{'' if each.required else ' *optional*'}"
        for each in service.parameters
    )


def _count_cookies(entry: Entry) -> str:
    if entry.service.cookies:
        return str(len(entry.service.cookies))
    return "none" if entry.cookieless else "not known"


def _list_notes(entry: Entry) -> list[str]:
    necessary = f"{_CANDIDATE} {_escape(entry.necessary_when)}" if entry.necessary_when else ""
    own_ends = "The provider uses the data for ends of its own." if entry.service.third_party_use else ""
    not_known = f"*Not known:* {_escape(entry.not_known)}" if entry.not_known else ""
    return [*filter(None, (own_ends, necessary, not_known))]


def _join(keys: Iterable[str]) -> str:
    return ", ".join(f"`{key}`" for key in keys)


def _code(text: str) -> str:
    return f"`{text}`".replace("|", "\\|")


def _escape(text: str) -> str:
    parts = _CODE.split(text)
    return "".join(part.replace("|", "\\|") if at % 2 else _MARKUP.sub(r"\\\1", part) for at, part in enumerate(parts))


def _slug(title: str) -> str:
    # As GitHub makes the address of a heading.
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def main(arguments: list[str]) -> int:
    """Run the command; return its exit status."""
    return run(arguments, name="list_services", path=PAGE, build=lambda: build_page(list_entries()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
