"""Hints in `Link:` headers to hosts of what is not granted: they are taken out."""

from __future__ import annotations

from consent.core.host_table import ANY_USE
from consent.core.leak import LeakKind
from consent.web.departure import Departing
from consent.web.host_leak import make_host_leak
from consent.web.liveness import is_live
from consent.wire.link_header import Hint, remove_hints
from consent.wire.url_reading import read_url


def remove_link_hints(departing: Departing) -> None:
    """Take hints to hosts of services that are not granted out of every `Link:` header; all of the rest stays as it is."""
    if "link" not in departing.names:
        return
    values = departing.headers.getlist("Link")
    kept = [remove_hints(value, lambda hint: _is_unwanted(departing, hint)) for value in values]
    if kept == values:
        return
    departing.headers.setlist("Link", [value for value in kept if value])


def _is_unwanted(departing: Departing, hint: Hint) -> bool:
    site = departing.site
    address = read_url(hint.url)
    # Nobody can tell what a connection is for, so it may be for anything.
    owner = site.hosts.find_address_owner(address, ANY_USE) if address else None
    if address is None or owner is None or (owner.is_declared and is_live(departing.visit, owner.services)):
        return False
    site.leaks.note(make_host_leak(site, LeakKind.HINT_REMOVED, address.host, owner, element="Link"))
    return True
