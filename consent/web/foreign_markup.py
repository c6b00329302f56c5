"""What becomes, in the page of a visitor, of markup that is written for another consent manager."""

from __future__ import annotations

from collections.abc import Iterable

from consent.core.host_table import HostOwner
from consent.core.policy import Policy
from consent.web.foreign_tags import ForeignTag, ShutTag
from consent.web.visit import Visit
from consent.wire.markup import Element

# Texts that visitors write may be in the page, and name whatever they like.
_WARNINGS_LIMIT = 1024
_LONGEST_TOLD = 200


def read_foreign_tag(visit: Visit, element: Element, page: bytes) -> ForeignTag | ShutTag | None:
    """Return what a tag in the page of a visitor says to another manager, and tell the developer of what means nothing here.

    Returns:
        None for a tag that is written for none of them.
    """
    tags = visit.site.foreign_tags
    if tags is None:
        return None
    loader = tags.find_loader(element)
    if loader is not None:
        _warn(
            visit,
            f"foreign {loader} loader",
            "%r still loads %s, which would ask visitors as well. Remove it; its tags are understood without it.",
            (element.find("src") or "")[:_LONGEST_TOLD],
            str(loader),
        )
    tag = tags.read(element, page, site_host=visit.site_host, find_nonce=lambda: visit.nonce)
    if isinstance(tag, ShutTag):
        _warn(
            visit,
            f"foreign {tag.manager} {element.name} {tag.subject}",
            "A <%s> that is written for %s stays as it is: %s",
            element.name,
            str(tag.manager),
            tag.trouble,
        )
    return tag


def refine_keys(policy: Policy, keys: Iterable[str], owners: Iterable[HostOwner]) -> tuple[str, ...]:
    """Return what must be granted, with declared services that the markup loads in the place of purposes that they serve.

    A visitor may refuse one service of a purpose that is granted, or allow one of a purpose that is not.
    """
    services = tuple(dict.fromkeys(key for owner in owners for key in owner.services))
    served = {purpose for key in services for purpose in policy.services_by_key[key].purposes}
    return (*services, *(key for key in keys if key not in served and key not in services))


def warn_of_jobs(visit: Visit, page: bytes) -> None:
    """Tell the developer of scripts that hand services to tarteaucitron: without it they load nothing."""
    tags = visit.site.foreign_tags
    for name, key in tags.find_jobs(page) if tags else ():
        advice = f"Write {{{{ script({key!r}, …) }}}} or gate({key!r})" if key else "Put its own tag into a gate"
        _warn(
            visit,
            f"foreign job {name}",
            "A script hands %r to tarteaucitron, which loads nothing without its own script. %s in its place.",
            name,
            advice,
        )


def _warn(visit: Visit, name: str, message: str, *arguments: object) -> None:
    if len(visit.site.warned) < _WARNINGS_LIMIT:
        visit.site.warn_once(name, message, *arguments)
