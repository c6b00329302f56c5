"""Markup that is written for another consent manager, so that templates need not be re-tagged: `CONSENT_FOREIGN_TAGS`.

What a tag's category means here is worked out once, when the app starts. What means nothing here stays as it is, inert.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from html import escape

from consent.core.policy import Policy
from consent.errors import ConfigError, order_by_likeness, quote_all
from consent.web.foreign_names import LOADERS, NAMES, WORDS, fold, normalise
from consent.web.settings import Settings
from consent.web.snippet import render_frame
from consent.wire.foreign_frame import ForeignFrame, empty_placeholder, read_frame
from consent.wire.foreign_tag import ForeignMark, LivingTag, Manager, read_mark, revive
from consent.wire.markup import Element
from consent.wire.markup_scan import scan

_SETTING = "CONSENT_FOREIGN_TAGS"
_LONGEST_TOLD = 80
_LIFELESS = (
    "its address is neither http(s) nor the site's own, its type is no script's, or it stands where no tag can come to life, "
    "such as in <noscript>, <template> or <svg>, or is too long for a stream. Write it without what was added for the manager, in a gate."
)
_JOB = re.compile(rb"""tarteaucitron\.job\b[^;"']{0,80}\.push\(\s*+["']([\w-]{1,60})["']""")


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignTag:
    """Hold a tag that is written for another manager as it would be written for nobody."""

    keys: tuple[str, ...]
    """Purposes and services that all must be granted."""

    living: LivingTag
    """What it is once they are. What stands in front of the element in its markup is there in any case."""

    is_inert: bool
    """Whether it does nothing as it stands, so that it needs an edit to come to life and none to be held."""

    @property
    def front(self) -> bytes:
        """What stands in front of the element, held or live: the element around a frame."""
        return self.living.markup[: self.living.element.start] if self.is_inert else b""


@dataclass(frozen=True, slots=True)
class ShutTag:
    """Hold why a tag that is written for another manager stays as it is, whatever is granted."""

    manager: Manager
    subject: str
    """The category or service that means nothing here, or the name of what is wrong."""

    trouble: str
    """The rest of a sentence for the developer."""


class ForeignTags:
    """Read tags by the settings of one site.

    Args:
        policy: Names the keys, and has the services whose frames can be written.
        names: Keys of the policy by manager, and by the name of a category or service in the form that `normalise` gives.
    """

    def __init__(self, policy: Policy, names: Mapping[Manager, Mapping[str, str]]) -> None:
        self._policy = policy
        self._names = names
        self._words = tuple(word for manager in names for word in WORDS[manager])
        self.pattern = re.compile(b"|".join(map(re.escape, self._words)))
        """Finds every tag that may be one of theirs."""

    def may_be_in(self, page: bytes) -> bool:
        """Whether a page may have such a tag; most have none. Quicker than the pattern."""
        return any(word in page for word in self._words)

    def read(
        self, element: Element, page: bytes, *, site_host: str, find_nonce: Callable[[], str]
    ) -> ForeignTag | ShutTag | None:
        """Return what a tag says; None for one that is written for none of the managers.

        Args:
            page: What the offsets of the element count in.
            site_host: Host name that the page is reached by.
            find_nonce: Gives the page's own nonce; empty for none.
        """
        for manager in self._names:
            mark = read_mark(element, manager)
            if mark is not None:
                return self._read_tag(element, page, mark, find_nonce)
            frame = read_frame(element, manager)
            if frame is not None and element.is_certain:
                return self._read_frame(element, page, frame, site_host)
        return None

    def find_loader(self, element: Element) -> Manager | None:
        """Return the manager whose own script an element loads, if it is one of those that tags are read for."""
        source = element.find("src") if element.name == "script" else None
        return next((each for each in self._names if source and LOADERS[each].search(source)), None)

    def find_jobs(self, page: bytes) -> Iterator[tuple[str, str | None]]:
        """Find what scripts in a page would have tarteaucitron load: name there, and key of the policy or None."""
        if Manager.TARTEAUCITRON in self._names and b"tarteaucitron.job" in page:
            for job in _JOB.finditer(page):
                name = job[1].decode("ascii")
                yield name, self._find_key(Manager.TARTEAUCITRON, (name,))

    def _read_tag(
        self, element: Element, page: bytes, mark: ForeignMark, find_nonce: Callable[[], str]
    ) -> ForeignTag | ShutTag:
        found = [(names, self._find_key(mark.manager, names)) for names in mark.categories]
        unknown = next((names[0] for names, key in found if key is None), None)
        if unknown is not None:
            return _shut_unknown(mark.manager, unknown)
        keys = tuple(dict.fromkeys(key for _, key in found if key))
        if not mark.is_inert:
            return ForeignTag(keys=keys, living=LivingTag(element, page), is_inert=False)
        living = revive(element, page, mark.manager) if element.is_certain else None
        if living is None:
            return ShutTag(mark.manager, element.name, _LIFELESS)
        # The runtime, and a policy of the page, would trust it as the page's own.
        if element.name == "script" and find_nonce() not in ("", element.find("nonce")):
            return ShutTag(
                mark.manager, "nonce", "it has not the nonce of the page. Write nonce=… as in other scripts."
            )
        return ForeignTag(keys=keys, living=living, is_inert=True)

    def _read_frame(self, element: Element, page: bytes, frame: ForeignFrame, site_host: str) -> ForeignTag | ShutTag:
        key = self._find_key(frame.manager, (frame.service,))
        if key is None:
            return _shut_unknown(frame.manager, frame.service)
        written = self._write_frame(key, frame, site_host)
        # Character references are read alike in every encoding.
        markup = empty_placeholder(element, page) + written.encode("ascii", "xmlcharrefreplace")
        living = next((each for each in scan(markup) if each.name == "iframe"), None) if written else None
        if living is None:
            return ShutTag(frame.manager, frame.service[:_LONGEST_TOLD], f"{key!r} has no frame for what it names.")
        return ForeignTag(keys=(key,), living=LivingTag(living, markup), is_inert=True)

    def _write_frame(self, key: str, frame: ForeignFrame, site_host: str) -> str:
        service = self._policy.services_by_key.get(key)
        name = service.name if service else ""
        if frame.address:
            return _write_address_frame(frame, title=frame.title or name or frame.service)
        if service is None or service.embed is None or not service.embed.takes(frame.embed_id):
            return ""
        return render_frame(
            service.embed,
            frame.embed_id,
            title=frame.title or name,
            width=frame.width or service.embed.width,
            height=frame.height or service.embed.height,
            site_host=site_host,
        )

    def _find_key(self, manager: Manager, names: Iterable[str]) -> str | None:
        known = self._names[manager]
        found = (known.get(normalise(manager, name)) or self._find_own_key(manager, name) for name in names)
        return next((key for key in found if key is not None), None)

    def _find_own_key(self, manager: Manager, name: str) -> str | None:
        """Return the key that a name of the site's own choice is, such as `Google Analytics` for `google-analytics`."""
        if manager in (Manager.COOKIEBOT, Manager.ONETRUST) or name.startswith("!"):
            return None
        return next((key for key in self._policy.keys if fold(key) == fold(name)), None)


