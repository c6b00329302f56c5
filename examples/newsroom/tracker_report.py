"""What the trackers saw: their own log, cut where a choice was made on the site."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2s
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException

from flask import Blueprint, Response, current_app, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from consent import current_consent

from .timeline import ChoiceMade

tracker_report = Blueprint("tracker_report", __name__)

HOSTS = ("stats.localhost", "ads.localhost", "social.localhost", "video.localhost", "maps.localhost")
_TIMEOUT_SECONDS = 2
_FRESH = {"Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentCall:
    """One command of Google's consent mode, as a tag heard it."""

    command: str
    """`default` or `update`."""

    states: dict[str, str]
    """By type of consent."""

    def types(self, state: str) -> list[str]:
        return [name for name, own in self.states.items() if own == state]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One request, as a tracker logged it."""

    at: float
    method: str
    host: str
    path: str
    page: str
    cookies: dict[str, str]
    identifier: str
    """An identifier sent in the address, as scripts do with a cookie of the site itself."""

    told: list[str] = field(default_factory=list)
    """What the tag says that it was told of consent, each as `command type:state type:state …`."""

    @property
    def time_text(self) -> str:
        return _format_time(self.at)

    @property
    def consent_calls(self) -> list[ConsentCall]:
        return [_read_call(text) for text in self.told]


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """What the trackers saw between two choices."""

    choice: ChoiceMade | None
    """The choice that began it; None for the time before any."""

    sightings: tuple[Sighting, ...]

    @property
    def time_text(self) -> str:
        return _format_time(self.choice.at) if self.choice else ""

    @property
    def granted(self) -> list[str]:
        """Titles of the purposes that were granted in full."""
        keys = self.choice.granted if self.choice else ()
        purposes = current_consent.policy.optional_purposes
        return [current_consent.purpose_title(purpose.key) for purpose in purposes if purpose.key in keys]

    @property
    def granted_services(self) -> list[str]:
        """Names of single services, granted where their purpose is not."""
        keys = self.choice.granted if self.choice else ()
        services = current_consent.policy.services
        return [
            service.name
            for service in services
            if service.key in keys and not any(purpose in keys for purpose in service.purposes)
        ]

    @property
    def told(self) -> list[Sighting]:
        """Requests by which a tag said what it was told."""
        return [sighting for sighting in self.sightings if sighting.told]

    @property
    def request_count(self) -> int:
        return len(self.sightings)

    @property
    def requests_by_host(self) -> dict[str, int]:
        counts = Counter(sighting.host for sighting in self.sightings)
        return {host: counts[host] for host in HOSTS}

    @property
    def identifier_count(self) -> int:
        """How many different ways of telling the reader apart arrived."""
        cookies = {(one.host, name, value) for one in self.sightings for name, value in one.cookies.items()}
        return len(cookies) + len({(one.host, one.identifier) for one in self.sightings if one.identifier})


@tracker_report.get("/what-the-trackers-saw")
def show() -> Response:
    """Show the page; for `live_report.js` the part of it that changes, or nothing if the page has it already.

    The script sends its version in the address. An ETag would not do, as the library takes it off whatever depends on the
    visitor's choice. The part itself it leaves alone, as that begins with no doctype.
    """
    log = _ask_trackers(_tracker_port(), "GET", "/log")
    choices = current_app.extensions["newsroom"].timeline.choices
    version = _find_version(log, choices)
    wants_part = request.args.get("part") == "sightings"
    if wants_part and request.args.get("version") == version:
        return make_response("", HTTPStatus.NO_CONTENT, _FRESH)
    phases = None if log is None else cut(read_log(log), choices)
    template = "sightings.html" if wants_part else "trackers.html"
    body = render_template(template, phases=phases, hosts=HOSTS, record=current_consent.record, version=version)
    return make_response(body, _FRESH if wants_part else {})


@tracker_report.post("/what-the-trackers-saw/reset")
def reset() -> ResponseReturnValue:
    _ask_trackers(_tracker_port(), "POST", "/log/reset")
    current_app.extensions["newsroom"].timeline.clear()
    return redirect(url_for(".show"), 303)


def read_log(body: bytes) -> list[Sighting]:
    """Return what reached the trackers, oldest first."""
    return [Sighting(**entry) for entry in json.loads(body)["requests"]]


def cut(sightings: list[Sighting], choices: tuple[ChoiceMade, ...]) -> list[Phase]:
    """Return one phase before the first choice, and one after each, oldest first."""
    starts = [None, *choices]
    edges = [float("-inf"), *(choice.at for choice in choices), float("inf")]
    return [
        Phase(choice=start, sightings=tuple(one for one in sightings if begin <= one.at < end))
        for start, begin, end in zip(starts, edges, edges[1:], strict=False)
    ]


def _read_call(text: str) -> ConsentCall:
    command, *states = text.split(" ")
    return ConsentCall(
        command=command, states={name: state for name, _, state in (each.partition(":") for each in states)}
    )


def _find_version(log: bytes | None, choices: tuple[ChoiceMade, ...]) -> str:
    """Return a digest of all that the report is made from, taken before the work of making it: most looks end here."""
    record = current_consent.record
    sources = (log, choices, record.decided_at if record else None)
    return blake2s(repr(sources).encode(), digest_size=8).hexdigest()


def _ask_trackers(port: int, method: str, path: str) -> bytes | None:
    connection = HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request(method, path)
        return connection.getresponse().read()
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()


def _tracker_port() -> int:
    port: int = current_app.extensions["newsroom"].tracker_port
    return port


def _format_time(at: float) -> str:
    return datetime.fromtimestamp(at, tz=UTC).strftime("%H:%M:%S")
