"""What is unlawful or doubtful in what a site declares, found while the app starts."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from enum import StrEnum
from functools import lru_cache

from consent.core.declaration import Basis, PurposeKind
from consent.core.declared_value import Text
from consent.core.jurisdiction import UNKNOWN, Jurisdiction, JurisdictionTable, Place, parse_place
from consent.core.policy import Policy
from consent.core.regime import Regime
from consent.errors import quote_all

# Garante, 10 June 2021, no. 231, and CNIL 2020-092: nobody is asked again sooner than this after a refusal.
_LEAST_REFUSE_MONTHS = 6
_PRIVACY_DOCUMENT = "privacy"
_NOTICE_TEXTS = "notice."
_OBJECTION_TEXTS = "objection."


class Severity(StrEnum):
    """Say what a finding means for the start of the app; the worst first."""

    ERROR = "error"
    """The site must not start like this."""

    WARNING = "warning"
    """It may start, and somebody should look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Hold one thing that is unlawful or doubtful."""

    rule: str
    """Id of the requirement, such as `L48`."""

    severity: Severity
    message: str
    """What was found, where, and what to do, in whole sentences."""

    key: str
    """The setting, purpose or jurisdiction that it is about."""


def lint(
    policy: Policy,
    table: JurisdictionTable,
    *,
    shipped: JurisdictionTable,
    texts: Mapping[str, Mapping[str, str]],
    phrases: Mapping[str, Sequence[str]],
    now: datetime,
) -> tuple[Finding, ...]:
    """Find what is unlawful or doubtful now, or will be once a law of the table is in force.

    Args:
        table: The rules in use, the site's own included.
        shipped: The rules without the site's own, to compare with.
        texts: `CONSENT_TEXTS`: the site's own texts by language tag and key.
        phrases: Phrases of implied consent by language tag, in lower case.
        now: Aware UTC instant.

    Returns:
        The findings, errors first, then by rule and key.
    """
    found = [
        *_lint_overrides(policy, table, shipped=shipped, now=now),
        *_lint_bases(policy, table),
        *_lint_lifetimes(policy, table),
        *_lint_privacy_policy(policy),
        *_lint_words(policy, texts, phrases=phrases),
    ]
    order = tuple(Severity)
    return tuple(sorted(found, key=lambda each: (order.index(each.severity), each.rule, each.key, each.message)))


def _lint_overrides(
    policy: Policy, table: JurisdictionTable, *, shipped: JurisdictionTable, now: datetime
) -> Iterator[Finding]:
    declared = {purpose.kind for purpose in policy.optional_purposes}
    for own, law in _changed_rows(table, shipped, now=now):
        loosened = [kind for kind in PurposeKind if not own.regime_of(kind).is_as_strict_as(law.regime_of(kind))]
        unlawful = [kind for kind in loosened if kind in declared and _is_opt_in_made_notice(own, law, kind)]
        if unlawful:
            yield _refuse_notice(policy, own, law, kinds=unlawful)
        doubtful = [kind for kind in loosened if kind not in unlawful]
        if doubtful:
            yield _warn_of_loosening(own, law, kinds=doubtful)


def _changed_rows(
    table: JurisdictionTable, shipped: JurisdictionTable, *, now: datetime
) -> tuple[tuple[Jurisdiction, Jurisdiction], ...]:
    """Return, for each place with other rules than shipped, now or later, the row in use and the shipped one."""
    if table.rows == shipped.rows:
        return ()
    rows = (*table.rows, *shipped.rows)
    codes = {code for row in rows for code in row.countries or (row.key,)}
    places = {place for code in codes if (place := parse_place(code))}
    places |= {Place(row.key, region) for row in rows for region in row.regions}
    days = {row.effective_from for row in rows if row.effective_from and row.effective_from > now.date()}
    moments = [now, *(datetime.combine(day, time.min, tzinfo=UTC) for day in sorted(days))]
    pairs: dict[tuple[str, str], tuple[Jurisdiction, Jurisdiction]] = {}
    for place in sorted(places, key=str):
        for moment in moments:
            own, law = table.find(place, now=moment), shipped.find(place, now=moment)
            if own != law:
                pairs.setdefault((own.row_id, law.row_id), (own, law))
    return tuple(pairs.values())


def _is_opt_in_made_notice(own: Jurisdiction, law: Jurisdiction, kind: str) -> bool:
    # What holds where nobody knows the law is no law of a place.
    if law.key == UNKNOWN:
        return False
    return law.regime_of(kind) is Regime.OPT_IN and own.regime_of(kind) is Regime.NOTICE


def _refuse_notice(policy: Policy, own: Jurisdiction, law: Jurisdiction, *, kinds: Sequence[str]) -> Finding:
    purposes = [f"{purpose.key} ({purpose.kind})" for purpose in policy.optional_purposes if purpose.kind in kinds]
    return Finding(
        rule="L48",
        severity=Severity.ERROR,
        key=own.row_id,
        message=(
            f"CONSENT_JURISDICTION_RULES sets {own.row_id!r} to 'notice' for {quote_all(purposes)}. The shipped rules of "
            f"{law.row_id!r} ask for 'opt_in' there: {law.basis}. A notice is never consent (L48). Leave these kinds at "
            "'opt_in', or take the purposes out of the policy."
        ),
    )


def _warn_of_loosening(own: Jurisdiction, law: Jurisdiction, *, kinds: Sequence[str]) -> Finding:
    changes = ", ".join(f"{kind} from {law.regime_of(kind)} to {own.regime_of(kind)}" for kind in kinds)
    return Finding(
        rule="L21",
        severity=Severity.WARNING,
        key=own.row_id,
        message=(
            f"CONSENT_JURISDICTION_RULES loosens the rules of {own.row_id!r}: {changes}. The shipped rules of "
            f"{law.row_id!r} are: {law.basis}. Ask a lawyer, or leave them as they are (L21)."
        ),
    )


def _lint_bases(policy: Policy, table: JurisdictionTable) -> Iterator[Finding]:
    for purpose in policy.optional_purposes:
        if purpose.basis is not Basis.LEGITIMATE_INTEREST:
            continue
        rows = dict.fromkeys(row.key for row in table.rows if row.regime_of(purpose.kind) is Regime.OPT_IN)
        yield Finding(
            rule="L19",
            severity=Severity.ERROR,
            key=purpose.key,
            message=(
                f"Purpose {purpose.key!r} rests on 'legitimate_interest'. For kind {str(purpose.kind)!r} the law asks for "
                f"consent in {quote_all(rows)}, and nothing else lets a site store or read on a device there (ePrivacy "
                "Directive art. 5(3), L19). Leave 'basis' out: consent is the default."
            ),
        )


def _lint_lifetimes(policy: Policy, table: JurisdictionTable) -> Iterator[Finding]:
    found = [("CONSENT_REFUSE_MONTHS", policy.refuse_months)] if policy.refuse_months else []
    # The site's setting stands over the rows' own.
    if not found:
        found = [(f"'refuse_months' of {row.row_id!r}", row.refuse_months) for row in table.rows if row.has_opt_in]
    for name, months in found:
        if months < _LEAST_REFUSE_MONTHS:
            yield Finding(
                rule="L10",
                severity=Severity.WARNING,
                key=name,
                message=(
                    f"{name} is {months}: visitors who refused are asked again too soon. Where the law asks for opt-in, "
                    f"regulators want {_LEAST_REFUSE_MONTHS} months at least (L10). Set {_LEAST_REFUSE_MONTHS} or more."
                ),
            )


def _lint_privacy_policy(policy: Policy) -> Iterator[Finding]:
    has_document = any(document.key == _PRIVACY_DOCUMENT for document in policy.documents)
    if policy.is_asking and not policy.policy_url and not has_document:
        yield Finding(
            rule="L14",
            severity=Severity.WARNING,
            key="documents",
            message=(
                "No privacy policy is declared. Where the law asks for opt-in, visitors must be able to read who "
                "processes what, for how long and with which rights (GDPR art. 13, L14). Add "
                "Document('privacy', url=…, version=…) to 'documents', or give 'policy_url'."
            ),
        )


def _lint_words(
    policy: Policy, texts: Mapping[str, Mapping[str, str]], *, phrases: Mapping[str, Sequence[str]]
) -> Iterator[Finding]:
    for key, severity, text in (*_words_of_site(texts), *_words_of_policy(policy)):
        found = lint_text(text, key=key, severity=severity, phrases=phrases)
        if found:
            yield found


def lint_text(text: str, *, key: str, severity: Severity, phrases: Mapping[str, Sequence[str]]) -> Finding | None:
    """Find words that take going on for consent (D12); None for none."""
    plain = _normalise(text)
    phrase = next((each for known in phrases.values() for each in known if _normalise(each) in plain), "")
    if not phrase:
        return None
    return Finding(
        rule="D12",
        severity=severity,
        key=key,
        message=(
            f"{key} says {phrase!r}. Going on, scrolling or staying is never consent (EDPB Guidelines 05/2020, "
            "para. 86, D12), and this text is shown where the visitor has a choice. Say what the buttons do instead."
        ),
    )


def _words_of_site(texts: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, Severity, str]]:
    for tag, own in texts.items():
        for key, text in own.items():
            # Shown where telling is enough, and as the shipped words do: nothing is granted there.
            if key.startswith(_NOTICE_TEXTS):
                continue
            # Shown where it runs until the visitor objects: misleading, but not taken for consent.
            is_mild = key.startswith(_OBJECTION_TEXTS)
            yield f"CONSENT_TEXTS[{tag!r}][{key!r}]", Severity.WARNING if is_mild else Severity.ERROR, text


def _words_of_policy(policy: Policy) -> Iterator[tuple[str, Severity, str]]:
    for purpose in policy.purposes:
        for text in (*_each(purpose.title), *_each(purpose.description)):
            yield f"Purpose {purpose.key!r}", Severity.ERROR, text
    for service in policy.services:
        for text in (*_each(service.description), *_each(service.justification)):
            yield f"Service {service.key!r}", Severity.ERROR, text
    for document in policy.documents:
        for text in (*_each(document.title), *_each(document.changes)):
            yield f"Document {document.key!r}", Severity.ERROR, text


def _each(text: Text) -> Iterable[str]:
    return (text,) if isinstance(text, str) else text.values()


@lru_cache(maxsize=1024)
def _normalise(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    return " ".join(plain.split())
