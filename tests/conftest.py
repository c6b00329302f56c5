"""What most tests start from: a policy, a fixed clock, an engine. Apps are made in `tests/integration/conftest.py`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from consent.core.cookie_declaration import CookieDeclaration
from consent.core.declaration import Service
from consent.core.embed import Embed
from consent.core.policy import Policy
from consent.engine import Engine

if TYPE_CHECKING:
    from tests.postgres import PostgresServer

SIGNING_KEY = "a signing key for tests only"
CONTROLLER = "Example News Ltd"

# The last day of a long month: the calendar rule of lifetimes shows in every test that computes one.
NOW = datetime(2026, 8, 31, 12, 0, tzinfo=UTC)

LOGIN = Service(
    "login", name="Login", purposes=("necessary",), justification="Keeps you signed in.", hosts=("login.example",)
)
STATS = Service(
    "stats",
    name="Stats",
    provider="Stats Inc.",
    purposes=("analytics",),
    hosts=("stats.example",),
    cookies=(CookieDeclaration("_st", months=13), CookieDeclaration("_st_*", session=True)),
)
PLAYER = Service(
    "player",
    name="Player",
    provider="Player BV",
    purposes=("marketing",),
    hosts=("player.example",),
    cookies=(CookieDeclaration("pl_id", days=30),),
    embed=Embed(
        url="https://player.example/embed/{id}",
        source_url="https://player.example/watch/{id}",
        id_pattern=r"[A-Za-z0-9_-]{3,20}",
        id_example="abc123",
    ),
)
PIXEL = Service(
    "pixel",
    name="Pixel",
    purposes=("analytics", "marketing"),
    hosts=("pixel.example",),
    cookies=(CookieDeclaration("_px", days=90),),
)


@dataclass
class Clock:
    """A clock that stands still until it is told to move."""

    instant: datetime = field(default=NOW)

    def __call__(self) -> datetime:
        return self.instant

    def advance(self, **amount: float) -> None:
        self.instant += timedelta(**amount)


@pytest.fixture(autouse=True)
def _no_context_leaks() -> Iterator[None]:
    """Fail a test that leaves an app or request context behind: the next test would read its visitor."""
    yield
    # Looked up, not imported: most unit tests never load Flask.
    flask = sys.modules.get("flask")
    if flask is not None:
        assert not flask.has_request_context(), "the test left a request context pushed"
        assert not flask.has_app_context(), "the test left an app context pushed"


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def policy() -> Policy:
    """The four shipped purposes; a service of each sort: exempt, of one purpose, embedded, of two purposes."""
    return Policy(controller=CONTROLLER, services=(LOGIN, STATS, PLAYER, PIXEL))


@pytest.fixture
def engine(policy: Policy, clock: Clock) -> Engine:
    return Engine(policy, keys_oldest_first=[SIGNING_KEY.encode()], read_clock=clock)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server for the whole run; a test takes a database of its own."""
    # Imported here: most tests need no database, and psycopg takes its time.
    from tests.postgres import run_server

    with run_server() as server:
        yield server
