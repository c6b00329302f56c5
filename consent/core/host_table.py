"""Which service a host belongs to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from consent.core.declaration import HostUse, Service

ANY_USE = ""
"""Stands for hosts of which nobody says what they serve."""

# Only linked to, or posted to when the visitor says so: nothing is contacted by itself.
_IDLE_USES = frozenset({HostUse.PAGE, HostUse.FORM})


@dataclass(frozen=True, slots=True)
class HostOwner:
    """Hold whose a host is."""

    services: tuple[str, ...]
    """Keys of the services; all of them must be granted, since nobody can tell which of them it is for."""

    is_declared: bool
    """Whether the site declares them; what only the catalogue knows nobody can grant."""


@dataclass(frozen=True, slots=True)
class HostRow:
    """Say that a service uses a host for something."""

    service: str
    host: str
    """A host name, or `*.` and the name that all of them end in."""

    use: str
    """A value of `HostUse`, or `ANY_USE`."""


class HostTable:
    """Look hosts up: those of declared services first, then those that only the catalogue knows.

    Args:
        declared: Of the site's policy.
        known: Of the catalogue; those of declared services among them do not count twice.
        own_hosts: Hosts of the site itself, which belong to no service whatever anybody says.
    """

    def __init__(
        self, declared: Iterable[HostRow], *, known: Iterable[HostRow] = (), own_hosts: Collection[str] = ()
    ) -> None:
        self._declared = _index(declared)
        self._known = _index(known)
        self._own = frozenset(own_hosts)

    def find_owner(self, host: str, use: str) -> HostOwner | None:
        """Return whose a host is; None for nobody's that is known, and for the site's own.

        The most specific entry counts: `fonts.gstatic.com` comes before `*.gstatic.com`.

        Args:
            host: In lower case, without a port.
            use: A value of `HostUse`.
        """
        names = (host, *_wildcards(host))
        if not self._own.isdisjoint(names):
            return None
        for table, is_declared in ((self._declared, True), (self._known, False)):
            for name in names:
                services = _services_of(table.get(name), use)
                if services:
                    return HostOwner(services, is_declared)
        return None

    def has_host(self, host: str) -> bool:
        """Whether anybody's entry names a host, for whatever use: a quick test before a page is read."""
        return any(name in self._declared or name in self._known for name in (host, *_wildcards(host)))


def list_rows(services: Iterable[Service]) -> tuple[HostRow, ...]:
    """Return what services say of the hosts that they contact by themselves."""
    rows: list[HostRow] = []
    for service in services:
        used = {host for hosts in service.hosts_by_use.values() for host in hosts}
        rows += (
            HostRow(service.key, host, use)
            for use, hosts in service.hosts_by_use.items()
            if use not in _IDLE_USES
            for host in hosts
        )
        rows += (HostRow(service.key, host, ANY_USE) for host in service.hosts if host not in used)
    return tuple(rows)


_Table = Mapping[str, Mapping[str, tuple[str, ...]]]


def _index(rows: Iterable[HostRow]) -> _Table:
    found: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        found[row.host][row.use].append(row.service)
    return {host: {use: tuple(keys) for use, keys in uses.items()} for host, uses in found.items()}


def _wildcards(host: str) -> tuple[str, ...]:
    labels = host.split(".")
    return tuple("*." + ".".join(labels[at:]) for at in range(1, len(labels)))


def _services_of(uses: Mapping[str, tuple[str, ...]] | None, use: str) -> tuple[str, ...]:
    if uses is None:
        return ()
    return tuple(dict.fromkeys((*uses.get(use, ()), *uses.get(ANY_USE, ()))))
