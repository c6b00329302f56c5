"""Whether what an element loads may load for this visitor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from flask import has_request_context, request

from consent.core.host_table import ANY_USE, HostOwner
from consent.core.leak import Leak, LeakKind
from consent.core.loader import Address
from consent.web.host_leak import make_host_leak
from consent.web.liveness import is_live
from consent.web.url_owner import find_url_owner
from consent.web.visit import Visit
from consent.wire.element_urls import ElementUrl, is_hint, list_with_inner
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

    is_guess: bool = False
    """Whether it was found in a script, which may never load it."""

    @property
    def is_left(self) -> bool:
        """Whether it is only told of: nobody could grant it, and for a guess no script of the site's own is to be lost for good."""
        return self.is_guess and not self.owner.is_declared


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
        self._noted: set[tuple[str, LeakKind, str, HostOwner]] = set()
        # Noted now, while there is a request: a stream may be read after it.
        rule = request.url_rule if has_request_context() else None
        self._page = rule.rule if rule else ""
        self._endpoint = (request.endpoint or "") if has_request_context() else ""

    def find_shut(self, element: Element, page: bytes) -> tuple[Finding, ...]:
        """Return the addresses of an element that may not load, one for each host and attribute; none if all may.

        Args:
            page: What the offsets of the element count in.
        """
        found: dict[tuple[str, HostOwner, str], Finding] = {}
        for each in self._list_owned(element, page):
            if self._is_shut(each.owner):
                found.setdefault((each.address.host, each.owner, each.attribute), each)
        return tuple(found.values())

    def find_owned(self, element: Element, page: bytes) -> tuple[Finding, ...]:
        """Return the addresses of an element that belong to somebody, whether they may load or not."""
        return tuple(self._list_owned(element, page))

    def is_shut_in_style(self, url: str) -> bool:
        """Whether a URL in a style may not load."""
        owned = filter(None, map(self._find_owner, list_with_inner(url, ANY_USE, "style")))
        return any(self._is_shut(each.owner) for each in owned)

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

    def note(self, element: Element, findings: Iterable[Finding], *, is_sent: bool = False) -> None:
        """Tell the developer of markup that no gate was around, of each host once a page.

        Args:
            is_sent: Whether it is live all the same.
        """
        site = self._visit.site
        held = LeakKind.HINT_REMOVED if is_hint(element) else LeakKind.MARKUP_HELD
        for finding in findings:
            kind = held if finding.owner.is_declared else LeakKind.MARKUP_UNDECLARED
            if is_sent or self._is_reporting:
                kind = LeakKind.MARKUP_SENT
            told = (element.name, kind, finding.address.host, finding.owner)
            if told in self._noted:
                continue
            self._noted.add(told)
            leak = make_host_leak(
                site,
                kind,
                finding.address.host,
                finding.owner,
                element=element.name,
                page=self._page,
                endpoint=self._endpoint,
            )
            site.leaks.note(leak)

    def _list_owned(self, element: Element, page: bytes) -> Iterator[Finding]:
        return filter(None, map(self._find_owner, list_loaded(element, page)))

    def _find_owner(self, found: ElementUrl) -> Finding | None:
        address = read_url(found.url)
        owner = find_url_owner(self._hosts, found, address) if address else None
        return Finding(address, owner, found.attribute, found.is_text) if address and owner else None

    def _is_shut(self, owner: HostOwner) -> bool:
        shut = self._shut.get(owner)
        if shut is None:
            shut = self._shut[owner] = not (owner.is_declared and is_live(self._visit, owner.services))
        return shut
