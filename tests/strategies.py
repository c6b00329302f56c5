"""Hypothesis strategies: policies, records, cookie headers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

from hypothesis import strategies as st

from consent.core.cookie_declaration import CookieDeclaration
from consent.core.declaration import Purpose, PurposeKind, Service
from consent.core.document import Document
from consent.core.jurisdiction import Jurisdiction
from consent.core.lifetime import MONTHS_LIMIT, add_months
from consent.core.policy import Policy
from consent.core.privacy_signal import Signals
from consent.core.record import Choice, ConsentRecord
from consent.core.regime import Regime

# From a fixed list: quick to draw, and no two of them happen to share a fingerprint.
# fmt: off
KEYS = (
    "a", "b2", "ads", "analytics", "constructor", "page-count", "maps", "marketing", "my_ads", "preferences", "statistics",
    "video", "x-y_z",
)
# fmt: on
COOKIE_NAMES = ("_ga", "_ga_*", "_px", "session-id", "__Host-x", "a.b", "IDE", "_ab*cd", "consent_x")

# An instant is the same wherever the server's clock stands.
zones = st.sampled_from(
    [UTC, timezone(timedelta(hours=-12)), timezone(timedelta(hours=5, minutes=45)), timezone(timedelta(hours=14))]
)
instants = st.datetimes(min_value=datetime(1, 1, 3), max_value=datetime(9999, 12, 29), timezones=zones)  # noqa: DTZ001
near_instants = st.datetimes(
    min_value=datetime(2026, 1, 1),  # noqa: DTZ001 - the time zone is given apart
    max_value=datetime(2027, 12, 31),  # noqa: DTZ001
    timezones=st.just(UTC),
)
signals = st.builds(Signals, gpc=st.booleans(), dnt=st.booleans())
regimes = st.sampled_from(Regime)
choices = st.sampled_from(Choice)
cookie_names = st.sampled_from(COOKIE_NAMES)

# Characters of a `Cookie` header field that decide how it is read, and some that should not.
header_characters = st.sampled_from(list("=;, \t\"\\'.-_$abc\x00\x0b\x7f\x85\xa0é\u2000consent"))
header_texts = st.text(header_characters, max_size=80) | st.text(max_size=80)


@st.composite
def purposes(draw: st.DrawFn, key: str) -> Purpose:
    return Purpose(
        key,
        kind=draw(st.sampled_from(PurposeKind)),
        denied_by_gpc=draw(st.booleans()),
        revision=draw(st.integers(1, 3)),
    )


@st.composite
def documents(draw: st.DrawFn) -> tuple[Document, ...]:
    keys = draw(st.lists(st.sampled_from(["privacy", "cookies", "terms"]), unique=True))
    version, material = st.sampled_from(["1", "2"]), st.booleans()
    return tuple(Document(key, url="/", version=draw(version), is_material=draw(material)) for key in keys)


@st.composite
def jurisdictions(draw: st.DrawFn, *, key: str = "XX") -> Jurisdiction:
    """The rules of any place at all, without a first day."""
    return Jurisdiction(
        key,
        name="Anywhere",
        regime=draw(regimes),
        regime_by_kind=draw(st.dictionaries(st.sampled_from(PurposeKind), regimes)),
        accept_months=draw(st.integers(1, MONTHS_LIMIT)),
        refuse_months=draw(st.integers(1, MONTHS_LIMIT)),
        basis="Its law.",
    )


@st.composite
def policies(draw: st.DrawFn, *, max_services: int = 6) -> Policy:
    """A policy of up to five purposes and some services, a few of them exempt."""
    names = draw(st.lists(st.sampled_from(KEYS), unique=True, max_size=5 + max_services))
    purpose_count = draw(st.integers(0, min(5, len(names))))
    purpose_keys, service_keys = names[:purpose_count], names[purpose_count:]
    declared = (Purpose("necessary"), *(draw(purposes(key)) for key in purpose_keys))
    return Policy(
        controller="Example",
        purposes=declared,
        services=tuple(_service(draw, key, purpose_keys) for key in service_keys),
        documents=draw(documents()),
        accept_months=draw(st.none() | st.integers(1, MONTHS_LIMIT)),
        refuse_months=draw(st.none() | st.integers(1, MONTHS_LIMIT)),
    )


@st.composite
def records(draw: st.DrawFn, policy: Policy, *, moments: st.SearchStrategy[datetime] = instants) -> ConsentRecord:
    """Any record at all: keys nobody declared, fingerprints of another policy, an end before its beginning."""
    decided = draw(st.lists(st.sampled_from([*policy.keys, "stranger"]), unique=True))
    regime = draw(regimes)
    return ConsentRecord(
        record_id=str(draw(st.uuids(version=4))),
        decided_at=draw(moments),
        valid_until=draw(moments),
        regime=regime,
        signals=draw(signals),
        choices=_without_grants_under_notice({key: draw(choices) for key in decided}, regime),
        fingerprints=draw(_fingerprints(policy, decided)),
        documents=draw(_noted_documents(policy)),
        is_complete=draw(st.booleans()),
    )


@st.composite
def true_records(draw: st.DrawFn, policy: Policy) -> ConsentRecord:
    """A record as the engine would make it under this policy."""
    regime = draw(regimes)
    chosen = _without_grants_under_notice(draw(_verdicts(policy)), regime)
    noted = draw(st.sets(st.sampled_from(sorted(policy.fingerprints)))) if policy.fingerprints else set()
    decided_at = draw(near_instants).replace(microsecond=0)
    months = (policy.accept_months if Choice.GRANTED in chosen.values() else policy.refuse_months) or 6
    return ConsentRecord(
        record_id=str(UUID(int=draw(st.integers(0, 2**128 - 1)))),
        decided_at=decided_at,
        valid_until=add_months(decided_at, months),
        regime=regime,
        signals=draw(signals),
        choices=chosen,
        fingerprints={key: policy.fingerprints[key] for key in {*chosen, *noted}},
        documents=draw(_noted_documents(policy)),
        is_complete=draw(st.booleans()),
    )


@st.composite
def policies_with_record(draw: st.DrawFn, *, is_true: bool = False) -> tuple[Policy, ConsentRecord]:
    """A policy together with a record; `is_true` for one that belongs to it."""
    policy = draw(policies())
    return policy, draw(true_records(policy) if is_true else records(policy))


@st.composite
def moments_around(draw: st.DrawFn, record: ConsentRecord) -> datetime:
    """An instant near one at which something changes for a record."""
    edge = draw(st.sampled_from([record.decided_at, record.valid_until, record.decided_at - timedelta(seconds=300)]))
    offset = draw(st.sampled_from([-86400, -301, -300, -1, 0, 1, 299, 300, 301, 86400]))
    return edge.astimezone(UTC) + timedelta(seconds=offset)


def _service(draw: st.DrawFn, key: str, purpose_keys: list[str]) -> Service:
    served = draw(st.lists(st.sampled_from(purpose_keys), unique=True)) if purpose_keys else []
    return Service(
        key,
        name=key,
        purposes=tuple(served) or ("necessary",),
        justification="" if served else "It is asked for.",
        cookies=tuple(
            CookieDeclaration(name, days=1) for name in draw(st.lists(cookie_names, unique=True, max_size=2))
        ),
        third_party_use=draw(st.booleans()),
        revision=draw(st.integers(1, 3)),
    )


def _without_grants_under_notice(chosen: Mapping[str, Choice], regime: Regime) -> Mapping[str, Choice]:
    return {key: choice for key, choice in chosen.items() if regime is not Regime.NOTICE or choice is Choice.DENIED}


def _noted_documents(policy: Policy) -> st.SearchStrategy[dict[str, bytes]]:
    right = {document.key: st.just(document.fingerprint) | st.just(b"old") for document in policy.documents}
    return st.fixed_dictionaries({}, optional=right)


def _verdicts(policy: Policy) -> st.SearchStrategy[Mapping[str, Choice]]:
    if not policy.fingerprints:
        return st.just({})
    return st.dictionaries(st.sampled_from(sorted(policy.fingerprints)), choices)


@st.composite
def _fingerprints(draw: st.DrawFn, policy: Policy, decided: list[str]) -> dict[str, bytes]:
    right = {key: policy.fingerprints[key] for key in decided if key in policy.fingerprints}
    wrong = draw(st.dictionaries(st.sampled_from(decided), st.binary(min_size=3, max_size=3))) if decided else {}
    missing = draw(st.sets(st.sampled_from(decided))) if decided else set()
    return {key: value for key, value in {**right, **wrong}.items() if key not in missing}
