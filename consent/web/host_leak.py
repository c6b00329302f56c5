"""A leak to a host, with whose it is."""

from __future__ import annotations

from consent.core.host_table import HostOwner
from consent.core.leak import Leak, LeakKind
from consent.web.site import Site


def make_host_leak(  # noqa: PLR0913 - what a leak is made of
    site: Site, kind: LeakKind, host: str, owner: HostOwner | None, *, element: str, page: str = "", endpoint: str = ""
) -> Leak:
    """Return the leak; without a page, it is of the current request."""
    services = owner.services if owner else ()
    declared = site.engine.policy.services_by_key
    return Leak(
        kind=kind,
        subject=site.hosts.find_listed_name(host) if owner else host,
        services=services,
        purposes=tuple(dict.fromkeys(p for key in services if key in declared for p in declared[key].purposes)),
        element=element,
        page=page,
        endpoint=endpoint,
    )
