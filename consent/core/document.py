"""A versioned text that the site asks its visitors to note."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import date, datetime
from hashlib import sha256

from consent.core.declared_value import Text, check_types, check_url, freeze
from consent.errors import ConfigError

_KEY = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")
_FINGERPRINT_BYTES = 3


@dataclass(frozen=True, slots=True)
class Document:
    """Declare a privacy policy, cookie policy, terms of use or the like.

    A record says which versions were in force. Where the version differs from the one that a
    visitor has noted, in whichever direction, the document is announced as revised.

    Raises:
        ConfigError: If a field is malformed or missing.
    """

    key: str
    """`privacy`, `cookies`, `terms`, or a key of the site's own."""

    _: KW_ONLY
    title: Text = ""
    """Empty for the shipped title of `privacy`, `cookies` and `terms`."""

    url: str
    version: str
    """Anything that differs from version to version, such as `3` or `2026-11`."""

    effective_at: date | None = None
    """First day on which this version holds; None for not told."""

    changes: Text = ""
    """What changed since the version before, in one line."""

    is_material: bool = False
    """Whether the change is one to ask again for; others only inform. True stays right until all have been asked."""

    def __post_init__(self) -> None:
        where = f"document {self.key!r}"
        if not isinstance(self.key, str) or not _KEY.fullmatch(self.key):
            raise ConfigError(
                f"Document key {self.key!r} is malformed. Use lower-case letters, digits, '-' and '_', beginning and ending "
                "with a letter or digit.",
                key="document",
                value=self.key,
            )
        check_types(self, where, {"url": str, "is_material": bool})
        for name in ("title", "changes"):
            object.__setattr__(self, name, freeze(getattr(self, name), where=where))
        check_url(self.url, where=f"'url' of {where}")
        self._check_version(where)
        if isinstance(self.effective_at, datetime) or not isinstance(self.effective_at, date | None):
            raise ConfigError(
                f"'effective_at' of {where} must be a date such as date(2026, 11, 23), got {self.effective_at!r}.",
                key=self.key,
                value=self.effective_at,
            )

    def _check_version(self, where: str) -> None:
        if not isinstance(self.version, str) or not self.version.strip():
            raise ConfigError(
                f"{where.capitalize()} needs a 'version' such as '3' or '2026-11', got {self.version!r}. Records say which "
                "version was in force; raise it with every revision.",
                key=self.key,
                value=self.version,
            )

    @property
    def fingerprint(self) -> bytes:
        """3 bytes that stand for this version in a record: they do not change with title, address or day."""
        return sha256(f"{self.key}\0{self.version}".encode()).digest()[:_FINGERPRINT_BYTES]


def find_revised(documents: Sequence[Document], noted: Mapping[str, bytes]) -> tuple[Document, ...]:
    """Return the documents that differ from what a visitor has noted.

    One that was added since counts if there is something to tell: what changed, or that it is material.

    Args:
        noted: Fingerprint by key.
    """
    return tuple(each for each in documents if _is_news(each, noted.get(each.key)))


def _is_news(document: Document, noted: bytes | None) -> bool:
    if noted is None:
        return bool(document.changes) or document.is_material
    return noted != document.fingerprint
