"""Whether what an element loads may load for this visitor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from flask import has_request_context, request

from consent.core.host_table import HostOwner
from consent.core.leak import Leak, LeakKind
from consent.core.loader import Address
from consent.web.host_leak import make_host_leak
from consent.web.liveness import is_live
from consent.web.visit import Visit
from consent.wire.element_urls import is_hint
from consent.wire.loaded_urls import list_loaded
from consent.wire.markup import Element
from consent.wire.url_reading import read_url


@dataclass(frozen=True, slots=True)
class Finding:
    """Hold one address of an element that may not load."""

    address: Address
    owner: HostOwner
    attribute: str
    """Name of the attribute that it is in, `TEXT` for what is between the tags, `SRCDOC` for a document in an attribute."""


class MarkupJudge:
    """Judge the elements of one page.

    Nothing is asked of the visit before an element of somebody's comes up, so that a page without one is the same for everyone.

    Args:
        is_reporting: Whether what may not load does so all the same, and is only told.
    """

    def __init__(self, visit: Visit, *, is_reporting: bool = False) -> None:
        self._visit = visit
        self._is_reporting = is_reporting
        self._hosts = visit.site.hosts
        self._shut: dict[HostOwner, bool] = {}
        # Noted now, while there is a request: a stream may be read after it.
        rule = request.url_rule if has_request_context() else None
        self._page = rule.rule if rule else ""
        self._endpoint = (request.endpoint or "") if has_request_context() else ""

    def find_shut(self, element: Element, page: bytes) -> tuple[Finding, ...]:
        """Return the addresses of an element that may not load; none if all may.

        Args:
            page: What the offsets of the element count in.
        """
        return tuple(each for each in self._list_owned(element, page) if self._is_shut(each.owner))

    def find_owned(self, element: Element, page: bytes) -> tuple[Finding, ...]:
        """Return the addresses of an element that belong to somebody, whether they may load or not."""
        return tuple(self._list_owned(element, page))

    def note_meaningless(self, element: Element, subject: str) -> None:
        """Tell the developer of a tag for another consent manager that stays as it is."""
        self._visit.site.leaks.note(
            Leak(
                kind=LeakKind.MARKUP_UNDECLARED,
                subject=subject,
                element=element.name,
                page=self._page,
                endpoint=self._endpoint,
            )
        )

    def note(self, element: Element, findings: Iterable[Finding]) -> None:
        """Tell the developer of markup that no gate was around."""
        site = self._visit.site
        for finding in findings:
            leak = make_host_leak(
                site,
                self._find_kind(element, finding.owner),
                finding.address.host,
                finding.owner,
                element=element.name,
                page=self._page,
                endpoint=self._endpoint,
            )
            site.leaks.note(leak)

    def _find_kind(self, element: Element, owner: HostOwner) -> LeakKind:
        if self._is_reporting:
            return LeakKind.MARKUP_SENT
        if not owner.is_declared:
            return LeakKind.MARKUP_UNDECLARED
        return LeakKind.HINT_REMOVED if is_hint(element) else LeakKind.MARKUP_HELD

    def _list_owned(self, element: Element, page: bytes) -> Iterator[Finding]:
        for found in list_loaded(element, page):
            address = read_url(found.url)
            owner = self._hosts.find_address_owner(address, found.use, is_strict=found.is_text) if address else None
            if address and owner:
                yield Finding(address, owner, found.attribute)

    def _is_shut(self, owner: HostOwner) -> bool:
        shut = self._shut.get(owner)
        if shut is None:
            shut = self._shut[owner] = not (owner.is_declared and is_live(self._visit, owner.services))
        return shut
