"""Headers that lead to hosts of what is not granted: hints in `Link:`, `Refresh:`, and where to report to. They are taken out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from consent.core.host_table import ANY_USE
from consent.core.leak import LeakKind
from consent.web.departure import Departing
from consent.web.host_leak import make_host_leak
from consent.web.liveness import is_live
from consent.wire.header_members import remove_members
from consent.wire.link_header import remove_hints
from consent.wire.url_reading import read_refresh, read_url

# Browsers send to these, or fetch them, beside the page.
_MEMBERED = ("Report-To", "Reporting-Endpoints", "Speculation-Rules")
_MEMBERED_KEYS = frozenset(name.lower() for name in _MEMBERED)


def remove_link_hints(departing: Departing) -> None:
    """Take hints to hosts of services that are not granted out of every `Link:` header; all of the rest stays as it is."""
    if "link" not in departing.names:
        return
    _filter_links(departing, lambda url: _is_unwanted(departing, url, LeakKind.HINT_REMOVED, "Link"))


def close_link_hints(departing: Departing) -> None:
    """Take hints to any host of a service that needs consent out, unless they are only told of."""
    _filter_links(departing, lambda url: _may_be_shut(departing, url))


def remove_refresh(departing: Departing) -> None:
    """Take `Refresh:` out of the headers where it leads to the host of a service that is not granted."""
    if "refresh" not in departing.names:
        return
    _filter_refresh(departing, lambda url: _is_unwanted(departing, url, LeakKind.HEADER_REMOVED, "Refresh"))


def close_refresh(departing: Departing) -> None:
    """Take `Refresh:` out where it leads to any host of a service that needs consent, unless it is only told of."""
    _filter_refresh(departing, lambda url: _may_be_shut(departing, url))


def remove_members_elsewhere(departing: Departing) -> None:
    """Take what leads to hosts of services that are not granted out of headers on reports and speculation rules."""
    if _MEMBERED_KEYS.isdisjoint(departing.names):
        return
    _filter_members(departing, lambda name, url: _is_unwanted(departing, url, LeakKind.HEADER_REMOVED, name))


def close_members_elsewhere(departing: Departing) -> None:
    """Take what leads to any host of a service that needs consent out of them, unless it is only told of."""
    _filter_members(departing, lambda _, url: _may_be_shut(departing, url))


def _filter_members(departing: Departing, is_unwanted: Callable[[str, str], bool]) -> None:
    for name in _MEMBERED:
        values = departing.find_values(name)
        kept = [remove_members(value, partial(is_unwanted, name)) for value in values]
        if kept != values:
            departing.replace(name, filter(None, kept))


def _filter_links(departing: Departing, is_unwanted: Callable[[str], bool]) -> None:
    values = departing.find_values("Link")
    kept = [remove_hints(value, lambda hint: is_unwanted(hint.url)) for value in values]
    if kept != values:
        departing.replace("Link", filter(None, kept))


def _filter_refresh(departing: Departing, is_unwanted: Callable[[str], bool]) -> None:
    values = departing.find_values("Refresh")
    # Of several, some browsers heed one, and others read all as one.
    urls = [read_refresh(value) for value in (*values, ", ".join(values))]
    if any(map(is_unwanted, urls)):
        departing.replace("Refresh")


def _may_be_shut(departing: Departing, url: str) -> bool:
    """Whether a URL leads to the host of a service that somebody may not have granted."""
    if _is_reporting(departing):
        return False
    policy = departing.site.engine.policy
    address = read_url(url)
    owner = departing.site.hosts.find_address_owner(address, ANY_USE) if address else None
    if owner is None:
        return False
    declared = policy.services_by_key
    return not owner.is_declared or any(policy.optional_purposes_of(declared[key]) for key in owner.services)


def _is_unwanted(departing: Departing, url: str, kind: LeakKind, element: str) -> bool:
    """Whether a URL leads to what is not granted, and is to go for it; the developer is told of it in any case."""
    site = departing.site
    address = read_url(url)
    # Nobody can tell what a connection is for, so it may be for anything.
    owner = site.hosts.find_address_owner(address, ANY_USE) if address else None
    if address is None or owner is None or (owner.is_declared and is_live(departing.visit, owner.services)):
        return False
    is_reporting = _is_reporting(departing)
    told = LeakKind.MARKUP_SENT if is_reporting else kind
    departing.leaks.append(make_host_leak(site, told, address.host, owner, element=element))
    return not is_reporting


def _is_reporting(departing: Departing) -> bool:
    return departing.site.settings.auto_hold == "report"
