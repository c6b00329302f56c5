"""The account of one choice: what was decided, when, under what, and how."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from consent.core.privacy_signal import Signals
from consent.core.regime import Regime
from consent.errors import RecordError, quote_all

SCHEMA = "consent-record/1"

Value = TypeVar("Value")


class Choice(StrEnum):
    """Say what was decided on one purpose or service."""

    GRANTED = "granted"
    DENIED = "denied"


class Event(StrEnum):
    """Say what kind of act a record accounts for."""

    CHOICE = "choice"
    WITHDRAWAL = "withdrawal"
    """Something that had been granted is denied."""

    OPT_OUT = "opt_out"
    """Something that ran until objected was objected to, under `opt_out`."""

    OBJECTION = "objection"
    """Something that ran by way of an exemption, or of a mere notice, was objected to."""

    ACKNOWLEDGEMENT = "acknowledgement"
    """The visitor has noted what they were told. It grants nothing."""

    CORRECTION = "correction"
    """An act that was kept could not take effect; this is what holds instead."""

    SIGNAL = "signal"
    """A browser signal of a user who is known was taken for an objection, without an act of theirs on the page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Say what the visitor was shown when they decided."""

    policy_version: str
    language: str
    """Tag of the language the notice was in."""

    layer: int
    """1 for the banner, 2 for the preferences page, 0 for a single embed."""

    prompt_reason: str | None = None
    """Why the visitor was asked, a value of `PromptReason`; None if nobody asked them."""

    text_sha256: str | None = None
    """Hash of the words shown; None where no ledger keeps them."""

    ui_sha256: str | None = None
    """Hash of the markup shown; None where no ledger keeps it, or nothing was shown."""

    is_as_shown: bool | None = None
    """Whether the posting page had that markup: false where it was older than the server's; None if it did not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Hold what a record says beyond the cookie: how the choice came about."""

    event: Event
    source: str
    """Where the choice was made: `banner`, `preferences`, `embed` or `api`."""

    action: str
    """The posted action, such as `accept_all`."""

    notice: Notice
    evidence: str
    """How the request proved its origin: `sec-fetch-site`, `origin`, `referer` or `none`."""

    withdrawal_url: str
    """Path at which the choice can be changed or withdrawn."""

    acted_at: datetime | None = None
    """Aware UTC instant of the act, where that is later than the choice it leaves standing; None for the same."""

    has_header_gpc: bool = False
    """Whether the request carried `Sec-GPC: 1`."""

    has_dom_gpc: bool = False
    """Whether a script of the page saw `navigator.globalPrivacyControl`."""

    bases: Mapping[str, str] = field(default_factory=dict)
    """Legal basis by purpose key, a value of `Basis`; what is missing rests on consent."""

    services: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Service keys by the purpose they serve, as declared at that time."""

    client: Mapping[str, str] = field(default_factory=dict)
    """`network` and `browser` in minimised form, where the site has asked for them; else empty."""

    jurisdiction: str | None = None
    """Where the visitor was, such as `FR` or `US-CA`; None if not resolved."""

    profile: str | None = None
    """Row of the jurisdiction table that applied, such as `EEA` or `US-CA@2026-01-01`."""

    signal_map: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What each vendor was told, such as `{"google": {"ad_storage": "denied"}}`."""

    documents: Mapping[str, str] = field(default_factory=dict)
    """Version by key of the documents in force."""

    previous_id: str | None = None
    """`record_id` of the choice that this one replaces; None for the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRecord:
    """Account for one choice.

    Read back from the cookie it is a subset: `account` is None.

    Raises:
        ValueError: If something is granted under `notice`.

    Source:
        GDPR art. 7(1); field names after ISO/IEC TS 27560:2023.
    """

    record_id: str
    """Random UUID, made by the server for this choice alone."""

    decided_at: datetime
    """Aware UTC instant of the server's clock, whole seconds."""

    valid_until: datetime
    """Aware UTC instant at which the choice ends: calendar months after `decided_at`."""

    regime: Regime
    signals: Signals
    """The browser signals that came with the choice."""

    choices: Mapping[str, Choice]
    """Verdict by purpose and service key. A key that is missing was not decided on."""

    fingerprints: Mapping[str, bytes]
    """3-byte fingerprint, of the declaration, of each key that was decided on or merely noted."""

    documents: Mapping[str, bytes] = field(default_factory=dict)
    """3-byte fingerprint, by key, of the document versions in force."""

    has_unknown_refusal: bool = False
    """Whether the cookie holds a refusal of something that was declared otherwise then, or is not declared any more."""

    is_complete: bool = True
    """Whether everything that was asked was decided; false after one embed was allowed from a placeholder."""

    subject_id: str | None = None
    """Random UUID of the visitor across choices; None where no ledger is configured."""

    revision: int = 0
    """Number of the choice among the subject's, from 1; 0 where no ledger is configured."""

    account: Account | None = None

    def __post_init__(self) -> None:
        if self.regime is Regime.NOTICE and self.is_grant:
            raise ValueError(
                "A record of the regime 'notice' cannot hold a grant: being told of something is not consenting to it."
            )

    @property
    def is_grant(self) -> bool:
        """Whether anything was granted."""
        return Choice.GRANTED in self.choices.values()

    def as_dict(self) -> dict[str, object]:
        """Return the record as plain JSON values, in the shape `consent-record/1`.

        Instants are ISO 8601 with `Z`; `decisions` holds `{key: {"state", "basis", "fingerprint"}}`. With an account, every
        optional purpose is in it: `state` is `granted`, `refused` or, of what nobody has decided on, `undecided`.
        """
        return {
            "schema": SCHEMA,
            "record_id": self.record_id,
            "subject_id": self.subject_id,
            "revision": self.revision,
            "event_time": _format_instant((self.account and self.account.acted_at) or self.decided_at),
            "decided_at": _format_instant(self.decided_at),
            "valid_until": _format_instant(self.valid_until),
            "mode": self.regime.value,
            "signals": self._describe_signals(),
            "is_complete": self.is_complete,
            "decisions": {key: self._describe(key) for key in sorted({*self.choices, *self._purpose_keys})},
            "noted": {key: each.hex() for key, each in sorted(self.fingerprints.items()) if key not in self.choices},
            "documents": {key: self._describe_document(key) for key in sorted(self.documents)},
            **(_describe_account(self.account) if self.account else {}),
        }

    def _describe_signals(self) -> dict[str, bool]:
        account = self.account
        seen = {"sec_gpc": account.has_header_gpc, "dom_gpc": account.has_dom_gpc} if account else {}
        return {"gpc": self.signals.gpc, "dnt": self.signals.dnt, **seen}

    def _describe_document(self, key: str) -> dict[str, str]:
        versions = self.account.documents if self.account else {}
        known = {"version": versions[key]} if key in versions else {}
        return {**known, "fingerprint": self.documents[key].hex()}

    @property
    def _purpose_keys(self) -> tuple[str, ...]:
        return tuple(self.account.bases) if self.account else ()

    def _describe(self, key: str) -> dict[str, object]:
        choice = self.choices.get(key)
        described: dict[str, object] = {
            "state": _STATES[choice],
            "basis": self.account.bases.get(key, "consent") if self.account else "consent",
            **({"fingerprint": self.fingerprints[key].hex()} if choice else {}),
        }
        if self.account and key in self.account.services:
            described["vendors"] = list(self.account.services[key])
        return described


