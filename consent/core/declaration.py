"""What a site declares once: purposes, and the services that serve them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from enum import StrEnum
from types import MappingProxyType, NoneType, UnionType
from urllib.parse import urlsplit

from consent.core.cookie_declaration import CookieDeclaration
from consent.core.declared_value import HOST, Text, as_tuple, check_types, check_url, freeze, read_member
from consent.core.embed import Embed, Parameter
from consent.errors import ConfigError

NECESSARY = "necessary"
"""The purpose that is always on."""

_KEY = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")
_COUNTRY = re.compile(r"[A-Z]{2}")


class PurposeKind(StrEnum):
    """Say what a purpose is for, as far as laws tell purposes apart."""

    STATISTICS = "statistics"
    """Counting how the site is used, to improve it; never who uses it."""

    APPEARANCE = "appearance"
    """Adapting how the site looks or works to what the visitor has set."""

    ADVERTISING = "advertising"
    """Advertising, and tracking across sites."""

    SENSITIVE = "sensitive"
    """Anything with health, faith, precise location and the like (GDPR art. 9; "sensitive data" in US laws)."""

    OTHER = "other"
    """Anything else; no law is easier on it than on the rest."""


class Basis(StrEnum):
    """Say on what legal basis a purpose rests (GDPR art. 6(1))."""

    CONSENT = "consent"
    LEGITIMATE_INTEREST = "legitimate_interest"


class ServiceKind(StrEnum):
    """Say what a tool does; each has shipped words for the visitor."""

    ANALYTICS = "analytics"
    RECORDING = "recording"
    """Heat maps, and recordings of what visitors do."""

    ADVERTISING = "advertising"
    TAG_MANAGER = "tag_manager"
    CRM = "crm"
    """Newsletters, and what keeps track of customers."""

    CHAT = "chat"
    TESTING = "testing"
    """Shows variants of a page, and measures which one works."""

    VIDEO = "video"
    AUDIO = "audio"
    MAP = "map"
    POST = "post"
    """Posts of a social network."""

    FORM = "form"
    COMMENTS = "comments"
    CALENDAR = "calendar"
    FILE = "file"
    """Documents, slides, drawings, code."""

    FONT = "font"
    CAPTCHA = "captcha"
    PAYMENT = "payment"
    ERRORS = "errors"
    """Reports of errors in the page."""

    OTHER = "other"
    """Anything else; it has no shipped words."""


class HostUse(StrEnum):
    """Say what a page gets from a host, or sends to it."""

    SCRIPT = "script"
    CONNECT = "connect"
    """What scripts fetch or send."""

    IMAGE = "image"
    FRAME = "frame"
    STYLE = "style"
    FONT = "font"
    MEDIA = "media"
    FORM = "form"
    """Where forms are posted to."""

    PAGE = "page"
    """Only linked to."""


@dataclass(frozen=True, slots=True)
class Purpose:
    """Declare why data is processed: the unit that is granted or denied, one switch.

    Empty `title` and `description` stand for the shipped words of that key.
    """

    key: str
    _: KW_ONLY
    title: Text = ""
    description: Text = ""
    kind: str = PurposeKind.OTHER
    """A value of `PurposeKind`: some places let statistics or appearance run until the visitor objects."""

    basis: str = Basis.CONSENT
    """A value of `Basis`. Where the law asks for opt-in, and so in unknown places, only consent is one: anything else is an error (L19)."""

    denied_by_gpc: bool = False
    """Whether Global Privacy Control denies it: sale, sharing, targeted advertising."""

    revision: int = 1
    """Raise it when the meaning changed so much that earlier answers no longer count."""

    def __post_init__(self) -> None:
        _check_key(self.key, what="purpose")
        where = f"purpose {self.key!r}"
        check_types(self, where, {"denied_by_gpc": bool, "revision": int})
        object.__setattr__(self, "kind", read_member(self.kind, PurposeKind, name="kind", where=where))
        object.__setattr__(self, "basis", read_member(self.basis, Basis, name="basis", where=where))
        for name in ("title", "description"):
            object.__setattr__(self, name, freeze(getattr(self, name), where=where))


@dataclass(frozen=True, slots=True)
class Service:
    """Declare a tool that serves one or more purposes.

    Raises:
        ConfigError: If a key, host, URL or parameter is malformed, something is declared twice, or it serves no purpose.
    """

    key: str
    _: KW_ONLY
    name: str
    purposes: tuple[str, ...]
    kind: str = ServiceKind.OTHER
    """A value of `ServiceKind`: its words stand where `description` is empty."""

    hosts: tuple[str, ...] = ()
    """Hosts that it contacts; `*.example.com` stands for every subdomain. Those of `hosts_by_use` are added."""

    hosts_by_use: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Hosts by what they serve, a value of `HostUse`; what is only in `hosts` may serve anything."""

    cookies: tuple[CookieDeclaration, ...] = ()
    has_unknown_storage: bool = False
    """Whether nobody could find out what it stores: without cookies declared, the cookie table says so."""

    provider: str = ""
    """The legal entity behind it."""

    provider_country: str = ""
    """ISO 3166-1 alpha-2 code of the provider's seat, in capitals; empty for not said."""

    privacy_url: str = ""
    description: Text = ""
    justification: Text = ""
    """Why the site cannot do without it; required for a service of the purpose `necessary`, and shown for no other."""

    parameters: tuple[Parameter, ...] = ()
    snippet: str = ""
    """Jinja source of the provider's markup; `parameters` and `nonce` are its variables."""

    embed: Embed | None = None
    signals: tuple[str, ...] = ()
    """Keys of the signal adapters that tell it what the visitor chose, such as `google`."""

    third_party_use: bool = False
    """Whether the provider uses the data for ends of its own: then no exemption for statistics covers it (L25)."""

    revision: int = 1
    """Raise it when the service changed so much that earlier answers no longer count."""

    def __post_init__(self) -> None:
        _check_key(self.key, what="service")
        where = f"service {self.key!r}"
        check_types(self, where, _SERVICE_TYPES)
        object.__setattr__(self, "kind", read_member(self.kind, ServiceKind, name="kind", where=where))
        object.__setattr__(self, "hosts_by_use", _freeze_hosts(self.hosts_by_use, where=where))
        for name in ("purposes", "hosts", "cookies", "parameters", "signals"):
            object.__setattr__(self, name, as_tuple(getattr(self, name), where=f"{name!r} of service {self.key!r}"))
        for name in ("name", "provider", "provider_country", "privacy_url", "description", "justification"):
            object.__setattr__(self, name, freeze(getattr(self, name), where=where))
        _check_service_parts(self)
        _check_twins(self)
        _check_purposes(self)
        _check_country(self)
        _check_hosts(self)
        # Each once, in the order in which they were named.
        named = (*self.hosts, *(host for hosts in self.hosts_by_use.values() for host in hosts))
        object.__setattr__(self, "hosts", tuple(dict.fromkeys(named)))
        _check_frame_host(self)
        if self.privacy_url:
            check_url(self.privacy_url, where=f"'privacy_url' of service {self.key!r}")

    def has_host(self, host: str) -> bool:
        """Whether a host is one of those that are declared."""
        return any(host == each or (each.startswith("*.") and host.endswith(each[1:])) for each in self.hosts)


