"""What a service keeps on the visitor's device: one cookie, or one entry of the browser's storage."""

from __future__ import annotations

import re
from dataclasses import KW_ONLY, dataclass
from enum import StrEnum

from consent.core.declared_value import HOST, Text, check_types, freeze, read_member
from consent.errors import ConfigError, quote_all

# RFC 6265 section 4.1.1: a cookie-name is an HTTP token. `*` is a token character too; here it is the wildcard.
_COOKIE_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
# RFC 6265 section 4.1.1: a path-value is any character but control characters and `;`.
_COOKIE_PATH = re.compile(r"/[ -:<-~]*")
# A name such as `*` or `__*` would sweep everyone else's cookies away on withdrawal.
_MIN_LITERAL_CHARACTERS = 2
# A browser gives these beginnings a meaning (RFC 6265bis section 4.1.3), so they are anybody's.
_PREFIXES = ("__Host-", "__Secure-")


class StorageKind(StrEnum):
    """Where a service keeps something on the visitor's device."""

    COOKIE = "cookie"
    LOCAL_STORAGE = "local_storage"
    SESSION_STORAGE = "session_storage"
    INDEXED_DB = "indexed_db"


class CookieUse(StrEnum):
    """Say what a cookie is for; each has shipped words for the visitor."""

    VISITOR = "visitor"
    VISIT = "visit"
    ADVERTISING = "advertising"
    CLICK = "click"
    """Remembers the advertisement that led here."""

    SOURCE = "source"
    """Remembers how the visitor came here."""

    TESTING = "testing"
    SETTINGS = "settings"
    LOGIN = "login"
    SECURITY = "security"
    LOAD = "load"
    """Spreads requests over servers."""

    CONSENT = "consent"
    CHAT = "chat"
    RECORDING = "recording"
    LIMIT = "limit"
    """Limits how often something is shown or measured."""

    PAYMENT = "payment"
    UNKNOWN = "unknown"
    """What it is for is not published."""

    OTHER = "other"
    """Anything else; it has no shipped words."""


@dataclass(frozen=True, slots=True)
class CookieDeclaration:
    """Declare one cookie, or storage entry, of a service.

    Exactly one of `months`, `days`, `minutes`, `session` and `unpublished` gives the lifetime; only
    storage of another kind than `cookie` may leave all of them out, for "until it is cleared".

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
    unpublished: bool = False
    """Whether the provider tells nobody how long it stays; the visitor is told just that."""

    kind: str = StorageKind.COOKIE
    """A value of `StorageKind`."""

    domain: str = ""
    """The `Domain` it is set with; empty for the site's own host or any parent of it."""

    path: str = "/"
    third_party: bool = False
    """Whether it is set on the provider's host, where this site cannot clear it."""

    use: str = CookieUse.OTHER
    """A value of `CookieUse`: its words stand where `description` is empty."""

    description: Text = ""

    def __post_init__(self) -> None:
        where = f"cookie {self.name!r}"
        check_types(
            self,
            where,
            {"name": str, "domain": str, "path": str, "session": bool, "unpublished": bool, "third_party": bool},
        )
        object.__setattr__(self, "description", freeze(self.description, where=where))
        object.__setattr__(self, "use", read_member(self.use, CookieUse, name="use", where=where))
        _check_cookie_name(self)
        if self.domain and not HOST.fullmatch(self.domain):
            raise ConfigError(
                f"The domain of cookie {self.name!r} must be a host name such as 'example.com', got {self.domain!r}.",
                key=self.name,
                value=self.domain,
            )
        if self.kind not in tuple(StorageKind):
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


def spell_name(name: str, *, any_character: str = ".") -> str:
    """Return the regular expression of a declared name.

    Each part between two wildcards is looked for once, the nearest: whatever a visitor sends, nothing is tried again.

    Args:
        any_character: Expression of what one character under a wildcard may be.
    """
    first, *rest = map(re.escape, name.split("*"))
    if not rest:
        return first
    between = "".join(f"(?>{any_character}*?{part})" for part in rest[:-1] if part)
    return f"{first}{between}{any_character}*{rest[-1]}"


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
    if not name or ("*" in name and _is_sweeping(name)):
        raise ConfigError(
            f"Cookie name {name!r} matches almost every cookie, so withdrawing would delete what is not its own. "
            f"Give at least {_MIN_LITERAL_CHARACTERS} letters or digits besides '*' and a prefix such as '__Host-'.",
            key=name,
            value=name,
        )


def _is_sweeping(name: str) -> bool:
    pattern = re.compile(spell_name(name))
    # No name holds a NUL: what takes one behind a prefix takes anything there.
    takes_prefixed = any(pattern.fullmatch(f"{prefix}\0") for prefix in _PREFIXES)
    literal = name
    for prefix in _PREFIXES:
        literal = literal.removeprefix(prefix)
    return takes_prefixed or sum(map(str.isalnum, literal)) < _MIN_LITERAL_CHARACTERS


def _check_lifetime(cookie: CookieDeclaration) -> None:
    amounts = [amount for amount in (cookie.months, cookie.days, cookie.minutes) if amount is not None]
    given = len(amounts) + cookie.session + cookie.unpublished
    if given > 1 or (given == 0 and cookie.kind == StorageKind.COOKIE):
        raise ConfigError(
            f"Cookie {cookie.name!r} needs exactly one of 'months', 'days', 'minutes', 'session=True' and 'unpublished=True', got {given}.",
            key=cookie.name,
            value=given,
        )
    if any(type(amount) is not int or amount < 1 for amount in amounts):
        raise ConfigError(
            f"The lifetime of cookie {cookie.name!r} must be at least 1, got {amounts[0]!r}.",
            key=cookie.name,
            value=amounts[0],
        )
