"""Why a visitor would see what they see: everything a page depends on, for one place, signal and record."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask

from consent.core.jurisdiction import Jurisdiction
from consent.web.caching import describe_headers
from consent.web.page_reading import read_page
from consent.web.rehearsal import Situation, rehearse
from consent.web.templating import render_banner, settings_link
from consent.web.visit import Visit


def explain(app: Flask, situation: Situation) -> dict[str, object]:
    """Return what a visitor in this situation gets, and why, as plain JSON values.

    Shaped `{"place", "at", "signals", "jurisdiction": {…}, "regime", "decisions": [{"key", "is_service", "verdict",
    "reason"}], "prompt": {…} or None, "documents": […], "link": {…}, "choice": {…}, "waits_for_browser": […],
    "headers": {…}}`.
    """
    with rehearse(app, situation) as visit:
        return _describe(visit)


def _describe(visit: Visit) -> dict[str, object]:
    link = read_page(settings_link(visit))
    return {
        "place": visit.jurisdiction,
        "at": visit.site.engine.read_clock().isoformat(),
        "language": visit.language,
        "signals": {"gpc": visit.browser_signals.gpc, "dnt": visit.browser_signals.dnt},
        "jurisdiction": describe_rules(visit.rules),
        "regime": visit.regime.value,
        "decisions": _describe_decisions(visit),
        "prompt": _describe_prompt(visit),
        "documents": _describe_documents(visit),
        "link": {"text": link.links[0][1], "honoured": visit.asking.honoured_text},
        "choice": {
            "cookie": visit.cookie_name,
            "accept_months": visit.months.accept,
            "refuse_months": visit.months.refuse,
        },
        "waits_for_browser": sorted(visit.standing.outcome.closed_by_gpc),
        "headers": _describe_headers(visit),
    }


def describe_rules(rules: Jurisdiction) -> dict[str, object]:
    """Return a row of the jurisdiction table as plain JSON values."""
    return {
        "key": rules.key,
        "name": rules.name,
        "regime": rules.regime.value,
        "regime_by_kind": {str(kind): regime.value for kind, regime in sorted(rules.regime_by_kind.items())},
        "rules": sorted(rule.value for rule in rules.rules),
        "effective_from": rules.effective_from.isoformat() if rules.effective_from else None,
        "gpc_mandatory_from": rules.gpc_mandatory_from.isoformat() if rules.gpc_mandatory_from else None,
        "basis": rules.basis,
        "sources": list(rules.sources),
    }


def _describe_decisions(visit: Visit) -> list[dict[str, object]]:
    decision = visit.decision
    verdicts = {**decision.choices, **decision.services}
    return [
        {
            "key": key,
            "is_service": key in decision.services,
            "verdict": verdict.value,
            "reason": decision.reasons[key].value,
        }
        for key, verdict in verdicts.items()
    ]


def _describe_prompt(visit: Visit) -> dict[str, object] | None:
    if visit.prompt is None:
        return None
    banner = read_page(render_banner(visit))
    return {
        "kind": visit.prompt.kind.value,
        "reason": visit.prompt.reason.value,
        "asked": list(visit.prompt.asked),
        "title": banner.title,
        "text": banner.text,
        "buttons": [{"action": action, "text": words} for action, words in banner.buttons],
    }


def _describe_headers(visit: Visit) -> Mapping[str, str]:
    # Asked for in a language, it was rendered as the library's own pages are; those tell caches more.
    visit.is_own_page = False
    return describe_headers(visit)


def _describe_documents(visit: Visit) -> list[Mapping[str, object]]:
    asking = visit.asking
    return [
        {
            "key": document.key,
            "title": asking.document_title(document),
            "version": document.version,
            "is_revised": asking.is_revised(document),
        }
        for document in asking.documents
    ]