def default_purposes() -> tuple[Purpose, ...]:
    """Return the four purposes that are shipped."""
    return (
        Purpose(NECESSARY),
        Purpose("preferences", kind=PurposeKind.APPEARANCE),
        Purpose("analytics", kind=PurposeKind.STATISTICS),
        Purpose("marketing", kind=PurposeKind.ADVERTISING, denied_by_gpc=True),
    )


def _check_key(key: str, *, what: str) -> None:
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise ConfigError(
            f"{what.capitalize()} key {key!r} is malformed. Use lower-case letters, digits, '-' and '_', "
            "beginning and ending with a letter or digit.",
            key=what,
            value=key,
        )


_SERVICE_TYPES: Mapping[str, type | UnionType] = {
    "name": str,
    "provider": str,
    "provider_country": str,
    "privacy_url": str,
    "snippet": str,
    "embed": Embed | NoneType,
    "third_party_use": bool,
    "has_unknown_storage": bool,
    "revision": int,
}


def _freeze_hosts(hosts_by_use: object, *, where: str) -> Mapping[str, tuple[str, ...]]:
    if not isinstance(hosts_by_use, Mapping):
        raise ConfigError(
            f"'hosts_by_use' of {where} must be a mapping such as {{'script': ('stats.example.com',)}}, got {hosts_by_use!r}.",
            key="hosts_by_use",
            value=hosts_by_use,
        )
    return MappingProxyType(
        {
            read_member(use, HostUse, name="hosts_by_use", where=where): _read_hosts(
                hosts, where=f"{use!r} in 'hosts_by_use' of {where}"
            )
            for use, hosts in hosts_by_use.items()
        }
    )


