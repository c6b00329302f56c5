"""Markup of other hosts that is live in a page as it is sent: what no gate was around, and nobody held."""

from __future__ import annotations

from collections.abc import Iterator

from consent.core.host_table import HostOwner
from consent.core.leak import Leak, LeakKind
from consent.web.host_leak import make_host_leak
from consent.web.liveness import is_live
from consent.web.url_owner import find_url_owner
from consent.web.visit import Visit
from consent.wire.element_urls import TEXT, ElementUrl
from consent.wire.loaded_urls import list_loaded
from consent.wire.markup_scan import scan
from consent.wire.other_format import is_other_format
from consent.wire.url_reading import read_url


def find_live_markup(visit: Visit, page: bytes, *, where: str = "", endpoint: str = "") -> tuple[Leak, ...]:
    """Return what a page makes the browser load from hosts of services that are not granted, and from hosts that nobody knows.

    Each once; hosts of the site itself are left out.

    Args:
        visit: Of whom the page was sent to.
        where: Rule of the page's route.
        endpoint: Endpoint of the page's view.
    """
    if is_other_format(page):
        return ()
    found = (
        make_host_leak(visit.site, kind, host, owner, element=name, page=where, endpoint=endpoint)
        for name, host, owner, kind in _find(visit, page)
    )
    return tuple(dict.fromkeys(found))


def _find(visit: Visit, page: bytes) -> Iterator[tuple[str, str, HostOwner | None, LeakKind]]:
    for element in scan(page):
        for url in list_loaded(element, page):
            # An address in a script may never be loaded, and texts in svg are read in several ways; one of a known service mostly is.
            is_guess = url.is_text or (url.attribute == TEXT and not element.is_certain)
            found = _judge(visit, url, is_guess=is_guess)
            if found:
                yield (element.name, *found)


def _judge(visit: Visit, found: ElementUrl, *, is_guess: bool) -> tuple[str, HostOwner | None, LeakKind] | None:
    address, hosts = read_url(found.url), visit.site.hosts
    if address is None or address.host == visit.site_host or hosts.is_own(address.host):
        return None
    owner = find_url_owner(hosts, found, address)
    if owner is None:
        return None if is_guess else (address.host, None, LeakKind.MARKUP_UNKNOWN)
    if owner.is_declared and is_live(visit, owner.services):
        return None
    return address.host, owner, LeakKind.MARKUP_SENT
