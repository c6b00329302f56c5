"""The decision in the shape that scripts read."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from consent.core.record import Choice
from consent.web.visit import Visit


def describe_state(visit: Visit, *, shut: Collection[str] = ()) -> dict[str, object]:
    """Return the decision in the shape shared by `/state`, the POST's answer, the page's script tag and the DOM events.

    Args:
        shut: Keys to tell as denied, whatever was decided: the browser has yet to be asked for its signal.
    """
    decision, record = visit.decision, visit.record
    # In the order of the alphabet, as `jsonify` writes it: a script that compares two texts sees what has changed.
    return {
        "choices": _describe_verdicts(decision.choices, shut),
        "decided_at": record.decided_at.isoformat().replace("+00:00", "Z") if record else None,
        "needs_prompt": decision.needs_prompt,
        "policy_version": visit.policy.version,
        "regime": decision.regime,
        "services": _describe_verdicts(decision.services, shut),
    }


def _describe_verdicts(verdicts: Mapping[str, Choice], shut: Collection[str]) -> dict[str, Choice]:
    return {key: Choice.DENIED if key in shut else verdict for key, verdict in sorted(verdicts.items())}
