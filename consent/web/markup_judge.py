"""Whether what an element loads may load for this visitor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import unescape

from flask import has_request_context, request

from consent.core.host_table import ANY_USE, HostOwner
from consent.core.leak import Leak, LeakKind
from consent.core.loader import Address
from consent.web.host_leak import make_host_leak
from consent.web.liveness import is_live
from consent.web.visit import Visit
from consent.wire.element_urls import ElementUrl, is_hint, list_urls
from consent.wire.markup import Element
from consent.wire.markup_scan import scan
from consent.wire.url_reading import find_urls_in_script, read_url

SRCDOC = "srcdoc"
# A document within a document within a document: nobody writes more. Below, every address counts.
_DEPTH_LIMIT = 3


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
        return tuple(self._find(element, page, depth=0))

    def find_owned(self, element: Element, page: bytes) -> tuple[Finding, ...]:
        """Return the addresses of an element that belong to somebody, whether they may load or not."""
        text = page[element.end : element.text_end].decode("utf-8", "replace")
        if "&" in text and not element.is_certain:
            # In svg it is no raw text.
            text = f"{text}\n{unescape(text)}"
        return tuple(filter(None, map(self._find_owner, list_urls(element, text))))

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

    def _find(self, element: Element, page: bytes, *, depth: int) -> Iterator[Finding]:
        text = page[element.end : element.text_end].decode("utf-8", "replace")
        if "&" in text and not element.is_certain:
            # In svg it is no raw text.
            text = f"{text}\n{unescape(text)}"
        for found in list_urls(element, text):
            finding = self._judge(found)
            if finding:
                yield finding
        for attribute in element.attributes:
            if attribute.name == SRCDOC:
                yield from self._look_into(attribute.value, depth=depth)

    def _judge(self, found: ElementUrl) -> Finding | None:
        finding = self._find_owner(found)
        return finding if finding and self._is_shut(finding.owner) else None

    def _find_owner(self, found: ElementUrl) -> Finding | None:
        address = read_url(found.url)
        owner = self._hosts.find_address_owner(address, found.use, is_strict=found.is_text) if address else None
        return Finding(address, owner, found.attribute) if address and owner else None

    def _look_into(self, document: str, *, depth: int) -> Iterator[Finding]:
        if depth == _DEPTH_LIMIT:
            found = (self._judge(ElementUrl(url, ANY_USE, SRCDOC)) for url in find_urls_in_script(document))
            yield from filter(None, found)
            return
        page = document.encode("utf-8", "replace")
        for element in scan(page):
            for finding in self._find(element, page, depth=depth + 1):
                yield Finding(finding.address, finding.owner, SRCDOC)

    def _is_shut(self, owner: HostOwner) -> bool:
        shut = self._shut.get(owner)
        if shut is None:
            shut = self._shut[owner] = not (owner.is_declared and is_live(self._visit, owner.services))
        return shut
