"""What a page shows of a decision: what is asked, what runs, which documents were revised."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from consent.core.decision import UNASKED_REASONS, Reason
from consent.core.declaration import Purpose, Service
from consent.core.document import Document
from consent.core.gate import is_open
from consent.core.jurisdiction import Rule
from consent.core.prompt import Prompt, PromptReason
from consent.core.regime import Regime

if TYPE_CHECKING:
    from consent.web.visit import Visit

# Reasons that a visitor is told: the first time they see why, and an embed that was allowed explains itself.
_TOLD_REASONS = frozenset(PromptReason) - {PromptReason.NO_RECORD, PromptReason.INCOMPLETE}


class Asking:
    """Sort a visit's decision for the templates."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit

    @property
    def prompt(self) -> Prompt:
        """What the banner is about; asked for only where there is one."""
        prompt = self._visit.decision.prompt
        if prompt is None:
            raise LookupError("No banner is due, so there is nothing that it would be about.")
        return prompt

    @property
    def reason_text(self) -> str:
        """Why the visitor is asked again; empty where there is nothing to explain."""
        reason = self.prompt.reason
        return self._visit.text(f"prompt.{reason}") if reason in _TOLD_REASONS else ""

    @property
    def purposes(self) -> Sequence[Purpose]:
        """The purposes that the banner names: all of them, or those in which something changed."""
        purposes = self._visit.policy.optional_purposes
        if not self.prompt.is_partial:
            return purposes
        return tuple(each for each in purposes if each.key in self.prompt.asked or self.changed_services(each.key))

    def changed_services(self, purpose_key: str) -> Sequence[Service]:
        """Return the services under a purpose that are asked for although the purpose itself is not."""
        asked = self.prompt.asked
        if not self.prompt.is_partial or purpose_key in asked:
            return ()
        return tuple(service for service in self._visit.policy.services_of(purpose_key) if service.key in asked)

    @property
    def documents(self) -> Sequence[Document]:
        """The documents that a visitor is to note, in the order they were declared."""
        return self._visit.policy.documents

    def is_revised(self, document: Document) -> bool:
        """Whether a document differs from what the visitor has noted, or changed before their first visit."""
        if self._visit.standing.last_record is None:
            return bool(document.changes)
        return document.key in self._visit.decision.revised

    def document_title(self, document: Document) -> str:
        """Return the name of a document."""
        title = self._visit.words(document.title)
        return title or self._visit.text(f"document.{document.key}.title")

    @property
    def has_own_privacy_policy(self) -> bool:
        """Whether a link to `policy_url` is still needed beside the documents."""
        policy = self._visit.policy
        return bool(policy.policy_url) and all(document.key != "privacy" for document in policy.documents)

    def runs_unasked(self, key: str) -> bool:
        """Whether a purpose or service is open although nobody granted it."""
        return self._visit.decision.reasons[key] in UNASKED_REASONS

    @property
    def has_unasked(self) -> bool:
        """Whether some purpose is open although nobody granted it: in some places that call for a choice, too."""
        return any(self.runs_unasked(purpose.key) for purpose in self._visit.policy.optional_purposes)

    def is_kept_off(self, key: str) -> bool:
        """Whether a signal alone keeps it shut: the visitor has granted nothing that it would take back."""
        return key in self._visit.standing.outcome.kept_off

    def signal_text_key(self, key: str) -> str:
        """Return the key of the words for a switch that a signal keeps off."""
        if self._visit.decision.reasons[key] is Reason.DNT:
            return "preferences.dnt_off"
        return "preferences.gpc_off" if self.is_kept_off(key) else "preferences.gpc"

    @property
    def settings_label(self) -> str:
        """Text of the link to the preferences: the words of the law where there are such."""
        return self._visit.text("settings.opt_out_link" if self.has_legal_label else "settings.link")

    @property
    def has_legal_label(self) -> bool:
        """Whether the law titles the link on every page (11 CCR 7013)."""
        visit = self._visit
        is_titled = Rule.OPT_OUT_LINK in visit.rules.rules
        return is_titled and any(purpose.denied_by_gpc for purpose in visit.policy.optional_purposes)

    @property
    def honoured_text(self) -> str:
        """What every page says of a signal that was honoured; empty where the law does not ask for it (11 CCR 7025(c)(6))."""
        visit = self._visit
        # First, since everything after it makes the page one visitor's.
        if Rule.SHOW_GPC not in visit.rules.rules:
            return ""
        sold = [purpose.key for purpose in visit.policy.optional_purposes if purpose.denied_by_gpc]
        # It would be untrue of what the visitor has granted in spite of the signal.
        is_honoured = visit.browser_signals.gpc and not any(is_open(visit.decision, (key,)) for key in sold)
        return visit.text("settings.gpc_honoured") if is_honoured else ""

    @property
    def has_transmission_list(self) -> bool:
        """Whether the list of what is sent, to whom and why is to be one press from every page (Japan)."""
        return Rule.TRANSMISSION_LIST in self._visit.rules.rules

    @property
    def is_running(self) -> bool:
        """Whether nothing here needs a grant: all that is off was objected to, by the visitor or by a signal."""
        return self._visit.regime is not Regime.OPT_IN