def _read_hosts(hosts: object, *, where: str) -> tuple[str, ...]:
    found = as_tuple(hosts, where=where)
    for host in found:
        if not isinstance(host, str):
            raise ConfigError(
                f"{where} must hold host names such as 'stats.example.com', got {host!r}.",
                key="hosts_by_use",
                value=host,
            )
    return tuple(map(str, found))


def _check_hosts(service: Service) -> None:
    for host in (*service.hosts, *(host for hosts in service.hosts_by_use.values() for host in hosts)):
        if not HOST.fullmatch(host):
            raise ConfigError(
                f"Service {service.key!r} names host {host!r}. A host is a lower-case name such as "
                "'stats.example.com' or '*.example.com', with no scheme, port or path.",
                key=service.key,
                value=host,
            )


def _check_frame_host(service: Service) -> None:
    urls = (service.embed.url, *service.embed.pasted_urls) if service.embed else ()
    for url in urls:
        host = urlsplit(url.replace("{id}", "")).hostname
        if host and not service.has_host(host):
            raise ConfigError(
                f"Service {service.key!r} embeds from {host!r}, which is not among its hosts. Add it to 'hosts': what is not "
                "declared is neither told to the visitor nor held back.",
                key=service.key,
                value=host,
            )


def _check_service_parts(service: Service) -> None:
    if not service.name.strip():
        raise ConfigError(
            f"Service {service.key!r} has an empty 'name'. Give the name that visitors know.", key=service.key
        )
    for name, kind in (("hosts", str), ("signals", str), ("cookies", CookieDeclaration), ("parameters", Parameter)):
        for part in getattr(service, name):
            if not isinstance(part, kind):
                raise ConfigError(
                    f"{name!r} of service {service.key!r} must hold {kind.__name__} objects, got {part!r}.",
                    key=service.key,
                    value=part,
                )


def _check_twins(service: Service) -> None:
    named: Mapping[str, list[object]] = {
        "cookies": [(each.name, str(each.kind), each.domain, each.path) for each in service.cookies],
        "parameters": [each.name for each in service.parameters],
        "signals": [*service.signals],
    }
    for name, found in named.items():
        for each in found:
            if found.count(each) > 1:
                twin = each[0] if isinstance(each, tuple) else each
                raise ConfigError(
                    f"{name!r} of service {service.key!r} holds {twin!r} twice. Declare it once.",
                    key=service.key,
                    value=twin,
                )


def _check_country(service: Service) -> None:
    if service.provider_country and not _COUNTRY.fullmatch(service.provider_country):
        raise ConfigError(
            f"'provider_country' of service {service.key!r} must be two capital letters (ISO 3166-1) such as 'DE', or empty, "
            f"got {service.provider_country!r}.",
            key=service.key,
            value=service.provider_country,
        )


def _check_purposes(service: Service) -> None:
    if not service.purposes:
        raise ConfigError(f"Service {service.key!r} names no purpose. Give it at least one.", key=service.key)
    for purpose in service.purposes:
        if not isinstance(purpose, str) or service.purposes.count(purpose) > 1:
            raise ConfigError(
                f"Service {service.key!r} must name each purpose once, by its key, got {service.purposes!r}.",
                key=service.key,
                value=service.purposes,
            )
