"""Hold what stands in a page outside of any gate, as far as it belongs to a service that is not granted."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from markupsafe import Markup

from consent.core.declaration import Service
from consent.core.loader import list_embed_loaders
from consent.web.foreign_markup import read_foreign_tag, refine_keys
from consent.web.foreign_tags import ForeignTag, ShutTag
from consent.web.held_block import write_block, write_reminder
from consent.web.liveness import is_live
from consent.web.markup_judge import Finding, MarkupJudge
from consent.web.placeholder import DEFAULT_HEIGHT, DEFAULT_WIDTH, Frame, render_placeholder
from consent.web.runtime import held_block_script
from consent.web.service_signals import signal_scripts
from consent.web.snippet import source_url
from consent.web.templating import styles
from consent.web.visit import Visit
from consent.wire.element_urls import TEXT, is_hint, is_import_map
from consent.wire.markup import Element
from consent.wire.markup_edit import Edit, disarm, replace_element
from consent.wire.markup_scan import Wants
from consent.wire.style_edit import blank_addresses

log = logging.getLogger("consent")

# A block in their place gives all of them back. Of others only one tag could be replaced, and what is in them would be left.
_REPLACED = frozenset({"script", "style", "iframe", "img", "link", "input", "embed", "source", "track"})
# More than any page has. Each costs as much as some pages.
_REPLACED_LIMIT = 1000
_METADATA = frozenset({"script", "style", "link"})
# They change how an element looks, not what it is.
_SIDE_ATTRIBUTES = frozenset({"style", "background", "ping", "attributionsrc"})
# Of an element that could not be judged.
_ALL_NAMES = _SIDE_ATTRIBUTES | {"src", "srcset", "imagesrcset", "data", "poster", "srcdoc", "content"}
_LENGTH = re.compile(r"\s*([0-9]{1,4})(?:px)?\s*")
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_LINKED = re.compile(r"\s*(?:https?:)?//", re.IGNORECASE)
_SMALLEST_PIXELS = 2
_LONGEST_TITLE = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class PageKind:
    """Say what kind of page it is that is edited."""

    encode: Callable[[str], bytes]
    """Puts markup of ours into the page's encoding."""

    is_reporting: bool = False
    """Whether nothing of the page is changed, and the developer only told."""

    is_utf8: bool = True
    """Whether the page says that it is UTF-8; of others only ASCII can be held, since nobody can be sure of the rest."""

    has_frameset: bool = False
    """Whether a `<frameset>` is in the page. Browsers ignore it behind an image or frame, and must go on doing so."""

    find_language: Callable[[], str] = str
    """Gives the language of the page; asked when there is something to say."""


