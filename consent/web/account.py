"""How a choice came about: what a record says beyond the cookie."""

from __future__ import annotations

from flask import request

from consent.core.choice import Action
from consent.core.privacy_signal import parse_sec_gpc
from consent.core.record import Account, Event, Notice
from consent.engine import Standing
from consent.web.minimised import minimise_network, read_browser
from consent.web.visit import Visit
from consent.wire.origin import Evidence
from consent.wire.submission import JSON_TYPE, Submission

# Layers of the notice that a choice can come from, by source.
_LAYERS = {"banner": 1, "preferences": 2, "embed": 0, "api": 0}
_EVENTS = {Action.WITHDRAW: Event.WITHDRAWAL, Action.ACKNOWLEDGE: Event.ACKNOWLEDGEMENT}


def make_account(visit: Visit, submission: Submission, evidence: Evidence, before: Standing) -> Account:
    """Return the account of a posted choice, as far as it is known before the choice is made."""
    source = find_source(visit, submission)
    prompt_reason = before.decision.prompt_reason
    return Account(
        event=_EVENTS.get(submission.action, Event.CHOICE),
        source=source,
        action=submission.action.value,
        notice=Notice(
            policy_version=visit.policy.version,
            language=visit.language,
            layer=_LAYERS[source],
            prompt_reason=prompt_reason.value if prompt_reason else None,
        ),
        evidence=evidence.value,
        has_header_gpc=parse_sec_gpc(request.headers.get("Sec-GPC")),
        has_dom_gpc=submission.has_gpc,
        jurisdiction=visit.jurisdiction,
        profile=visit.rules.row_id,
        client=_describe_client(visit),
        bases={purpose.key: str(purpose.basis) for purpose in visit.policy.optional_purposes},
        documents={document.key: document.version for document in visit.policy.documents},
        withdrawal_url=visit.preferences_url,
        services={
            purpose.key: tuple(service.key for service in visit.policy.services if purpose.key in service.purposes)
            for purpose in visit.policy.optional_purposes
        },
        previous_id=before.last_record.record_id if before.last_record else None,
    )


def find_source(visit: Visit, submission: Submission) -> str:
    """Return where a choice was made: `banner`, `preferences`, `embed` or `api`."""
    if request.mimetype == JSON_TYPE:
        return "api"
    if submission.action is Action.ALLOW:
        return "embed"
    is_on_page = submission.action in (Action.SAVE, Action.WITHDRAW) or submission.next_path.startswith(visit.base_path)
    return "preferences" if is_on_page else "banner"


def _describe_client(visit: Visit) -> dict[str, str]:
    """Return what the site wants kept of the client, in minimised form; empty as shipped (R9)."""
    keeps = visit.site.settings.ledger_keeps
    network = {"network": minimise_network(request.remote_addr)} if "network" in keeps else {}
    browser = {"browser": read_browser(request.headers.get("User-Agent"))} if "browser" in keeps else {}
    return {**network, **browser}
