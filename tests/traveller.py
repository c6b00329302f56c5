"""One visitor of a site that serves every place: what the page shows them, what runs, and what was recorded."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import unescape
from typing import Any

from flask import Flask, render_template_string
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from consent import (
    Consent,
    ConsentRecord,
    CookieDeclaration,
    Document,
    Policy,
    Purpose,
    Service,
    consent_recorded,
    consent_withdrawn,
    current_consent,
)
from tests.conftest import CONTROLLER, Clock

STATS = Service("stats", name="Stats", purposes=("analytics",), cookies=(CookieDeclaration("_st", months=1),))
ADS = Service("ads", name="Ads", purposes=("marketing",), cookies=(CookieDeclaration("_ad", months=1),))
SERVICES = (STATS, ADS)
PRIVACY = Document("privacy", url="/privacy", version="1")
GPC = {"Sec-GPC": "1"}
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
PREFERENCES = "/privacy-choices/"

_PURPOSES = ("preferences", "analytics", "marketing")
_PAGE = (
    '<!doctype html><html lang="en"><head><title>News</title></head><body>'
    '{% from "consent/macros.html" import gate, settings_link %}'
    "{% for key in purposes if key in current_consent.decision.choices %}{% call gate(key) %}<i>{{ key }} runs</i>{% endcall %}{% endfor %}"
    "{% if label is not none %}{{ settings_link(label) }}{% endif %}</body></html>"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What one page shows."""

    response: TestResponse
    runs: tuple[str, ...]
    """Purposes whose markup is live."""

    waits: tuple[str, ...]
    """Keys that wait until a script has asked the browser for its signal."""

    banner: str
    """Markup of the banner; empty for none."""

    link: str
    """Words of the link to the preferences, and what stands beside it."""

    @property
    def buttons(self) -> list[tuple[str, str]]:
        """Action and words of each button of the banner."""
        return re.findall(r'<button[^>]* name="action" value="(\w+)"[^>]*>([^<]*)</button>', self.banner)

    @property
    def words(self) -> str:
        """All words of the banner."""
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", self.banner)).split())


@dataclass
class Traveller:
    """A browser that goes from place to place; records are heard in the order they are made."""

    app: Flask
    clock: Clock
    client: FlaskClient = field(init=False)
    heard: list[tuple[str, ConsentRecord]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.client = self.app.test_client()
        # Kept here: the signals hold their receivers weakly.
        self._receivers = [self._hear("recorded"), self._hear("withdrawn")]
        for event, receiver in zip((consent_recorded, consent_withdrawn), self._receivers, strict=True):
            event.connect(receiver, self.app)

    def go(self, place: object) -> Traveller:
        self.app.config["PLACE"] = place
        return self

    def look(self, path: str = "/", **headers: str) -> Sight:
        response = self.client.get(path, headers=_name(headers))
        text = response.text
        banner = re.search(r'<section class="pvc-banner".*?</section>', text, re.DOTALL)
        waits = re.search(r'"opens":(\[[^\]]*\])', text)
        link = re.search(r'<a class="pvc-settings-link"[^>]*>(.*?</a>(?:\s*<span class="pvc-honoured">[^<]*)?)', text)
        return Sight(
            response=response,
            runs=tuple(key for key in _PURPOSES if f"<i>{key} runs</i>" in text),
            waits=tuple(json.loads(waits[1])) if waits else (),
            banner=banner[0] if banner else "",
            link=" ".join(re.sub(r"<[^>]+>", " ", link[1]).split()) if link else "",
        )

    def press(self, action: str, *granted: str, headers: dict[str, str] | None = None, **fields: str) -> TestResponse:
        body = {"action": action, "granted": list(granted), **fields}
        return self.client.post(PREFERENCES, data=body, headers=SAME_ORIGIN | (headers or {}))

    def answer(self, action: str, **headers: str) -> TestResponse:
        """Press a button of the banner as it stands on the page, hidden fields and all."""
        banner = self.look(**headers).banner
        assert f'value="{action}"' in banner, f"there is no button {action!r}"
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', banner))
        return self.press(action, headers=_name(headers), **fields)

    def state(self, **headers: str) -> dict[str, Any]:
        found = self.client.get(f"{PREFERENCES}state", headers=_name(headers)).json
        assert isinstance(found, dict)
        return found

    def verdicts(self, **headers: str) -> dict[str, str]:
        """Return the verdict on each purpose and service that is not necessary."""
        state = self.state(**headers)
        return {key: each for key, each in (state["choices"] | state["services"]).items() if key != "necessary"}

    def switched_on(self) -> tuple[str, ...]:
        """Return the keys whose switches are on when the preferences page opens."""
        text = self.look(PREFERENCES).response.text
        return tuple(re.findall(r'<input class="pvc-switch"[^>]* value="([\w-]+)" checked', text))

    @property
    def reason(self) -> str | None:
        """Why the banner would be shown; None for no banner."""
        cookie = self.client.get_cookie("consent")
        headers = {"Cookie": f"consent={cookie.value}"} if cookie else {}
        with self.app.test_request_context("/", headers=headers):
            return current_consent.prompt.reason.value if current_consent.prompt else None

    @property
    def records(self) -> list[ConsentRecord]:
        return [record for name, record in self.heard if name == "recorded"]

    @property
    def last(self) -> dict[str, Any]:
        """The newest record as a ledger would keep it."""
        return dict(self.records[-1].as_dict())

    @property
    def decided(self) -> dict[str, Any]:
        """What the newest record says somebody has decided on."""
        return {key: each for key, each in self.last["decisions"].items() if each["state"] != "undecided"}

    def redeclare(self, **declared: Any) -> Traveller:
        """Return the same browser at the same site after it changed what it declares."""
        later = make_traveller(self.app.config["PLACE"], clock=self.clock, **declared)
        later.heard = self.heard
        cookie = self.client.get_cookie("consent")
        if cookie:
            later.client.set_cookie("consent", cookie.value)
        return later

    def _hear(self, name: str) -> Callable[..., None]:
        def receive(_app: Flask, *, record: ConsentRecord, **_: object) -> None:
            self.heard.append((name, record))

        return receive


def make_traveller(
    place: object = None,
    *,
    services: Sequence[Service] = SERVICES,
    documents: Sequence[Document] = (PRIVACY,),
    purposes: Sequence[Purpose] = (),
    policy: Policy | None = None,
    clock: Clock | None = None,
    label: str | None = None,
    **config: object,
) -> Traveller:
    """Make a site and a visitor of it.

    Args:
        place: What the site's own function says of where the visitor is.
        label: What the page gives to `settings_link()`; None for a page that places no link.
    """
    app = Flask("newspaper", static_folder=None)
    app.config.from_mapping({"SECRET_KEY": "k" * 32, "CONSENT_CONTROLLER": CONTROLLER} | config)
    app.config["PLACE"] = place

    def ask_place() -> object:
        return app.config["PLACE"]

    declared = Consent(services=services, documents=documents, purposes=purposes, jurisdiction=ask_place)
    (Consent(policy=policy, jurisdiction=ask_place) if policy else declared).init_app(app)
    app.add_url_rule("/", "index", lambda: render_template_string(_PAGE, purposes=_PURPOSES, label=label))
    clock = clock or Clock()
    app.extensions["consent"].engine.read_clock = clock
    return Traveller(app, clock)


def _name(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
