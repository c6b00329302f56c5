"""What to show a visitor unasked: of which kind, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class PromptKind(StrEnum):
    """Say what the banner asks of the visitor."""

    CHOICE = "choice"
    """To accept or refuse; nothing that needs consent runs before."""

    OBJECTION = "objection"
    """To know what runs, and to say no to it with one press."""

    NOTICE = "notice"
    """To know what runs and which documents hold; pressing "I agree" acknowledges, and grants nothing."""

    ANNOUNCEMENT = "announcement"
    """To know that a document was revised."""


class PromptReason(StrEnum):
    """Say why the visitor is asked (Garante, 10 June 2021: never without a reason)."""

    NO_RECORD = "no_record"
    EXPIRED = "expired"
    POLICY_CHANGED = "policy_changed"
    INCOMPLETE = "incomplete"
    """One embed was allowed from its placeholder; the rest is still open."""

    PLACE_CHANGED = "place_changed"
    """The choice was made where the law asks for less."""

    DOCUMENT_REVISED = "document_revised"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """Hold what the banner is about."""

    kind: PromptKind
    reason: PromptReason
    asked: tuple[str, ...]
    """Keys of the purposes and services in question: all of them at first, later what changed."""

    @property
    def is_partial(self) -> bool:
        """Whether earlier answers to other questions stand, and only the rest is asked."""
        return self.reason in (PromptReason.POLICY_CHANGED, PromptReason.INCOMPLETE)