class MarkupHolding:
    """Make the edits of one page, element by element."""

    def __init__(self, visit: Visit, kind: PageKind) -> None:
        self._visit = visit
        self._judge = MarkupJudge(visit, is_reporting=kind.is_reporting)
        self._kind = kind
        # Whether each is still to be written.
        self._reminders: dict[tuple[str, ...], bool] = {}
        self._has_spoken = False
        self._replaced = 0
        self.needs_runtime = False
        """Whether anything was held that a grant brings back."""

        self._place_at: int | None = None

    @property
    def wants(self) -> Wants:
        """What a scan is to find for it beside what loads from other hosts."""
        tags = self._visit.site.foreign_tags
        return Wants(pattern=tags.pattern) if tags else Wants()

    def edit(self, element: Element, page: bytes) -> tuple[Edit, ...]:
        """Return what is to be done about an element; nothing for one that may load. Never raises.

        Args:
            page: What the offsets of the element count in.
        """
        try:
            if self._kind.is_reporting:
                self._report(element, page)
                return ()
            edits = self._edit_foreign(element, page)
            if edits is not None:
                return edits
            open_names = frozenset(each.name for each in element.attributes if each.is_open)
            shut_keys = self._list_shut_services() if open_names else ()
            if shut_keys:
                return self._edit_open(element, page, open_names, shut_keys)
            findings = self._judge.find_shut(element, page)
            return self._edit(element, page, findings) if findings else ()
        except Exception:  # a fault of ours must cost neither the page nor the visitor's choice
            if self._kind.is_reporting:
                log.exception("A <%s> could not be judged.", element.name)
                return ()
            log.exception("A <%s> could not be judged; its addresses were taken away.", element.name)
            return disarm(element, _ALL_NAMES | ({"href"} if element.name == "link" else frozenset()))

    def take_place(self) -> int | None:
        """Return where the first edit is that other markup may stand in front of, of those since the last call; None for none."""
        place_at, self._place_at = self._place_at, None
        return place_at

    def write_front(self) -> bytes:
        """Return what must stand somewhere in the page once there are edits: the runtime, and what makes it load the page again."""
        reminders = [write_reminder(self._visit, keys) for keys, is_due in self._reminders.items() if is_due]
        self._reminders = dict.fromkeys(self._reminders, False)
        script = held_block_script(self._visit) if self.needs_runtime else ""
        return self._kind.encode("".join((script, *reminders)))

    def _report(self, element: Element, page: bytes) -> None:
        # It tells of those for other managers by itself; of these, what waits for one loads nothing here either.
        read_foreign_tag(self._visit, element, page)
        self._judge.note(element, self._judge.find_shut(element, page))

    def _list_shut_services(self) -> tuple[str, ...]:
        visit = self._visit
        return tuple(each.key for each in visit.policy.services if each.hosts and not is_live(visit, (each.key,)))

    def _edit_open(
        self, element: Element, page: bytes, open_names: frozenset[str], shut_keys: tuple[str, ...]
    ) -> tuple[Edit, ...]:
        """Return what is to be done about values that a stream cuts: what is not known of them may be of any service."""
        known = element._replace(attributes=tuple(each for each in element.attributes if not each.is_open))
        findings = self._judge.find_shut(known, page)
        self._judge.note(element, findings)
        self._speak()
        if not element.is_in_noscript:
            self._reminders.setdefault(shut_keys, True)
            self.needs_runtime = True
        return disarm(element, open_names.union(finding.attribute for finding in findings))

    def _edit(self, element: Element, page: bytes, found: tuple[Finding, ...]) -> tuple[Edit, ...]:
        self._judge.note(element, (each for each in found if each.is_left), is_sent=True)
        findings = tuple(each for each in found if not each.is_left)
        names = frozenset(finding.attribute for finding in findings)
        if names == {TEXT} and element.name == "style" and element.is_certain:
            return self._edit_style(element, page, findings)
        return self._edit_shut(element, page, findings, names) if findings else ()

    def _edit_style(self, element: Element, page: bytes, findings: tuple[Finding, ...]) -> tuple[Edit, ...]:
        """Return what is to be done about a style sheet in the page: single addresses go, and the rest of it stays."""
        edits = blank_addresses(page, element.end, element.text_end, self._judge.is_shut_in_style)
        if edits:
            self._judge.note(element, findings)
            self._speak()
            self._note_place(element)
            self._remind(element, findings)
            return edits
        declared = tuple(each for each in findings if each.owner.is_declared)
        self._judge.note(element, (each for each in findings if not each.owner.is_declared), is_sent=True)
        return self._edit_shut(element, page, declared, frozenset({TEXT})) if declared else ()

    def _edit_shut(
        self, element: Element, page: bytes, findings: tuple[Finding, ...], names: frozenset[str]
    ) -> tuple[Edit, ...]:
        self._judge.note(element, findings)
        self._speak()
        if is_hint(element):
            # After a grant it would come too late to help.
            return (replace_element(element, b""),) if element.is_certain else disarm(element, names)
        self._note_place(element)
        if self._may_replace(element) and names - _SIDE_ATTRIBUTES:
            keys = _list_keys(findings)
            if not all(finding.owner.is_declared for finding in findings):
                return self._replace(element, self._kind.encode(write_reminder(self._visit, keys)))
            held = self._write_whole(element, page, keys, findings, is_in_form=element.is_in_form)
            return self._replace(element, held)
        self._remind(element, findings)
        return self._disarm(element, page, names)

    def _may_replace(self, element: Element) -> bool:
        return element.is_certain and element.name in _REPLACED and self._replaced < _REPLACED_LIMIT

    def _note_place(self, element: Element) -> None:
        if element.is_certain and self._place_at is None:
            self._place_at = element.start

    def _remind(self, element: Element, findings: tuple[Finding, ...]) -> None:
        # What the site does not declare nobody can grant; and without scripts every choice loads the page again.
        keys = _list_keys(each for each in findings if each.owner.is_declared)
        if keys and not element.is_in_noscript:
            self._reminders.setdefault(keys, True)
            self.needs_runtime = True

    def _disarm(self, element: Element, page: bytes, names: frozenset[str]) -> tuple[Edit, ...]:
        styles = [each for each in element.attributes if each.name == "style"] if "style" in names else []
        found = [blank_addresses(page, each.name_end, each.end, self._judge.is_shut_in_style) for each in styles]
        # Of several, browsers heed the first; what is done to one is done to all.
        if not found or not all(found):
            return disarm(element, names)
        return (*disarm(element, names - {"style"}), *(edit for edits in found for edit in edits or ()))

    def _edit_foreign(self, element: Element, page: bytes) -> tuple[Edit, ...] | None:
        """Return what is to be done about a tag for another consent manager; None for one to be judged like any other."""
        tag = read_foreign_tag(self._visit, element, page)
        if isinstance(tag, ShutTag):
            self._judge.note_meaningless(element, tag.subject)
        if not isinstance(tag, ForeignTag):
            return None
        living = tag.living
        findings = self._judge.find_owned(living.element, living.markup)
        undeclared = tuple(finding for finding in findings if not finding.owner.is_declared)
        if undeclared and not tag.is_inert:
            return None
        if undeclared:
            # Nobody can grant it: what waits goes on waiting.
            self._judge.note(element, undeclared)
            return ()
        keys = refine_keys(self._visit.policy, tag.keys, (finding.owner for finding in findings))
        if not is_live(self._visit, keys):
            return self._hold_foreign(element, tag, keys, findings)
        if not tag.is_inert:
            return None
        signals = signal_scripts(self._visit, keys, is_held=False) if element.name == "script" else ""
        return (replace_element(element, self._kind.encode(signals) + living.markup),)

    def _hold_foreign(
        self, element: Element, tag: ForeignTag, keys: tuple[str, ...], findings: tuple[Finding, ...]
    ) -> tuple[Edit, ...]:
        self._speak()
        self.needs_runtime = True
        self._note_place(element)
        living = tag.living
        if element.is_certain and living.element.name in _REPLACED and self._replaced < _REPLACED_LIMIT:
            held = self._write_whole(living.element, living.markup, keys, findings, is_in_form=element.is_in_form)
            return self._replace(element, tag.front + held)
        self._reminders.setdefault(keys, True)
        # One that waits needs nothing but a page load; an edit says that there is something to load it for.
        return (Edit(element.start, element.start, b""),) if tag.is_inert else disarm(element, _ALL_NAMES)

    def _replace(self, element: Element, text: bytes) -> tuple[Edit, ...]:
        # It counts as content, as most elements do and blocks do not, and shows nothing.
        self._replaced += 1
        rest = b"<wbr>" if self._kind.has_frameset and element.name not in _METADATA else b""
        return (replace_element(element, text + rest),)

    def _write_whole(
        self, element: Element, page: bytes, keys: tuple[str, ...], findings: tuple[Finding, ...], *, is_in_form: bool
    ) -> bytes:
        """Return what stands in the place of an element until its keys are granted."""
        self.needs_runtime = True
        held = self._write_held(element, page, keys)
        # A form within a form would end the outer one.
        if findings and len(keys) == 1 and _is_visible_frame(element) and not is_in_form:
            held = self._write_placeholder(element, findings[0], held)
        return self._kind.encode(held)

    def _speak(self) -> None:
        """Take the page's own language, before the first word or the runtime's texts."""
        if not self._has_spoken:
            self._has_spoken = True
            language = self._kind.find_language()
            if language:
                self._visit.speak_like_page(language)

    def _write_held(self, element: Element, page: bytes, keys: tuple[str, ...]) -> Markup:
        visit = self._visit
        markup = self._decode(page[element.start : element.element_end])
        is_script = element.name == "script"
        # The runtime gives every script that it runs the page's nonce: only one that has it may be among them.
        is_stranger = is_script and visit.nonce and element.find("nonce") != visit.nonce
        if markup is None or is_stranger or is_import_map(element):
            return write_reminder(visit, keys)
        signals = signal_scripts(visit, keys, is_held=True) if is_script else ""
        return write_block(visit, keys, f"{signals}{markup}")

    def _decode(self, markup: bytes) -> str | None:
        try:
            return markup.decode("utf-8" if self._kind.is_utf8 else "ascii")
        except UnicodeDecodeError:
            return None

    def _write_placeholder(self, element: Element, finding: Finding, held: Markup) -> Markup:
        visit = self._visit
        service = visit.policy.services_by_key[finding.owner.services[0]]
        try:
            return styles(visit) + render_placeholder(visit, service, _describe_frame(element, finding, service), held)
        except Exception:  # a template of the site's own, or one that a stream cannot render: the frame stays held
            log.exception("The placeholder of %r could not be rendered; its frame is held without one.", service.key)
            return held


