"""What becomes, in the page of a visitor, of markup that is written for another consent manager."""

from __future__ import annotations

from consent.core.leak import Leak, LeakKind
from consent.web.foreign_tags import ForeignTag, ForeignTags
from consent.web.visit import Visit
from consent.wire.markup import Element


def read_foreign_tag(visit: Visit, element: Element, page: bytes) -> ForeignTag | None:
    """Return what is to become of a tag in the page of a visitor, and tell the developer what becomes of none.

    Returns:
        None for a tag that stays as it is: judge it like any other.
    """
    tags = visit.site.foreign_tags
    if tags is None:
        return None
    _warn_of_remains(visit, tags, element, page)
    tag = tags.read(element, page, site_host=visit.site_host, find_nonce=lambda: visit.nonce)
    if tag is None or tag.keys:
        return tag
    visit.site.leaks.note(Leak(kind=LeakKind.MARKUP_UNDECLARED, subject=tag.subject, element=element.name))
    visit.site.warn_once(
        f"foreign {tag.manager} {element.name} {tag.subject}",
        "A <%s> that is tagged for %s stays as it is: %s",
        element.name,
        tag.manager,
        tag.trouble,
    )
    return None


def _warn_of_remains(visit: Visit, tags: ForeignTags, element: Element, page: bytes) -> None:
    loader = tags.find_loader(element)
    if loader is not None:
        visit.site.warn_once(
            f"foreign {loader} loader",
            "%r still loads %s, which would ask visitors as well. Remove it; its tags are understood without it.",
            element.find("src"),
            loader,
        )
    for name, key in tags.find_jobs(element, page):
        advice = (
            f"Write {{{{ script({key!r}, …) }}}} or gate({key!r}) in its place" if key else "Put its tag into a gate"
        )
        visit.site.warn_once(
            f"foreign job {name}",
            "A script hands %r to tarteaucitron, which loads nothing without its own script. %s, and remove it.",
            name,
            advice,
        )
