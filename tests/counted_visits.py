"""A year and a half of made-up visits in numbers, and a site whose ledger has them: the same on each run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import partial
from math import sin
from uuid import UUID

from flask import Flask

from consent import Consent, Document
from consent.core.ledger import ConsentEvent
from consent.core.tally import Counted, TallyKey
from consent.ledger import MemoryLedger
from consent.ledger.sealing import seal
from consent.web.visit import get_site
from consent.wire.signature import SignedKind

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LAST_DAY = NOW.date()

# Place, language, share of the visitors, share that accepts, share that refuses; then those who object or are told.
_ASKED = (
    ("EEA", "fr", 0.16, 0.44, 0.47),
    ("EEA", "en", 0.12, 0.51, 0.38),
    ("DE", "de", 0.22, 0.36, 0.57),
    ("FR", "fr", 0.14, 0.47, 0.45),
    ("ES", "es", 0.08, 0.58, 0.31),
    ("GB", "en", 0.09, 0.55, 0.35),
    ("unknown", "en", 0.03, 0.49, 0.43),
    ("unknown", "ar", 0.02, 0.52, 0.41),
)
_TOLD = (("US-CA", "en", 0.08), ("US", "en", 0.04), ("JP", "en", 0.02))
_VERSIONS = (
    (date(2025, 6, 1), "0c6d1f0a94e2b7d3"),
    (date(2026, 3, 2), "7be04d5512f3a9c8"),
    (date(2026, 11, 9), "e41f9a0b6c2d8375"),
)


def count_visits(until: date = LAST_DAY, *, days: int = 540) -> dict[TallyKey, int]:
    """Return what a site with some thousand visitors a day has counted."""
    tallies: dict[TallyKey, int] = {}
    for ago in range(days):
        for key, number in _count_day(until - timedelta(days=ago)):
            if number:
                tallies[key] = tallies.get(key, 0) + number
    return tallies


def make_counted_site(tallies: Mapping[TallyKey, int], **config: object) -> Flask:
    """Make a site whose dashboard everybody may see, with these numbers in its ledger, on the last of their days."""
    ledger = MemoryLedger()
    ledger.tallies.add(tallies)
    app = Flask("counted", static_folder=None)
    app.config.update(
        SECRET_KEY="a key that is long enough for every check",
        CONSENT_CONTROLLER="The Morning Ledger Ltd",
        CONSENT_LEDGER_RETENTION_MONTHS=36,
        CONSENT_LEDGER_DASHBOARD=lambda: True,
    )
    app.config.update(config)
    privacy = Document("privacy", url="/privacy", version="1", effective_at=date(2026, 1, 1))
    Consent(app, services=["matomo", "youtube"], documents=[privacy], ledger=ledger)
    app.extensions["consent"].engine.read_clock = lambda: NOW
    return app


def fill_ledger(app: Flask, *, sealed: int, unsealed: int) -> None:
    """Put events into a site's ledger, some of them under a seal of that morning."""
    site = get_site(app)
    ledger = site.ledger
    assert ledger is not None
    events = [_make_event(number) for number in range(sealed + unsealed)]
    ledger.append(events[:sealed])
    seal(ledger, sign=partial(site.engine.sign, SignedKind.SEAL), is_signed=None, now=NOW - timedelta(hours=6))
    ledger.append(events[sealed:])


def _make_event(number: int) -> ConsentEvent:
    return ConsentEvent(
        event_id=str(UUID(int=number)),
        subject_id=str(UUID(int=number)),
        revision=1,
        kind="choice",
        recorded_at=NOW - timedelta(hours=7),
        valid_until=NOW + timedelta(days=180),
        text_sha256=None,
        ui_sha256=None,
        payload="{}",
    )


def _count_day(day: date) -> Iterator[tuple[TallyKey, int]]:
    version = max(each for each in _VERSIONS if each[0] <= day)[1]
    # Weekends are quiet, the seasons differ, and the rest is a wave that looks like chance.
    wave = sin(day.toordinal() * 1.7) + sin(day.toordinal() * 0.61)
    prompts = 2600 * (0.72 if day.weekday() > 4 else 1.0) * (1 + 0.06 * wave) * (1 + 0.12 * sin(day.toordinal() / 58))

    def key(counted: Counted, place: str, language: str, **rest: str) -> TallyKey:
        return TallyKey(day=day, counted=counted, jurisdiction=place, language=language, policy_version=version, **rest)

    for at, (place, language, share, accepted, refused) in enumerate(_ASKED):
        shown = prompts * share * (1 + 0.05 * sin(day.toordinal() * (at + 2)))
        chosen, drift = shown * 0.61, 0.03 * sin(day.toordinal() / 90 + at)
        yield key(Counted.PROMPT, place, language), round(shown)
        yield key(Counted.ANSWERED, place, language, source="banner"), round(chosen)
        yield key(Counted.ACCEPTED, place, language, source="banner"), round(chosen * (accepted + drift))
        yield key(Counted.REFUSED, place, language, source="banner"), round(chosen * (refused - drift))
        yield key(Counted.PARTIAL, place, language, source="preferences"), round(chosen * (1 - accepted - refused))
        yield key(Counted.WITHDRAWN, place, language, source="preferences"), round(chosen * 0.011)
    for place, language, share in _TOLD:
        shown = prompts * share
        yield key(Counted.PROMPT, place, language), round(shown)
        yield key(Counted.ANSWERED, place, language, source="banner"), round(shown * 0.5)
        yield key(Counted.OPTED_OUT, place, language, source="banner"), round(shown * 0.2)
        yield key(Counted.OPTED_OUT, place, language, source="preferences"), round(shown * 0.03)
        yield key(Counted.ACKNOWLEDGED, place, language, source="banner"), round(shown * 0.3)
    yield key(Counted.SIGNAL, "US-CA", "en", signal="gpc"), round(prompts * 0.09)