def _list_keys(findings: Iterable[Finding]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(key for finding in findings for key in finding.owner.services))


def _describe_frame(element: Element, finding: Finding, service: Service) -> Frame:
    embed = service.embed
    source = element.find("src") or ""
    is_source = finding.attribute == "src" and _LINKED.match(source)
    loaders = list_embed_loaders(service.key, embed) if embed and is_source else ()
    found = next(filter(None, (loader.find_id(finding.address) for loader in loaders)), "")
    embed_id = found if embed and embed.takes(found) else None
    return Frame(
        embed_id=embed_id,
        title=(element.find("title") or "").strip()[:_LONGEST_TITLE],
        source_url=source_url(embed, embed_id) if embed and embed_id else source.strip() if is_source else None,
        width=_read_length(element, "width") or (embed.width if embed else DEFAULT_WIDTH),
        height=_read_length(element, "height") or (embed.height if embed else DEFAULT_HEIGHT),
    )


def _is_visible_frame(element: Element) -> bool:
    lengths = [_read_length(element, name) for name in ("width", "height")]
    is_tiny = any(length is not None and length < _SMALLEST_PIXELS for length in lengths)
    is_hidden = element.find("hidden") is not None or _HIDDEN.search(element.find("style") or "")
    return element.name == "iframe" and not is_tiny and not is_hidden


def _read_length(element: Element, name: str) -> int | None:
    match = _LENGTH.fullmatch(element.find(name) or "")
    return int(match[1]) if match else None
