"""The decision in the shape that scripts read."""

from __future__ import annotations

from consent.web.visit import Visit


def describe_state(visit: Visit) -> dict[str, object]:
    """Return the decision in the shape shared by `/state`, the POST's answer, the page's script tag and the DOM events."""
    decision, record = visit.decision, visit.record
    # In the order of the alphabet, as `jsonify` writes it: a script that compares two texts sees what has changed.
    return {
        "choices": dict(sorted(decision.choices.items())),
        "decided_at": record.decided_at.isoformat().replace("+00:00", "Z") if record else None,
        "needs_prompt": decision.needs_prompt,
        "policy_version": visit.policy.version,
        "regime": decision.regime,
        "services": dict(sorted(decision.services.items())),
    }
