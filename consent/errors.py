"""The exceptions of the library: one tree, with the evidence as attributes."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = [
    "BadSignature",
    "ConfigError",
    "ConsentError",
    "CookieError",
    "Expired",
    "LedgerError",
    "MissingExtraError",
    "ProofError",
    "RecordError",
    "SetupError",
    "SubmissionError",
    "UnknownKeyError",
    "UnsupportedFormat",
]


class ConsentError(Exception):
    """Be the root of everything this library raises on purpose."""


class ConfigError(ConsentError, ValueError):
    """Report a mistake in the policy or in a `CONSENT_*` setting, raised while the app starts.

    A template's mistake, such as a malformed id of an embed, raises it where the macro is called.
    """

    key: str
    """The setting, or the path of the declaration, that is wrong."""

    value: object
    """What was found there."""

    def __init__(self, message: str, *, key: str = "", value: object = None) -> None:
        super().__init__(message)
        self.key = key
        self.value = value


class SetupError(ConsentError, RuntimeError):
    """Report the library used in a way or at a time that cannot work."""


class MissingExtraError(ConsentError, ImportError):
    """Report an optional package that a setting or class needs and that is not installed."""

    package: str
    """The package that is missing."""

    extra: str
    """The extra of this library that installs it."""

    def __init__(self, needed_by: str, *, package: str, extra: str) -> None:
        super().__init__(
            f"{needed_by} needs {package}, which is not installed. Run: pip install 'flask-cookie-consent[{extra}]'"
        )
        self.package = package
        self.extra = extra


class UnknownKeyError(ConsentError, LookupError):
    """Report a purpose or service key that the policy does not declare."""

    key: str
    """The key that was asked for."""

    allowed: tuple[str, ...]
    """Every declared key, the closest first."""

    def __init__(self, key: str, *, allowed: Iterable[str], where: str = "") -> None:
        self.key = key
        self.allowed = order_by_likeness(str(key), allowed)
        place = f" ({where})" if where else ""
        super().__init__(
            f"Unknown purpose or service {key!r}{place}. Declared keys, the closest first: "
            f"{quote_all(self.allowed)}. Use one of them, or declare {key!r} in the policy."
        )


class CookieError(ConsentError, ValueError):
    """Report a consent cookie that cannot be used; it never leaves the engine."""


class BadSignature(CookieError):
    """Report a cookie that none of the app's keys has signed."""


class Expired(CookieError):
    """Report a cookie older than its lifetime, or from the future."""


class UnsupportedFormat(CookieError):
    """Report a cookie, rightly signed, in a format this version does not read."""


class SubmissionError(ConsentError, ValueError):
    """Report a posted choice that is malformed; the visitor gets `status`."""

    status: int
    """HTTP status to answer with: 400, 413 or 415."""

    code: str
    """Stable machine-readable name, the `error` member of the JSON answer."""

    def __init__(self, message: str, *, code: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class LedgerError(ConsentError):
    """Report a ledger that cannot do now what it was asked; nothing was acknowledged."""

    reason: str
    """Why, for programs: `unavailable`, `busy`, `full`, `read_only`, `corrupt`, `outdated`, `newer` or `unsupported`."""

    def __init__(self, message: str, *, reason: str = "unavailable") -> None:
        super().__init__(message)
        self.reason = reason


class ProofError(ConsentError, ValueError):
    """Report a proof or a checkpoint that cannot be made or read, or that proves nothing."""


class RecordError(ConsentError, ValueError):
    """Report a text that is no consent record of this version."""

    def __init__(self, name: str, *, found: object, allowed: str) -> None:
        super().__init__(
            f"{name!r} of the consent record must be {allowed}, got {found!r}. Take the record as the library wrote it."
        )
        self.name = name


def order_by_likeness(word: str, known: Iterable[str]) -> tuple[str, ...]:
    """Return the known words, those most like `word` first, the others by alphabet."""
    rest = sorted(known)
    close = get_close_matches(word, rest, n=3, cutoff=0.5)
    return (*close, *(each for each in rest if each not in close))


def quote_all(words: Iterable[object]) -> str:
    """Return the words quoted and separated by commas, for an error message."""
    return ", ".join(repr(str(word)) for word in words) or "none"
