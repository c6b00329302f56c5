"""A site as a user of the library would write it: never run, but mypy must accept it, strictly, with the wheel installed."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, assert_type

from flask import Flask, Response
from flask.testing import FlaskClient

from consent import (
    Consent,
    CookieDeclaration,
    Document,
    Policy,
    Purpose,
    Service,
    consent_recorded,
    consent_withdrawn,
    current_consent,
    guard,
    requires_consent,
)
from consent.errors import ConfigError, ConsentError, SetupError
from consent.ledger import Ledger, MemoryLedger, SQLAlchemyLedger, SQLiteLedger, StoredEvent
from consent.testing import assert_guarded, grant, recorded_guards, refuse

consent = Consent()


def choose_ledger(name: str) -> Ledger:
    """Every ledger of the library's follows the protocol."""
    if name == "memory":
        return MemoryLedger()
    return SQLiteLedger(Path(name)) if name.endswith(".db") else SQLAlchemyLedger(name)


def list_events(ledger: Ledger) -> tuple[StoredEvent, ...]:
    return ledger.scan_sealed(after=-1)


proven = Consent(ledger=choose_ledger("memory"))

STATISTICS = Service(
    "house-statistics",
    name="House statistics",
    purposes=("analytics",),
    hosts=("stats.example.org",),
    cookies=(
        CookieDeclaration("visits", months=13, description="Counts visits."),
        CookieDeclaration(
            "visits_*", session=True, description={"en": "Groups page views.", "de": "Fasst Aufrufe zusammen."}
        ),
    ),
    provider="Example Statistics Ltd",
    privacy_url="https://stats.example.org/privacy",
)


def create_app() -> Flask:
    """Use the application factory pattern."""
    app = Flask(__name__)
    app.config.from_mapping(SECRET_KEY="…", CONSENT_CONTROLLER="Example News Ltd")
    consent.init_app(app)
    return app


def create_app_in_three_lines() -> Flask:
    app = Flask(__name__)
    Consent(app, services=["google-analytics", STATISTICS], purposes=[Purpose("comments", title="Comments")])
    return app


def create_app_with_documents() -> Flask:
    """Declare documents, kinds of purpose and the visitor's place; keep the choices of known users."""
    app = Flask(__name__)
    app.config.from_mapping(SECRET_KEY="…", CONSENT_CONTROLLER="Example News Ltd")
    privacy = Consent(
        purposes=[Purpose("health", title="Diary", description="Keeps your notes.", kind="sensitive")],
        documents=[Document("privacy", url="/privacy", version="3", changes={"en": "Shorter.", "de": "Kürzer."})],
        jurisdiction=lambda: "US-CA",
    )
    kept: dict[str, str] = {}

    @privacy.load_choice
    def load() -> str | None:
        return kept.get("somebody")

    @privacy.save_choice
    def save(text: str) -> None:
        kept["somebody"] = text

    privacy.init_app(app)
    return app


def create_app_with_policy() -> Flask:
    app = Flask(__name__)
    policy = Policy(
        controller="Example News Ltd",
        purposes=(Purpose("necessary"), Purpose("analytics", description="How the site is used.", denied_by_gpc=True)),
        services=(STATISTICS,),
        accept_months=6,
        refuse_months=3,
    )
    try:
        Consent(app, policy=policy)
    except (ConfigError, SetupError):
        app.logger.exception("The policy is not usable.")
        raise
    return app


app = create_app()


@app.get("/recommendations")
@requires_consent("preferences", "analytics")
def recommendations() -> str:
    return "For you"


def show_no_map() -> str:
    return "The map needs your consent."


@app.get("/map")
@requires_consent("google-maps", otherwise=show_no_map)
async def city_map() -> Response:
    return Response("map")


@app.get("/state")
def state() -> dict[str, Any]:
    assert_type(current_consent.allows("analytics"), bool)
    assert_type(current_consent.needs_prompt, bool)
    assert_type(current_consent.cache_key, str)
    record = current_consent.record
    decided_at: datetime | None = record.decided_at if record is not None else None
    return {
        "choices": dict(current_consent.decision.choices),
        "regime": str(current_consent.regime),
        "decided_at": decided_at.isoformat() if decided_at else None,
    }


def remember(sender: Flask, *, record: object, previous: object) -> None:
    sender.logger.info("%r replaces %r", record, previous)


consent_recorded.connect(remember, app)
consent_withdrawn.connect(remember)


@guard("analytics")
def send_event(name: str) -> int:
    return len(name)


@guard("meta-pixel", subject_id=None)
async def send_later(name: str) -> str:
    return name


def count_order(record: dict[str, object] | None) -> None:
    assert_type(send_event("order"), int | None)
    if guard("analytics", record=record):
        send_event("order")
    # Refused where types are checked, too: its block would run whatever the answer.
    with guard("analytics"):  # type: ignore[attr-defined]
        send_event("order")


async def count_later() -> None:
    assert_type(await send_later("order"), str | None)


def check_page(client: FlaskClient) -> None:
    grant(client, "analytics", "youtube")
    refuse(client)


def explain(error: ConsentError) -> str:
    return str(error)


def check_order(client: FlaskClient) -> None:
    with recorded_guards() as asked:
        client.post("/order")
    assert_guarded(asked, "analytics", by="send_event")
