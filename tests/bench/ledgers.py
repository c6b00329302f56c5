"""Sites with a ledger, ledgers without a site, and what is written to them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from uuid import uuid4

from flask import Flask

from consent.core.ledger import ConsentEvent, Ledger
from consent.web.visit import get_site
from tests.bench.choices import run_in_threads
from tests.bench.in_process import get_cookie
from tests.bench.pairing import Work
from tests.bench.sealer import Sealer
from tests.bench.site import Placed, make_site


def make_ledger_site(url: str, **config: object) -> Flask:
    """Build the site with every macro placed and a ledger; an empty address for none."""
    settings = {"CONSENT_LEDGER": url, "CONSENT_LEDGER_RETENTION_MONTHS": 36} if url else {}
    return make_site(has_library=True, placed=Placed.ALL, config={**settings, **config})


def append(ledger: Ledger, *, count: int, threads: int = 1, batch: int = 1, sealer: Sealer | None = None) -> Work:
    """Append `count` events at a time.

    Args:
        threads: How many callers there are, each of whom waits for its own events.
        batch: How many events a caller hands over at once.
        sealer: Puts seals over what was appended the time before, meanwhile.
    """
    pool = ThreadPoolExecutor(threads)
    calls = count // batch // threads

    def run(repeats: int) -> float:
        shares = [[_make_batch(batch) for _ in range(repeats * calls)] for _ in range(threads)]
        if sealer is None:
            return run_in_threads(pool, ledger.append, shares)
        with sealer.sealing():
            return run_in_threads(pool, ledger.append, shares)

    return run


def _make_batch(size: int) -> list[ConsentEvent]:
    model = _make_model()
    return [replace(model, event_id=str(uuid4()), subject_id=str(uuid4())) for _ in range(size)]


@cache
def _make_model() -> ConsentEvent:
    """Return an event as the measured site makes it."""
    app = make_ledger_site("memory:")
    get_cookie(app, is_grant=True)
    ledger = get_site(app).ledger
    event = ledger.scan()[0].event if ledger else None
    if event is None:
        raise RuntimeError("The site recorded nothing.")
    return event
