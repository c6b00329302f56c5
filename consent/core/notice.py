"""What a visitor was shown when they chose, kept once and found by its own hash."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from hashlib import sha256
from typing import Protocol

from consent.core.field_encoding import encode_fields

WORDS_MEDIA_TYPE = "application/json"
"""Media type of words and of configuration."""

MARKUP_MEDIA_TYPE = "text/html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Artefact:
    """Hold one text that was shown, or that was in force, under its hash."""

    media_type: str
    """`text/html` for markup, `application/json` for words and configuration."""

    body: str

    @property
    def sha256(self) -> str:
        """64 hexadecimal digits of the body in UTF-8: the address it is found by."""
        return sha256(self.body.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownNotice:
    """Say under which conditions which artefacts were shown."""

    policy_version: str
    language: str
    profile: str
    """Row of the jurisdiction table, such as `EEA`."""

    layer: int
    """1 for the banner, 2 for the preferences page, 0 for a single embed or for none."""

    prompt_kind: str
    """A value of `PromptKind`; empty if nobody was asked."""

    text_sha256: str
    """Artefact with the words, purposes, services and documents in that language."""

    ui_sha256: str | None
    """Artefact with the markup; None where there was none, as for a call of the API."""

    configuration_sha256: str
    """Artefact with the policy as it was declared."""

    @property
    def notice_id(self) -> str:
        """64 hexadecimal digits over all of the above: the address it is found by."""
        # None and the empty text are not the same notice.
        values = (("0", "") if each is None else ("1", str(each)) for each in astuple(self))
        return sha256(encode_fields(part.encode() for value in values for part in value)).hexdigest()


class NoticeStore(Protocol):
    """Keep notices and their artefacts, each once."""

    def keep(self, notice: ShownNotice, artefacts: Sequence[Artefact], *, at: datetime) -> None:
        """Keep a notice and what it refers to; what is there already stays as it is, but for when it was last kept.

        Args:
            at: Aware UTC instant, whole seconds.
        """

    def list(self, policy_version: str | None = None) -> tuple[ShownNotice, ...]:
        """Return the notices of one policy version, or of all, in a stable order."""

    def find(self, notice_id: str) -> ShownNotice | None:
        """Return a notice by its `notice_id`; None for none. The caller compares it: storage may have been edited."""

    def read(self, sha256: str) -> Artefact | None:
        """Return an artefact by its hash; None for none. The caller compares the hash: storage may have been edited."""

    def list_hashes(self) -> tuple[str, ...]:
        """Return the addresses of all artefacts, in order."""
