"""Find services in the catalogue by what a developer knows of them: a name, a provider, a host, a cookie."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from consent.catalogue.entry import Entry
from consent.core.declaration import Service

_CLOSEST = 5


def find_entries(words: Sequence[str], entries: Iterable[Entry]) -> tuple[tuple[Entry, tuple[str, ...]], ...]:
    """Return the entries that match every word, those whose key is a word first.

    A word matches if it is part of key, name or provider, or of a host, or if it is the name of a cookie. An
    address, such as `https://connect.facebook.net/en_US/fbevents.js`, stands for its host.

    Returns:
        Each entry with what matched, such as `connect.facebook.net`; name and provider are left out of that.
    """
    found = [(entry, [_find_matches(word, entry.service) for word in words]) for entry in entries]
    hits = [
        (entry, tuple(dict.fromkeys(match for each in matches for match in each if match)))
        for entry, matches in found
        if all(matches)
    ]
    return tuple(sorted(hits, key=lambda hit: hit[0].service.key not in words))


def find_closest(word: str, keys: Iterable[str]) -> tuple[str, ...]:
    """Return the few keys that are most like a word: spelt alike, sharing a part of the name, or loosely like it."""
    known = sorted(keys)
    word = word.lower()
    parts = {part for part in word.replace(" ", "-").split("-") if len(part) > 1}
    alike = get_close_matches(word, known, n=_CLOSEST, cutoff=0.6)
    sharing = (key for key in known if parts & set(key.split("-")))
    loosely = get_close_matches(word, known, n=_CLOSEST, cutoff=0.45)
    return tuple(dict.fromkeys((*alike, *sharing, *loosely)))[:_CLOSEST]


def read_host(word: str) -> str:
    """Return the host that a word names, be it an address, a host with a path, or no host at all."""
    has_scheme = "://" in word or word.startswith("//")
    try:
        return (urlsplit(word if has_scheme else f"//{word}").hostname or "").rstrip(".")
    except ValueError:
        # Half an IPv6 address: no host that a service could have.
        return ""


def _find_matches(word: str, service: Service) -> list[str]:
    """Return what a word matched: hosts and cookies by name, anything else as an empty text."""
    lower = word.lower()
    plain = (service.key, service.name.lower(), service.provider.lower())
    return [
        *("" for text in plain if lower in text),
        *_find_hosts(lower, service.hosts),
        *(cookie.name for cookie in service.cookies if fnmatchcase(word, _literal(cookie.name))),
    ]


def _find_hosts(word: str, hosts: Iterable[str]) -> Iterator[str]:
    host = read_host(word)
    is_address = "/" in word
    for each in hosts:
        bare = each.removeprefix("*.")
        is_within = host == bare or (each != bare and host.endswith(f".{bare}"))
        # Part of a host will do for a word, but a whole address means one host.
        if host and (is_within or (not is_address and host in each)):
            yield each


def _literal(pattern: str) -> str:
    # A bracket is a bracket in the name of a storage entry.
    return pattern.replace("[", "[[]").replace("?", "[?]")
