"""Whose a URL is that stands in a page."""

from __future__ import annotations

from consent.core.declaration import HostUse
from consent.core.host_table import ANY_USE, HostOwner, HostTable
from consent.core.loader import Address
from consent.wire.element_urls import ElementUrl


def find_url_owner(hosts: HostTable, found: ElementUrl, address: Address) -> HostOwner | None:
    """Return whose it is; None for nobody's that is known, and for the site's own.

    In the text of a script only those count that are known for what they seem to be loaded for there: a host that somebody has
    scripts from, or any host of theirs where it is loaded at once.

    Args:
        address: What the URL says.
    """
    if not found.is_text:
        return hosts.find_address_owner(address, found.use)
    uses = (HostUse.SCRIPT,) if found.use == HostUse.SCRIPT else (HostUse.SCRIPT, found.use, ANY_USE)
    owners = (hosts.find_address_owner(address, use, is_strict=True) for use in uses)
    return next((owner for owner in owners if owner), None)