def read_record(data: Mapping[str, object]) -> ConsentRecord:
    """Read a record back from what `as_dict` gave, without its account.

    Raises:
        RecordError: If a member is missing or malformed, with its path, such as `decisions.analytics.state`.
    """
    _read(data, "schema", {SCHEMA: SCHEMA}.__getitem__, SCHEMA)
    decisions, noted, documents, signals = (
        _read(data, name, _read_members, "an object") for name in ("decisions", "noted", "documents", "signals")
    )
    decisions = {key: each for key, each in decisions.items() if not _is_undecided(each)}
    hashes = {
        **{key: _read(decisions, f"decisions.{key}.fingerprint", bytes.fromhex, _HEX) for key in decisions},
        **{key: _read(noted, f"noted.{key}", bytes.fromhex, _HEX) for key in noted},
    }
    choices = {
        key: _read(decisions, f"decisions.{key}.state", _CHOICES.__getitem__, quote_all(_CHOICES)) for key in decisions
    }
    regime = _read(data, "mode", Regime, quote_all(Regime))
    if regime is Regime.NOTICE and Choice.GRANTED in choices.values():
        raise RecordError("mode", found=regime.value, allowed="'opt_in' or 'opt_out', since the record holds a grant")
    return ConsentRecord(
        record_id=_read(data, "record_id", _read_id, "a UUID"),
        decided_at=_read(data, "decided_at", _read_instant, _INSTANT),
        valid_until=_read(data, "valid_until", _read_instant, _INSTANT),
        regime=regime,
        signals=Signals(**{name: _read(signals, f"signals.{name}", _read_flag, _FLAG) for name in ("gpc", "dnt")}),
        choices=choices,
        fingerprints=hashes,
        documents={key: _read(documents, f"documents.{key}.fingerprint", bytes.fromhex, _HEX) for key in documents},
        is_complete=_read(data, "is_complete", _read_flag, _FLAG),
        # Records from before there were ledgers have neither.
        subject_id=_read(data, "subject_id", _read_id, "a UUID") if data.get("subject_id") is not None else None,
        revision=_read(data, "revision", _read_number, "a whole number") if "revision" in data else 0,
    )


