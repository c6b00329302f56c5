"""Short names for what tests do with an engine: choose, send the cookie, look it up."""

from __future__ import annotations

from consent.core.privacy_signal import Signals
from consent.core.record import Account, Event, Notice
from consent.engine import Engine, cookie_name

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


def make_engine(policy, clock, *, keys=(KEY,), **options):
    return Engine(policy, keys_oldest_first=keys, read_clock=clock, **options)


def choose(engine, action, *granted, before=None, signals=QUIET):
    return engine.make_record(
        action, granted=granted, before=before or engine.judge(None, signals=signals), signals=signals, account=ACCOUNT
    )


def header(engine, record, *, is_secure=True):
    return f"{cookie_name(is_secure=is_secure)}={engine.encode(record, is_secure=is_secure)}"


def look_up(engine, text, *, is_secure=True, signals=QUIET):
    return engine.look_up(text, is_secure=is_secure, signals=signals)


def opened(standing):
    verdicts = {**standing.decision.choices, **standing.decision.services}
    return {key for key, choice in verdicts.items() if choice == "granted"}
