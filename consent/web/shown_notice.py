"""What a visitor was shown when they chose, as a ledger keeps it: the words, the markup and what ruled both.

A notice is the same for all who are alike. Everything of one visitor or one page is blank in it: paths, random values, the
CSP nonce, ids, and the instants of the visitor's own record, in whose place stands the first of January 1970.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from importlib import metadata

from consent.core.configuration import describe_configuration
from consent.core.notice import Artefact, ShownNotice
from consent.core.record import Choice, ConsentRecord
from consent.engine import Outcome, Standing
from consent.web.layer_rendering import Layer, render_layer
from consent.web.notice_memo import Specimen
from consent.web.notice_words import describe_words
from consent.web.site import Site
from consent.web.visit import Visit

LAYERS: Mapping[str, int] = {"banner": 1, "preferences": 2, "embed": 0, "api": 0}
"""Number of the notice's layer by where a choice was made."""

MARK_DIGITS = 16
"""How many digits of the markup's hash a form carries."""

_STYLESHEETS = ("banner.css", "preferences.css", "cookie_table.css")
_DISTRIBUTION = "flask-cookie-consent"
_NO_INSTANT = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptNotice:
    """Say where what was shown is to be found; None for what is not known."""

    text_sha256: str | None = None
    ui_sha256: str | None = None
    is_as_shown: bool | None = None
    """Whether the page that posted had that very markup; None if it did not say."""


def keep_notice(visit: Visit, *, source: str, shown: Standing, service_key: str = "", mark: str = "") -> KeptNotice:
    """Keep what a visitor was shown, and return what their record is to say of it.

    To be called before the record is appended, so that no record points to nothing.

    Args:
        source: Where the choice was made, see `Account.source`.
        shown: The standing that the page was rendered by: the one before the choice, without signals that came with it.
        service_key: The service that an embed's placeholder was to allow.
        mark: What the posted form says of itself, see `find_mark`.

    Raises:
        LedgerError: If the ledger does not take it.
    """
    site = visit.site
    if site.ledger is None:
        return KeptNotice()
    specimen = _pick([_find_specimen(visit, layer, shown) for layer in _list_layers(source, service_key)], mark)
    notice, now = specimen.notice, site.engine.read_clock()
    if not site.notices.is_kept(notice, now=now):
        site.ledger.notices.keep(notice, specimen.artefacts, at=now)
        site.notices.note_kept(notice, now=now)
    ui_sha256 = notice.ui_sha256
    return KeptNotice(
        text_sha256=notice.text_sha256,
        ui_sha256=ui_sha256,
        is_as_shown=ui_sha256[:MARK_DIGITS] == mark if mark and ui_sha256 else None,
    )


def find_mark(visit: Visit, layer: Layer) -> str:
    """Return what a form says of the markup around it, the beginning of its hash; empty if that is not known."""
    return (_find_specimen(visit, layer, visit.standing).notice.ui_sha256 or "")[:MARK_DIGITS]


def _list_layers(source: str, service_key: str) -> list[Layer]:
    """Return what may have been shown: of which size a placeholder was, its form says by its mark alone."""
    if source == "embed":
        return [Layer(source=source, service_key=service_key, has_room=has_room) for has_room in (True, False)]
    return [Layer(source=source)]


def _pick(specimens: list[Specimen], mark: str) -> Specimen:
    fitting = (each for each in specimens if mark and (each.notice.ui_sha256 or "")[:MARK_DIGITS] == mark)
    return next(fitting, specimens[0])


def _find_specimen(visit: Visit, layer: Layer, shown: Standing) -> Specimen:
    site = visit.site
    key = (layer, visit.language, visit.is_secure, visit.cookie_domain, _find_likeness(layer, shown))
    found = site.notices.specimens.get(key)
    # While templates are worked on, no rendering is the last.
    if found is None or site.environment.auto_reload:
        found, is_lasting = _make_specimen(visit, layer, _stand_for_all(site, layer, shown))
        if is_lasting:
            site.notices.remember_specimen(key, found)
    return found