def build_foreign_tags(policy: Policy, settings: Settings) -> ForeignTags | None:
    """Return the reader of one site; None if it names no manager.

    Raises:
        ConfigError: If the setting names a manager that is not understood, or a category without a name.
        UnknownKeyError: If it maps to a key that the policy does not declare.
    """
    names: dict[Manager, Mapping[str, str]] = {}
    for name, given in settings.foreign_tags.items():
        manager = _find_manager(name)
        shipped = {category: key for category, key in NAMES[manager].items() if key in policy.keys}
        names[manager] = shipped | dict(_read_names(manager, given, policy))
    return ForeignTags(policy, names) if names else None


def _find_manager(name: object) -> Manager:
    if name not in list(Manager):
        raise ConfigError(
            f"{_SETTING!r} names the consent manager {name!r}, whose tags are not understood. Understood are, the closest first: "
            f"{quote_all(order_by_likeness(str(name), Manager))}. Use one of them, or put the tags into gates.",
            key=_SETTING,
            value=name,
        )
    return Manager(str(name))


def _read_names(manager: Manager, given: Mapping[str, str], policy: Policy) -> Iterator[tuple[str, str]]:
    for name, key in given.items():
        if not isinstance(name, str) or not name.strip():
            raise ConfigError(
                f"{_SETTING}[{str(manager)!r}] must have categories or services of {manager} as its keys, got {name!r}. Write the "
                "name that the tags have.",
                key=_SETTING,
                value=name,
            )
        policy.check_key(key, where=f"{_SETTING}[{str(manager)!r}][{name!r}]")
        yield normalise(manager, name), key


def _shut_unknown(manager: Manager, name: str) -> ShutTag:
    # Whoever wrote the tag chose it, and it is to be told of.
    name = name[:_LONGEST_TOLD]
    if name.startswith("!"):
        trouble = f"{name!r} is to run when it is refused, and nothing runs on a refusal here. Remove it."
    else:
        trouble = f"{name!r} means nothing here. Say in {_SETTING}[{str(manager)!r}] which purpose or service it is."
    return ShutTag(manager, name, trouble)


def _write_address_frame(frame: ForeignFrame, *, title: str) -> str:
    size = "".join(
        f' {name}="{value}"' for name, value in (("width", frame.width), ("height", frame.height)) if value is not None
    )
    return f'<iframe src="{escape(frame.address)}" title="{escape(title)}"{size} loading="lazy" allow="fullscreen"></iframe>'
