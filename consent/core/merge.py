"""Two records of one person as one: that of the browser and that of the user who is logged in there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import reduce

from consent.core.decision import is_valid
from consent.core.policy import Policy
from consent.core.privacy_signal import Signals
from consent.core.record import Choice, ConsentRecord
from consent.core.regime import Regime


def merge(
    first: ConsentRecord | None, second: ConsentRecord | None, *, policy: Policy, now: datetime
) -> ConsentRecord | None:
    """Return the record that stands for both; where they differ, the stricter wins.

    What either denies is denied. What both decided on is granted only if both granted it, and
    counts no further than the weaker grant of the two: under the laxer regime, in spite of a
    signal only if both were given in spite of it. What one of them alone decided on stands.

    Args:
        now: Aware instant; a record that is over has no say beside one that is in force.

    Returns:
        A lone record as it is; of two that are over, the one that ended later; None for none.
    """
    records = [each for each in (first, second) if each is not None]
    current = [each for each in records if is_valid(each, now=now)]
    if len(current) < 2:
        return max(current or records, key=_end_of, default=None)
    return current[0] if current[0] == current[1] else _join(current, policy)


def restrict(record: ConsentRecord, to: ConsentRecord | None) -> ConsentRecord:
    """Return a record with those of its grants alone that another record has, too, and with what either denies.

    Args:
        to: The other record; None leaves no grant.
    """
    others = to.choices if to else {}
    granted = {key for key, choice in others.items() if choice is Choice.GRANTED}
    kept = {key: choice for key, choice in record.choices.items() if choice is Choice.DENIED or key in granted}
    denied = {key: choice for key, choice in others.items() if choice is Choice.DENIED}
    noted = {key: to.fingerprints[key] for key in denied} if to else {}
    return replace(
        record,
        choices={**kept, **denied},
        fingerprints={**record.fingerprints, **noted},
        has_unknown_refusal=record.has_unknown_refusal or (to is not None and to.has_unknown_refusal),
        valid_until=min(record.valid_until, to.valid_until) if to and granted else record.valid_until,
    )


def _join(records: Sequence[ConsentRecord], policy: Policy) -> ConsentRecord:
    choices = _join_choices([_read_choices(each, policy) for each in records])
    granted = {key for key, choice in choices.items() if choice is Choice.GRANTED}
    # Whose grants are all overruled says nothing of how much the remaining ones count.
    granting = [each for each in records if any(each.choices.get(key) is Choice.GRANTED for key in granted)]
    weighed = granting or records
    # A grant ends with the record that ends first. Of refusals alone none is cut short.
    lasting = (min if granted else max)(records, key=_end_of)
    return replace(
        lasting,
        record_id=max(records, key=lambda each: (each.decided_at, each.record_id)).record_id,
        # Of a person's devices, each has a subject of its own: see `web/known_user.py`.
        subject_id=None,
        revision=0,
        regime=reduce(_laxer, (each.regime for each in weighed)),
        signals=Signals(
            gpc=all(each.signals.gpc for each in weighed),
            dnt=all(each.signals.dnt for each in weighed),
        ),
        choices=choices,
        fingerprints={
            key: each
            for key, each in policy.fingerprints.items()
            if key in choices or any(_is_covered(record, key, policy) for record in records)
        },
        documents=_join_documents(records, policy),
        has_unknown_refusal=any(each.has_unknown_refusal for each in records),
        is_complete=any(each.is_complete for each in records),
        account=None,
    )


def _end_of(record: ConsentRecord) -> tuple[datetime, datetime, str]:
    # With more than the end itself, so that of two of one end it does not matter which is named first.
    return record.valid_until, record.decided_at, record.record_id


def _read_choices(record: ConsentRecord, policy: Policy) -> Mapping[str, Choice]:
    """Return what a record decided on the declarations of today, a refused purpose's newer services included."""
    choices = {key: choice for key, choice in record.choices.items() if _is_covered(record, key, policy)}
    for service in policy.services:
        is_refused = any(choices.get(key) is Choice.DENIED for key in policy.optional_purposes_of(service))
        # Beside the other record, in which the service is known, the refusal would no longer reach it.
        if is_refused and not _is_covered(record, service.key, policy):
            choices[service.key] = Choice.DENIED
    return choices


def _is_covered(record: ConsentRecord, key: str, policy: Policy) -> bool:
    return key in policy.fingerprints and record.fingerprints.get(key) == policy.fingerprints[key]


def _join_choices(each_choices: Sequence[Mapping[str, Choice]]) -> dict[str, Choice]:
    joined: dict[str, Choice] = {}
    for choices in each_choices:
        for key, choice in choices.items():
            joined[key] = Choice.DENIED if joined.get(key) is Choice.DENIED else choice
    return joined


def _join_documents(records: Sequence[ConsentRecord], policy: Policy) -> dict[str, bytes]:
    """Return the document versions that were noted; of two of one document, that in force."""
    joined: dict[str, bytes] = {}
    in_force = {document.key: document.fingerprint for document in policy.documents}
    for record in records:
        for key, fingerprint in record.documents.items():
            if key not in joined or fingerprint == in_force.get(key):
                joined[key] = fingerprint
    return joined


def _laxer(one: Regime, other: Regime) -> Regime:
    return other if one.is_as_strict_as(other) else one
