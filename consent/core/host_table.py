"""Which service a host, or an address, belongs to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from consent.core.declaration import HostUse, Service
from consent.core.loader import Address, Loader

ANY_USE = ""
"""Stands for hosts of which nobody says what they serve, and for elements of which nobody can say what they load."""

# Only linked to, or posted to when the visitor says so: nothing is contacted by itself.
_IDLE_USES = frozenset({HostUse.PAGE, HostUse.FORM})

# Of a name in DNS (RFC 1035, 2.3.4), and so at most 127 labels.
_HOST_LIMIT = 253


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
        known: Of the catalogue. Those with a `*` do not count: of a service that the site does not have, they would take files
            along that it has nothing to do with.
        own_hosts: Hosts of the site itself, which belong to no service whatever anybody says.
        loaders: Addresses of services, by which those that share a host are told apart; of declared services first.
        shared_hosts: Of anybody's files: a site's jQuery comes from the same host as a tracker. There only a whole address
            tells whose a file is.
    """

    def __init__(
        self,
        declared: Iterable[HostRow],
        *,
        known: Iterable[HostRow] = (),
        own_hosts: Collection[str] = (),
        loaders: Iterable[Loader] = (),
        shared_hosts: Collection[str] = (),
    ) -> None:
        rows = tuple(declared)
        self._keys = frozenset(row.service for row in rows)
        self._declared = _index(rows)
        self._known = _index(row for row in known if row.service not in self._keys and not row.host.startswith("*."))
        self._own, self._shared = frozenset(own_hosts), frozenset(shared_hosts)
        self._loaders: defaultdict[str, list[Loader]] = defaultdict(list)
        for loader in loaders:
            self._loaders[loader.host].append(loader)
        self._listed = frozenset((*self._declared, *self._known, *self._loaders))
        wide = {name for name in (*self._listed, *self._own) if name.startswith("*.")}
        self._depth = max((name.count(".") for name in wide), default=0)

    def find_address_owner(self, address: Address, use: str, *, is_strict: bool = False) -> HostOwner | None:
        """Return whose an address is; None for nobody's that is known, and for the site's own.

        What whole addresses of services say comes before what their hosts say.

        Args:
            is_strict: Whether hosts count only for what they are said to serve, and embeds for nothing: for addresses that may
                never be loaded.
        """
        names = self._list_names(address.host)
        if not self._own.isdisjoint(names):
            return None
        loaders = [loader for name in names for loader in self._loaders.get(name, ())]
        if is_strict:
            loaders = [loader for loader in loaders if not loader.is_frame]
        return self._find_loaded(loaders, address) or self._find_listed(names, use, is_strict=is_strict)

    def find_owner(self, host: str, use: str, *, is_strict: bool = False) -> HostOwner | None:
        """Return whose a host is; None for nobody's that is known, and for the site's own.

        The most specific entry counts: `fonts.gstatic.com` comes before `*.gstatic.com`. A host that is known for other uses
        only belongs to whom it serves for those: a tracker's host is no other one's because an image comes from it.

        Args:
            host: In lower case, without a port.
            use: A value of `HostUse`, or `ANY_USE`.
            is_strict: Whether only that use counts.
        """
        names = self._list_names(host)
        return self._find_listed(names, use, is_strict=is_strict) if self._own.isdisjoint(names) else None

    def is_own(self, host: str) -> bool:
        """Whether a host is the site's own, by its settings."""
        return not self._own.isdisjoint(self._list_names(host))

    def has_host(self, host: str) -> bool:
        """Whether anybody's entry names a host, for whatever use: a quick test before a page is read."""
        return host in self._listed or not self._listed.isdisjoint(self._list_names(host))

    def find_listed_name(self, host: str) -> str:
        """Return the entry that names a host, such as `*.example.com`, the most specific one; the host itself for none.

        What is told of it has that name: below a `*`, visitors can make up hosts without end.
        """
        return next((name for name in self._list_names(host) if name in self._listed), host)

    def _list_names(self, host: str) -> tuple[str, ...]:
        """Return the entries that may name a host, the most specific one first: no more than any entry has labels."""
        if len(host) > _HOST_LIMIT:
            return ()
        names: list[str] = []
        at = len(host)
        for _ in range(self._depth):
            at = host.rfind(".", 0, at)
            if at < 0:
                break
            names.append(f"*{host[at:]}")
        return (host, *reversed(names))

    def _find_listed(self, names: tuple[str, ...], use: str, *, is_strict: bool) -> HostOwner | None:
        if not names or names[0] in self._shared:
            return None
        tables = ((self._declared, True), (self._known, False))
        exact = ((table.get(names[0]), ANY_USE, is_declared) for table, is_declared in tables)
        fitting = ((table.get(name), use, is_declared) for table, is_declared in tables for name in names)
        for uses, wanted, is_declared in fitting if is_strict else (*fitting, *exact):
            services = _services_of(uses, wanted)
            if services:
                return HostOwner(services, is_declared)
        return None

    def _find_loaded(self, loaders: list[Loader], address: Address) -> HostOwner | None:
        """Return whose an address is by loaders of its host: by all of it, or else by the path of it."""
        whole = [each.service for each in loaders if each.find_id(address) is not None]
        keys = whole or [each.service for each in loaders if each.query and each.matches_path(address)]
        declared = [key for key in keys if key in self._keys]
        services = tuple(dict.fromkeys(declared or keys))
        return HostOwner(services, bool(declared)) if services else None


def list_rows(services: Iterable[Service]) -> tuple[HostRow, ...]:
    """Return what services say of the hosts that they contact by themselves."""
    rows: list[HostRow] = []
    for service in services:
        used = {host for hosts in service.hosts_by_use.values() for host in hosts}
        rows += (
            HostRow(service.key, host, str(use))
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


def _services_of(uses: Mapping[str, tuple[str, ...]] | None, use: str) -> tuple[str, ...]:
    if uses is None:
        return ()
    if use == ANY_USE:
        return tuple(dict.fromkeys(key for keys in uses.values() for key in keys))
    return tuple(dict.fromkeys((*uses.get(use, ()), *uses.get(ANY_USE, ()))))
