"""What a site declares once: purposes, services and the cookies they set."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from enum import StrEnum
from types import NoneType, UnionType
from typing import TypeVar

from consent.core.declared_value import Text, as_tuple, check_pattern, check_types, check_url, freeze
from consent.errors import ConfigError, quote_all

Member = TypeVar("Member", bound=StrEnum)

NECESSARY = "necessary"
"""The purpose that is always on."""

_KEY = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")
_HOST = re.compile(r"(?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)*")
# RFC 6265 section 4.1.1: a cookie-name is an HTTP token. `*` is a token character too; here it is the wildcard.
_COOKIE_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
# RFC 6265 section 4.1.1: a path-value is any character but control characters and `;`.
_COOKIE_PATH = re.compile(r"/[ -:<-~]*")
# A name such as `*` or `_*` would sweep everyone else's cookies away on withdrawal.
_MIN_LITERAL_CHARACTERS = 2


class StorageKind(StrEnum):
    """Where a service keeps something on the visitor's device."""

    COOKIE = "cookie"
    LOCAL_STORAGE = "local_storage"
    SESSION_STORAGE = "session_storage"
    INDEXED_DB = "indexed_db"


@dataclass(frozen=True, slots=True)
class CookieDeclaration:
    """Declare one cookie, or storage entry, of a service.

    Exactly one of `months`, `days`, `minutes` and `session` gives the lifetime; only storage
    of another kind than `cookie` may leave all of them out, for "until it is cleared".

    Raises:
        ConfigError: If a field is malformed.

    Source:
        CJEU C-673/17 (Planet49): the duration, and whether third parties have access, must be told.
    """

    name: str
    """Exact name, or a pattern in which `*` stands for any characters: `_ga_*`."""

    _: KW_ONLY
    months: int | None = None
    days: int | None = None
    minutes: int | None = None
    session: bool = False
    kind: str = StorageKind.COOKIE
    """A value of `StorageKind`."""

    domain: str = ""
    """The `Domain` it is set with; empty for the site's own host or any parent of it."""

    path: str = "/"
    third_party: bool = False
    """Whether it is set on the provider's host, where this site cannot clear it."""

    description: Text = ""

    def __post_init__(self) -> None:
        where = f"cookie {self.name!r}"
        check_types(self, where, {"name": str, "domain": str, "path": str, "session": bool, "third_party": bool})
        object.__setattr__(self, "description", freeze(self.description, where=where))
        _check_cookie_name(self)
        if self.domain and not _HOST.fullmatch(self.domain):
            raise ConfigError(
                f"The domain of cookie {self.name!r} must be a host name such as 'example.com', got {self.domain!r}.",
                key=self.name,
                value=self.domain,
            )
        if self.kind not in set(StorageKind):
            raise ConfigError(
                f"Cookie {self.name!r} is of kind {self.kind!r}. Allowed kinds: {quote_all(StorageKind)}.",
                key=self.name,
                value=self.kind,
            )
        _check_lifetime(self)
        if not _COOKIE_PATH.fullmatch(self.path):
            raise ConfigError(
                f"The path of cookie {self.name!r} must begin with '/', got {self.path!r}. Control characters, ';' and what is not ASCII cannot be in it.",
                key=self.name,
                value=self.path,
            )

    @property
    def is_pattern(self) -> bool:
        """Whether `name` holds a wildcard."""
        return "*" in self.name

    @property
    def is_clearable(self) -> bool:
        """Whether this site's server can expire it: a cookie of its own host or a parent of it."""
        return self.kind == StorageKind.COOKIE and not self.third_party


