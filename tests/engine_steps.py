"""Short names for what tests do with an engine: choose, send the cookie, look it up."""

from __future__ import annotations

from datetime import UTC, datetime

from consent.core.jurisdiction import Place
from consent.core.privacy_signal import Signals
from consent.core.record import Account, Event, Notice
from consent.engine import Engine
from consent.jurisdictions import load_table

QUIET = Signals()
GPC = Signals(gpc=True)
KEY = b"a signing key for tests only"
ACCOUNT = Account(
    event=Event.CHOICE,
    source="banner",
    action="accept_all",
    notice=Notice(policy_version="0", language="en", layer=1),
    evidence="sec-fetch-site",
    withdrawal_url="/privacy-choices/",
)


_TABLE = load_table()[0]


def rules_of(country=None, region="", *, now=datetime(2026, 11, 23, tzinfo=UTC)):
    return _TABLE.find(Place(country, region) if country else None, now=now)


UNKNOWN = rules_of()


def make_engine(policy, clock, *, keys=(KEY,), **options):
    return Engine(policy, keys_oldest_first=keys, read_clock=clock, **options)


def choose(engine, action, *granted, before=None, signals=QUIET, rules=UNKNOWN, is_partial=False):
    before = before or engine.judge(None, signals=signals, jurisdiction=rules)
    return engine.make_record(action, granted=granted, before=before, account=ACCOUNT, is_partial=is_partial)


def header(engine, record, *, is_secure=True):
    return f"{engine.cookie_name(is_secure=is_secure)}={engine.encode(record, is_secure=is_secure)}"


def look_up(engine, text, *, is_secure=True, signals=QUIET, rules=UNKNOWN):
    return engine.look_up(text, is_secure=is_secure, signals=signals, jurisdiction=rules)


def opened(standing):
    verdicts = {**standing.decision.choices, **standing.decision.services}
    return {key for key, choice in verdicts.items() if choice == "granted"}