def _find_likeness(layer: Layer, shown: Standing) -> Hashable:
    """Return what tells apart those who are shown something else in a layer."""
    outcome = shown.outcome
    if layer.source == "banner":
        return outcome.likeness
    record = shown.record if layer.source == "preferences" else None
    kind = record and (record.is_grant, bool(record.choices), record.regime, record.signals)
    return outcome.jurisdiction.row_id, outcome.signals, kind


def _stand_for_all(site: Site, layer: Layer, shown: Standing) -> Standing:
    """Return the standing of everybody who is shown the same.

    The switches of the preferences page have as many positions as there are visitors, and are theirs: it is rendered as
    nobody has touched it, with all granted, or with all refused. Elsewhere, but in a banner that is due, nothing depends
    on what was chosen.
    """
    outcome, engine, record = shown.outcome, site.engine, None
    if layer.source == "banner" and outcome.decision.prompt:
        last = _blank(site, shown.last_record)
        return Standing(outcome, lambda: last, is_current=shown.record is not None)
    if layer.source == "preferences":
        # At an instant at which the blank record holds.
        engine, record = engine.at(_NO_INSTANT), _blank(site, shown.record)
    return engine.judge(record, signals=outcome.signals, jurisdiction=outcome.jurisdiction)


def _blank(site: Site, record: ConsentRecord | None) -> ConsentRecord | None:
    """Return a record that stands for all who granted something, refused everything, or merely noted it."""
    if record is None:
        return None
    policy = site.engine.policy
    verdict = Choice.GRANTED if record.is_grant else Choice.DENIED
    return ConsentRecord(
        record_id="",
        decided_at=_NO_INSTANT,
        valid_until=_NO_INSTANT + timedelta(days=1),
        regime=record.regime,
        signals=record.signals,
        choices=dict.fromkeys(policy.fingerprints, verdict) if record.choices else {},
        fingerprints=policy.fingerprints,
        documents={document.key: document.fingerprint for document in policy.documents},
    )


def _make_specimen(visit: Visit, layer: Layer, standing: Standing) -> tuple[Specimen, bool]:
    """Return a specimen, and whether the same would come of it another time."""
    site, outcome = visit.site, standing.outcome
    row, prompt = outcome.jurisdiction, outcome.decision.prompt if layer.source == "banner" else None
    markup, is_lasting = render_layer(visit, layer, standing)
    ui = None if markup is None else Artefact(media_type="text/html", body=markup)
    words = site.notices.find_artefact(("words", visit.language), lambda: describe_words(visit))
    ruling = site.notices.find_artefact(("configuration", row.row_id), lambda: _describe(site, outcome))
    notice = ShownNotice(
        policy_version=visit.policy.version,
        language=visit.language,
        profile=row.row_id,
        layer=LAYERS[layer.source],
        prompt_kind=prompt.kind.value if prompt else "",
        text_sha256=words.sha256,
        ui_sha256=ui.sha256 if ui else None,
        configuration_sha256=ruling.sha256,
    )
    return Specimen(notice=notice, artefacts=tuple(filter(None, (words, ui, ruling)))), is_lasting


def _describe(site: Site, outcome: Outcome) -> Artefact:
    sheets = {name: site.assets[name].body.decode() for name in _STYLESHEETS}
    files = {name: sha256(asset.body).hexdigest() for name, asset in site.assets.items()}
    return describe_configuration(
        site.engine.policy,
        outcome.jurisdiction,
        code={"library": find_library_version(), "files": files},
        stylesheets=sheets,
    )


@cache
def find_library_version() -> str:
    """Return the version of this library, as it was installed."""
    try:
        return metadata.version(_DISTRIBUTION)
    except metadata.PackageNotFoundError:  # run from a checkout
        return "unreleased"