@dataclass(frozen=True, slots=True)
class Parameter:
    """Declare one value that a service's snippet needs, such as a measurement id.

    Raises:
        ConfigError: If the pattern does not compile or refuses its own example.
    """

    name: str
    _: KW_ONLY
    pattern: str
    """Regular expression that the whole value must match."""

    example: str
    required: bool = True

    def __post_init__(self) -> None:
        # `nonce` is what the library itself gives every snippet.
        if not self.name.isidentifier() or self.name == "nonce":
            raise ConfigError(
                f"Parameter name {self.name!r} must be a Python identifier other than 'nonce': it is written as a keyword "
                "argument of script().",
                key="parameter",
                value=self.name,
            )
        check_pattern(self.pattern, self.example, where=f"parameter {self.name!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Embed:
    """Declare how a service is embedded as a frame.

    Raises:
        ConfigError: If a URL has no `{id}` or is not http(s), or the pattern refuses its example.
    """

    url: str
    """Address of the frame; `{id}` is replaced by the percent-encoded id."""

    source_url: str
    """Address of the same content on the provider's own site, with `{id}`."""

    id_pattern: str
    id_example: str
    width: int = 560
    """Default width in CSS pixels."""

    height: int = 315
    """Default height in CSS pixels."""

    allow: str = ""
    """More of the frame's `allow` attribute (Permissions Policy); `fullscreen` is always in it."""

    def __post_init__(self) -> None:
        for url in (self.url, self.source_url):
            check_url(url, where="an embed")
            if "{id}" not in url:
                raise ConfigError(f"The embed URL {url!r} must hold '{{id}}'.", key="embed", value=url)
        check_pattern(self.id_pattern, self.id_example, where="an embed's id")


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
        object.__setattr__(self, "kind", _read_member(self.kind, PurposeKind, name="kind", where=where))
        object.__setattr__(self, "basis", _read_member(self.basis, Basis, name="basis", where=where))
        for name in ("title", "description"):
            object.__setattr__(self, name, freeze(getattr(self, name), where=where))


@dataclass(frozen=True, slots=True)
class Service:
    """Declare a tool that serves one or more purposes.

    Raises:
        ConfigError: If a key, host, URL or parameter is malformed, or it serves no purpose.
    """

    key: str
    _: KW_ONLY
    name: str
    purposes: tuple[str, ...]
    hosts: tuple[str, ...] = ()
    """Hosts that it contacts; `*.example.com` stands for every subdomain."""

    cookies: tuple[CookieDeclaration, ...] = ()
    provider: str = ""
    """The legal entity behind it."""

    provider_country: str = ""
    """ISO 3166-1 alpha-2 code of the provider's seat."""

    privacy_url: str = ""
    description: Text = ""
    justification: Text = ""
    """Why the site cannot do without it; required for a service of the purpose `necessary`."""

    parameters: tuple[Parameter, ...] = ()
    snippet: str = ""
    """Jinja source of the vendor's markup; `parameters` and `nonce` are its variables."""

    embed: Embed | None = None
    third_party_use: bool = False
    """Whether the provider uses the data for ends of its own: then no exemption for statistics covers it (L25)."""

    revision: int = 1
    """Raise it when the service changed so much that earlier answers no longer count."""

    def __post_init__(self) -> None:
        _check_key(self.key, what="service")
        where = f"service {self.key!r}"
        check_types(self, where, _SERVICE_TYPES)
        for name in ("purposes", "hosts", "cookies", "parameters"):
            object.__setattr__(self, name, as_tuple(getattr(self, name), where=f"{name!r} of service {self.key!r}"))
        for name in ("name", "provider", "provider_country", "privacy_url", "description", "justification"):
            object.__setattr__(self, name, freeze(getattr(self, name), where=where))
        _check_service_parts(self)
        _check_purposes(self)
        for host in self.hosts:
            if not _HOST.fullmatch(host):
                raise ConfigError(
                    f"Service {self.key!r} names host {host!r}. A host is a lower-case name such as "
                    "'stats.example.com' or '*.example.com', with no scheme, port or path.",
                    key=self.key,
                    value=host,
                )
        if self.privacy_url:
            check_url(self.privacy_url, where=f"'privacy_url' of service {self.key!r}")


def default_purposes() -> tuple[Purpose, ...]:
    """Return the four purposes that are shipped."""
    return (
        Purpose(NECESSARY),
        Purpose("preferences", kind=PurposeKind.APPEARANCE),
        Purpose("analytics", kind=PurposeKind.STATISTICS),
        Purpose("marketing", kind=PurposeKind.ADVERTISING, denied_by_gpc=True),
    )


def _read_member(value: object, kind: type[Member], *, name: str, where: str) -> Member:
    try:
        return kind(str(value))
    except ValueError as error:
        raise ConfigError(
            f"{name!r} of {where} must be one of {quote_all(kind)}, got {value!r}.", key=name, value=value
        ) from error


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
    "revision": int,
}


def _check_service_parts(service: Service) -> None:
    if not service.name.strip():
        raise ConfigError(
            f"Service {service.key!r} has an empty 'name'. Give the name that visitors know.", key=service.key
        )
    for name, kind in (("hosts", str), ("cookies", CookieDeclaration), ("parameters", Parameter)):
        for part in getattr(service, name):
            if not isinstance(part, kind):
                raise ConfigError(
                    f"{name!r} of service {service.key!r} must hold {kind.__name__} objects, got {part!r}.",
                    key=service.key,
                    value=part,
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


def _check_cookie_name(cookie: CookieDeclaration) -> None:
    name = cookie.name
    if cookie.kind == StorageKind.COOKIE and not _COOKIE_NAME.fullmatch(name):
        raise ConfigError(
            f"{name!r} is not a cookie name. Allowed are the characters of an HTTP token "
            "(RFC 6265 section 4.1.1), with '*' as the wildcard.",
            key=name,
            value=name,
        )
    # A storage key is exact, whatever it looks like, but not empty; a cookie's one-letter name is a name too.
    literal = name.replace("*", "")
    if not literal or ("*" in name and len(literal) < _MIN_LITERAL_CHARACTERS):
        raise ConfigError(
            f"Cookie name {name!r} matches almost every cookie, so withdrawing would delete what is not its own. "
            f"Give at least {_MIN_LITERAL_CHARACTERS} characters besides '*'.",
            key=name,
            value=name,
        )


def _check_lifetime(cookie: CookieDeclaration) -> None:
    amounts = [amount for amount in (cookie.months, cookie.days, cookie.minutes) if amount is not None]
    given = len(amounts) + cookie.session
    if given > 1 or (given == 0 and cookie.kind == StorageKind.COOKIE):
        raise ConfigError(
            f"Cookie {cookie.name!r} needs exactly one of 'months', 'days', 'minutes' and 'session=True', got {given}.",
            key=cookie.name,
            value=given,
        )
    if any(type(amount) is not int or amount < 1 for amount in amounts):
        raise ConfigError(
            f"The lifetime of cookie {cookie.name!r} must be at least 1, got {amounts[0]!r}.",
            key=cookie.name,
            value=amounts[0],
        )