def _read(data: Mapping[str, object], path: str, read: Callable[[Any], Value], allowed: str) -> Value:
    """Read one member; of a path, the first part names `data` itself where it has more than one.

    Raises:
        RecordError: If it is missing or malformed.
    """
    found: object = data
    for name in path.split(".")[1:] or [path]:
        found = found.get(name) if isinstance(found, Mapping) else None
    try:
        return read(found)
    except (ValueError, KeyError, TypeError) as error:
        raise RecordError(path, found=found, allowed=allowed) from error


def _read_members(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise TypeError(f"no object: {value!r}")
    return value


def _read_id(value: object) -> str:
    return str(UUID(str(value)))


def _is_undecided(described: object) -> bool:
    return isinstance(described, Mapping) and described.get("state") == _STATES[None]


def _read_number(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"no whole number: {value!r}")
    return value


def _read_flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"no flag: {value!r}")
    return value


def _read_instant(value: str) -> datetime:
    instant = datetime.fromisoformat(value)
    if instant.utcoffset() is None:
        raise ValueError(f"no offset: {value!r}")
    return instant


_HEX = "hexadecimal digits"
_FLAG = "true or false"
_INSTANT = "an instant with its offset, such as 2026-11-23T10:00:00Z"
_CHOICES = {"granted": Choice.GRANTED, "refused": Choice.DENIED}
_STATES: Mapping[Choice | None, str] = {**{choice: word for word, choice in _CHOICES.items()}, None: "undecided"}


def _describe_account(account: Account) -> dict[str, object]:
    return {
        "event": account.event.value,
        "source": account.source,
        "action": account.action,
        "jurisdiction": account.jurisdiction,
        "profile": account.profile,
        "language": account.notice.language,
        "notice": {
            "version": account.notice.policy_version,
            "text_sha256": account.notice.text_sha256,
            "ui_sha256": account.notice.ui_sha256,
            "is_as_shown": account.notice.is_as_shown,
            "layer": account.notice.layer,
            "prompt_reason": account.notice.prompt_reason,
        },
        "evidence": account.evidence,
        "client": dict(account.client),
        "signal_map": {name: dict(states) for name, states in account.signal_map.items()},
        "withdrawal_url": account.withdrawal_url,
        "previous": account.previous_id,
    }


def _format_instant(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")
