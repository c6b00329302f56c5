"""A posted choice, read strictly: form or JSON bytes in, a `Submission` out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote_plus

from consent.core.choice import Action
from consent.core.policy import Policy
from consent.errors import SubmissionError, order_by_likeness, quote_all

FORM_TYPE = "application/x-www-form-urlencoded"
JSON_TYPE = "application/json"

# What a choice takes besides the keys: the action, a `next` as `fits_form` bounds it, an embed's id.
_BASE_LIMIT_BYTES = 4096
_PATH_LIMIT_BYTES = 3072
_FIELDS = ("action", "granted", "next", "service", "id", "gpc", "asked", "attempt", "shown")
_MARK_LIMIT = 64
_EMBED_ID_LIMIT = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """Hold one posted choice; every key in it is declared."""

    action: Action
    granted: tuple[str, ...] = ()
    """Keys to grant, each once. Only `save` and `allow` heed it: the preferences page posts its switches with every button."""

    next_path: str = ""
    """Where to go afterwards, as posted: not yet checked."""

    service_key: str = ""
    embed_id: str = ""
    is_partial: bool = False
    """Whether the answer is to what changed alone (`asked=changed`); earlier answers to the rest then stand."""

    has_gpc: bool = False
    """Whether the page's script saw Global Privacy Control in the browser (`navigator.globalPrivacyControl`)."""

    attempt: str = ""
    """Random mark of the page that posted, by which two posts of one click are known for one; empty for none."""

    shown: str = ""
    """First digits of the hash of the notice in the page that posted; empty for none."""

    @property
    def needs_proof(self) -> bool:
        """Whether it needs a proven origin: all but a refusal, since what was noted is not announced again."""
        is_granting = self.action is Action.SAVE and bool(self.granted)
        return is_granting or self.action in (Action.ACCEPT_ALL, Action.ALLOW, Action.ONCE, Action.ACKNOWLEDGE)


def fits_form(path: str) -> bool:
    """Whether a path is short enough to be posted as `next`: a form encodes it a second time."""
    return len(quote_plus(path)) <= _PATH_LIMIT_BYTES


def limit_bytes(policy: Policy) -> int:
    """Return how long the body of a choice may be: 4,096 bytes plus what the policy's keys need."""
    # In the longest spelling, JSON in ASCII escapes: six bytes a character and the field's name.
    return _BASE_LIMIT_BYTES + sum(6 * len(key) + len("&granted=") for key in policy.fingerprints)


def parse_body(body: bytes, *, content_type: str) -> Mapping[str, list[str]]:
    """Read the body of a choice into the values of each field.

    Raises:
        SubmissionError: 415 for another type than the two, 400 for anything malformed.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind == FORM_TYPE:
        return collect(_parse_form(body))
    if kind == JSON_TYPE:
        return collect(_parse_json(body))
    raise SubmissionError(
        f"Content type {kind[:80]!r} is not accepted. Send {FORM_TYPE!r} or {JSON_TYPE!r}.",
        code="unsupported_media_type",
        status=415,
    )


def collect(pairs: Iterable[tuple[str, str]]) -> Mapping[str, list[str]]:
    """Return the values by field name; fields that are not ours are left out.

    A form may carry what other middleware adds, such as a CSRF token.
    """
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        if name in _FIELDS:
            fields.setdefault(name, []).append(value)
    return fields


def parse_submission(fields: Mapping[str, Sequence[str]], policy: Policy) -> Submission:
    """Turn the fields of a choice into a `Submission`.

    Raises:
        SubmissionError: 400 for a missing or unknown action, an unknown or repeated key, or a
            field given twice, a `gpc` other than `1`, an `asked` other than `changed`, or an overlong mark.
    """
    action = _parse_action(_single(fields, "action"))
    granted = tuple(fields.get("granted", ()))
    _check_granted(action, granted, policy)
    service_key, embed_id = _single(fields, "service"), _single(fields, "id")
    if action is Action.ONCE:
        _check_embed(service_key, embed_id, policy)
    return Submission(
        action=action,
        granted=granted,
        next_path=_single(fields, "next"),
        service_key=service_key,
        embed_id=embed_id,
        is_partial=_parse_mark(fields, "asked", "changed"),
        has_gpc=_parse_mark(fields, "gpc", "1"),
        attempt=_parse_short(fields, "attempt"),
        shown=_parse_short(fields, "shown"),
    )


def _parse_form(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict")
    except ValueError as error:
        raise SubmissionError("The form is not percent-encoded UTF-8.", code="malformed") from error


def _parse_json(body: bytes) -> Iterable[tuple[str, str]]:
    try:
        data = json.loads(body.decode("utf-8"), object_pairs_hook=_refuse_repeats, parse_constant=_refuse_constant)
    # Deep nesting exhausts the parser's stack; it is the visitor's mistake, not a server error (T81).
    except (ValueError, RecursionError) as error:
        raise SubmissionError("The body is not valid JSON.", code="malformed") from error
    if not isinstance(data, dict):
        raise SubmissionError("The body must be one JSON object.", code="malformed")
    return [pair for name, value in data.items() if name in _FIELDS for pair in _flatten(name, value)]


def _flatten(name: str, value: object) -> Iterable[tuple[str, str]]:
    values = value if isinstance(value, list) and name == "granted" else [value]
    for each in values:
        if not isinstance(each, str) or not each.isprintable():
            raise SubmissionError(f"Member {name!r} must hold printable text.", code="malformed")
        yield name, each


def _refuse_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is repeated")
    return members


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _single(fields: Mapping[str, Sequence[str]], name: str) -> str:
    values = fields.get(name, ())
    if len(values) > 1:
        raise SubmissionError(f"Field {name!r} was given {len(values)} times; give it once.", code="malformed")
    return values[0] if values else ""


def _parse_action(text: str) -> Action:
    try:
        return Action(text)
    except ValueError as error:
        raise SubmissionError(
            f"Unknown action {text[:40]!r}. Known actions: {quote_all(Action)}.", code="unknown_action"
        ) from error


def _parse_mark(fields: Mapping[str, Sequence[str]], name: str, mark: str) -> bool:
    if name in fields and _single(fields, name) != mark:
        raise SubmissionError(f"Field {name!r} must be {mark!r}, or be left out.", code="malformed")
    return name in fields


def _parse_short(fields: Mapping[str, Sequence[str]], name: str) -> str:
    value = _single(fields, name)
    if len(value) > _MARK_LIMIT:
        raise SubmissionError(f"Field {name!r} must have at most {_MARK_LIMIT} characters.", code="malformed")
    return value


def _check_granted(action: Action, granted: Sequence[str], policy: Policy) -> None:
    if action is Action.ALLOW and not granted:
        raise SubmissionError("Action 'allow' needs 'granted': what to allow.", code="malformed")
    if len(set(granted)) != len(granted):
        raise SubmissionError("A key in 'granted' is repeated.", code="malformed")
    for key in granted:
        if key not in policy.purposes_by_key and key not in policy.services_by_key:
            known = quote_all(order_by_likeness(key[:80], policy.fingerprints))
            raise SubmissionError(f"Unknown key {key[:80]!r} in 'granted'. Known keys: {known}.", code="unknown_key")


def _check_embed(service_key: str, embed_id: str, policy: Policy) -> None:
    service = policy.services_by_key.get(service_key)
    if service is None or service.embed is None:
        raise SubmissionError(f"Unknown embed service {service_key[:80]!r}.", code="unknown_key")
    if len(embed_id) > _EMBED_ID_LIMIT:
        raise SubmissionError("The embed's id is too long.", code="malformed")
