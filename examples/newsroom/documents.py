"""The documents that readers are to note, as the library announces them; their texts are in `content/`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from consent import Document

from .edition import Edition

KEYS = ("privacy", "cookies", "terms")
_IN_FORCE = {
    "privacy": ("4", date(2026, 11, 16)),
    "cookies": ("2", date(2026, 2, 2)),
    "terms": ("5", date(2024, 9, 1)),
}
_EARLIER = {"privacy": ("3", date(2025, 3, 3))}


def build_documents(editions: Mapping[str, Edition], *, is_revised: bool) -> tuple[Document, ...]:
    """Declare the documents.

    Args:
        editions: By language.
        is_revised: Whether the latest version of the privacy policy holds; else the one before.
    """
    versions = _IN_FORCE if is_revised else _IN_FORCE | _EARLIER
    return tuple(_build(key, *versions[key], editions, tells_changes=is_revised) for key in KEYS)


def _build(
    key: str, version: str, effective_at: date, editions: Mapping[str, Edition], *, tells_changes: bool
) -> Document:
    texts = {language: edition.documents[key] for language, edition in editions.items()}
    has_changes = tells_changes and all(text.changes for text in texts.values())
    return Document(
        key,
        title={language: text.title for language, text in texts.items()},
        # One address for all languages: it leads an Arabic reader on.
        url=f"/{key}",
        version=version,
        effective_at=effective_at,
        changes={language: text.changes for language, text in texts.items()} if has_changes else "",
    )
