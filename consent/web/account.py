"""How a choice came about: what a record says beyond the cookie."""

from __future__ import annotations

from dataclasses import replace

from flask import request

from consent.core.choice import Action
from consent.core.privacy_signal import parse_sec_gpc
from consent.core.record import Account, Event, Notice
from consent.engine import Standing
from consent.web.minimised import minimise_network, read_browser
from consent.web.shown_notice import LAYERS
from consent.web.visit import Visit
from consent.wire.origin import Evidence
from consent.wire.submission import JSON_TYPE, Submission

_EVENTS = {Action.WITHDRAW: Event.WITHDRAWAL, Action.ACKNOWLEDGE: Event.ACKNOWLEDGEMENT}


def make_account(visit: Visit, submission: Submission, evidence: Evidence, before: Standing) -> Account:
    """Return the account of a posted choice, as far as it is known before the choice is made."""
    source = find_source(visit, submission)
    prompt_reason = before.decision.prompt_reason
    account = _describe_conditions(visit, previous_id=before.last_record.record_id if before.last_record else None)
    return replace(
        account,
        event=_EVENTS.get(submission.action, Event.CHOICE),
        source=source,
        action=submission.action.value,
        notice=replace(
            account.notice, layer=LAYERS[source], prompt_reason=prompt_reason.value if prompt_reason else None
        ),
        evidence=evidence.value,
        has_dom_gpc=submission.has_gpc,
        client=_describe_client(visit),
    )


def make_signal_account(visit: Visit, *, previous_id: str | None) -> Account:
    """Return the account of a browser signal that is an objection by itself: nobody was shown or pressed anything."""
    return _describe_conditions(visit, previous_id=previous_id)


def _describe_conditions(visit: Visit, *, previous_id: str | None) -> Account:
    policy = visit.policy
    return Account(
        event=Event.SIGNAL,
        source="signal",
        action="signal",
        notice=Notice(policy_version=policy.version, language=visit.language, layer=0),
        evidence=Evidence.NONE.value,
        has_header_gpc=parse_sec_gpc(request.headers.get("Sec-GPC")),
        has_dom_gpc=visit.remembers_gpc,
        jurisdiction=visit.jurisdiction,
        profile=visit.rules.row_id,
        bases={purpose.key: str(purpose.basis) for purpose in policy.optional_purposes},
        documents={document.key: document.version for document in policy.documents},
        withdrawal_url=visit.preferences_url,
        services={
            purpose.key: tuple(service.key for service in policy.services if purpose.key in service.purposes)
            for purpose in policy.optional_purposes
        },
        previous_id=previous_id,
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
