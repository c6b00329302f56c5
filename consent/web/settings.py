"""The `CONSENT_*` settings, read once when the app starts."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from consent.core.declared_value import HOST
from consent.core.lifetime import MONTHS_LIMIT
from consent.errors import ConfigError, order_by_likeness, quote_all
from consent.messages import DEFAULT_LANGUAGE
from consent.web.site_function import ALLOWED_BY_FAULT, find_fault

_PREFIX = "CONSENT_"
_URL_PREFIX = re.compile(r"(?:/[A-Za-z0-9_~.-]+)+")
_SHORT_KEY_BYTES = 16
# Fifty years: beyond it, somebody meant days.
RETENTION_LIMIT_MONTHS = 600
KEPT_FORMS = ("network", "browser")
"""What of a client can be kept with a record, never more than in minimised form."""

GATE_MODES = ("report", "enforce", "off")
UNDECLARED_MODES = ("report", "block")
# Two labels at least: browsers ignore a Domain of one (RFC 6265bis section 5.7).
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_MAY_BE_NONE = frozenset(
    {
        "CONSENT_LOCALE",
        "CONSENT_CSP_NONCE",
        "CONSENT_COOKIE_DOMAIN",
        "CONSENT_JURISDICTION_DATABASE",
        "CONSENT_CATALOGUE",
        "CONSENT_LEDGER",
        "CONSENT_LEDGER_RATE_LIMIT",
        "CONSENT_LEDGER_DASHBOARD",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Hold the settings of one app; changing `app.config` later has no effect."""

    controller: str | None = None
    """`CONSENT_CONTROLLER`: who asks; None if the policy given in code says so."""

    url_prefix: str = "/privacy-choices"
    accept_months: int | None = None
    refuse_months: int | None = None
    language: str = DEFAULT_LANGUAGE
    locale: Callable[[], str | None] | None = None
    texts: Mapping[str, Mapping[str, str]]
    csp_nonce: Callable[[], str] | None = None
    excluded_endpoints: frozenset[str] = frozenset()
    inject: bool = True
    cookie_domain: str = ""
    """`CONSENT_COOKIE_DOMAIN`: parent domain whose subdomains share the choice; empty for each host its own."""

    jurisdiction_headers: tuple[str, ...] = ()
    jurisdiction_database: str | os.PathLike[str] | None = None
    jurisdiction_rules: tuple[Mapping[str, object], ...] = ()
    dnt: bool = False
    gpc_file: bool = True
    catalogue: tuple[str | os.PathLike[str], ...] = ()
    """`CONSENT_CATALOGUE`: folders of service files, later ones before earlier ones and the shipped ones."""

    signals: Mapping[str, object] = field(default_factory=dict)
    """`CONSENT_SIGNALS`: options by signal adapter."""

    advanced: tuple[str, ...] = ()
    """`CONSENT_ADVANCED`: services whose tags load before the choice, told what is denied."""

    ledger: str | None = None
    """`CONSENT_LEDGER`: address of the ledger; None for none, or for one given in code."""

    ledger_retention_months: int | None = None
    """`CONSENT_LEDGER_RETENTION_MONTHS`: how long a record is kept; required where a ledger is."""

    ledger_strict_revocation: bool = False
    ledger_keeps: frozenset[str] = frozenset()
    """`CONSENT_LEDGER_KEEPS`: what of the client a record holds in minimised form, of `network` and `browser`."""

    ledger_rate_limit: Callable[[], object] | None = None
    """`CONSENT_LEDGER_RATE_LIMIT`: says for how many seconds the client has to wait; 0 or None for not at all."""

    ledger_dashboard: Callable[[], object] | None = None
    """`CONSENT_LEDGER_DASHBOARD`: guard of the dashboard, which opens for True alone; None for no dashboard."""

    cookie_gate: str = "enforce"
    """`CONSENT_COOKIE_GATE`: what happens to a cookie of a service that is not granted, one of `GATE_MODES`."""

    undeclared_cookies: str = "report"
    """`CONSENT_UNDECLARED_COOKIES`: what happens to a cookie that nobody declares, one of `UNDECLARED_MODES`."""

    hide_cookies: bool = False
    """`CONSENT_HIDE_COOKIES`: whether the app does not get to see cookies of what is not granted, and browsers lose them."""

    auto_hold: str = "off"
    """`CONSENT_AUTO_HOLD`: what happens to markup of known services, wherever it stands in a page, one of `GATE_MODES`."""

    own_hosts: tuple[str, ...] = ()
    """`CONSENT_OWN_HOSTS`: hosts that are the site's own, such as its CDN: never held, and allowed by the policy."""

    foreign_tags: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """`CONSENT_FOREIGN_TAGS`: purpose or service by category, by consent manager whose tags are in the templates."""

    csp: str = "off"
    """`CONSENT_CSP`: what happens to requests of a page to hosts that are not granted, one of `GATE_MODES`."""

    permissions_policy: bool = False
    """`CONSENT_PERMISSIONS_POLICY`: whether browsers are told to keep their advertising features shut until granted."""

    panel: bool = False
    """`CONSENT_PANEL`: whether pages show, in debug mode only, what got past their templates."""


def read_settings(config: Mapping[str, object]) -> Settings:
    """Read every `CONSENT_*` key of a Flask config.

    Raises:
        ConfigError: For an unknown key or a value of the wrong type or range, with the key, what
            was found, what is allowed and what to do.
    """
    own = {
        key: value
        for key, value in config.items()
        if key.startswith(_PREFIX) and not (value is None and key in _MAY_BE_NONE)
    }
    for key, value in own.items():
        if key not in _CHECKS:
            raise ConfigError(
                f"Unknown setting {key!r}. Known settings, the closest first: {quote_all(order_by_likeness(key, _CHECKS))}.",
                key=key,
                value=value,
            )
        _CHECKS[key](key, value)
    values = {key.removeprefix(_PREFIX).lower(): value for key, value in own.items()}
    for name, kind in (
        ("excluded_endpoints", frozenset),
        ("jurisdiction_headers", tuple),
        ("jurisdiction_rules", tuple),
        ("advanced", tuple),
        ("ledger_keeps", frozenset),
        ("own_hosts", tuple),
        ("catalogue", _list_paths),
    ):
        if name in values:
            values[name] = kind(values[name])  # type: ignore[arg-type,call-overload]  # checked above
    return Settings(**({"texts": {}} | values))  # type: ignore[arg-type]  # checked above, key by key


def read_signing_keys(config: Mapping[str, object]) -> tuple[list[bytes], list[str]]:
    """Return the app's keys, the one that signs last as itsdangerous wants it, and warnings to log.

    Raises:
        ConfigError: If there is no `SECRET_KEY`: an unsigned cookie would prove nothing.
    """
    secret = config.get("SECRET_KEY")
    if not isinstance(secret, str | bytes) or not secret:
        raise ConfigError(
            "'SECRET_KEY' is not set, so the consent cookie cannot be signed. Set it before Consent(app), for example to the "
            "output of: python -c 'import secrets; print(secrets.token_hex())'",
            key="SECRET_KEY",
            value=None,
        )
    fallbacks = config.get("SECRET_KEY_FALLBACKS") or []
    if isinstance(fallbacks, str | bytes) or not isinstance(fallbacks, Collection):
        raise ConfigError("'SECRET_KEY_FALLBACKS' must be a list of keys.", key="SECRET_KEY_FALLBACKS")
    for key in fallbacks:
        if not isinstance(key, str | bytes) or not key:
            raise ConfigError(
                "'SECRET_KEY_FALLBACKS' holds something that is no key. Every entry must be text or bytes, and not empty.",
                key="SECRET_KEY_FALLBACKS",
            )
    keys = [key.encode() if isinstance(key, str) else key for key in (*fallbacks, secret)]
    if any(len(key) < _SHORT_KEY_BYTES for key in keys):
        return keys, [f"'SECRET_KEY' or a fallback of it is shorter than {_SHORT_KEY_BYTES} bytes and can be guessed."]
    return keys, []


def _refuse(key: str, value: object, allowed: str) -> ConfigError:
    return ConfigError(f"{key!r} must be {allowed}, got {value!r}.", key=key, value=value)


def _check_text(key: str, value: object) -> None:
    if not isinstance(value, str) or not value.strip():
        raise _refuse(key, value, "a text that is not empty")


def _check_prefix(key: str, value: object) -> None:
    if not isinstance(value, str) or not _URL_PREFIX.fullmatch(value):
        raise _refuse(key, value, "a path such as '/privacy-choices', without a slash at its end")


def _check_months(key: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _refuse(key, value, f"a whole number of months between 1 and {MONTHS_LIMIT}")
    if not 1 <= value <= MONTHS_LIMIT:
        raise ConfigError(
            f"{key!r} must be between 1 and {MONTHS_LIMIT}, got {value}. Browsers cap cookies at 400 days.",
            key=key,
            value=value,
        )


def _check_callable(key: str, value: object) -> None:
    if not callable(value):
        raise _refuse(key, value, "a function without arguments")
    fault = find_fault(value)
    if fault:
        raise _refuse(key, value, ALLOWED_BY_FAULT[fault])


def _check_texts(key: str, value: object) -> None:
    is_nested = isinstance(value, Mapping) and all(isinstance(own, Mapping) for own in value.values())
    if not is_nested:
        raise _refuse(key, value, "texts by language and key, such as {'en': {'banner.title': 'Your choice'}}")
    for tag, own in value.items():  # type: ignore[attr-defined]  # a mapping, see above
        for name, text in own.items():
            if not isinstance(tag, str) or not isinstance(name, str) or not isinstance(text, str):
                raise _refuse(f"{key}[{tag!r}][{name!r}]", text, "a text")


def _check_names(
    key: str, value: object, *, example: str = "endpoint names, such as ['admin.index', 'admin.*']"
) -> None:
    if (
        isinstance(value, str | bytes)
        or not isinstance(value, Collection)
        or not all(isinstance(name, str) for name in value)
    ):
        raise _refuse(key, value, f"a list of {example}")


def _check_domain(key: str, value: object) -> None:
    if not isinstance(value, str) or not _DOMAIN.fullmatch(value) or value.rpartition(".")[2].isdigit():
        raise _refuse(
            key,
            value,
            "a domain that the site and its subdomains share, such as 'example.com', in lower case and without a dot before it",
        )


def _check_headers(key: str, value: object) -> None:
    if isinstance(value, AbstractSet):
        raise _refuse(key, value, "a list, which keeps the country before the region; a set does not")
    _check_names(key, value, example="header names, such as ['CF-IPCountry', 'CF-Region-Code']")


def _check_database(key: str, value: object) -> None:
    if not isinstance(value, str | os.PathLike) or not str(value):
        raise _refuse(key, value, "the path of an MMDB file")


def _list_paths(value: str | os.PathLike[str] | Collection[str | os.PathLike[str]]) -> tuple[object, ...]:
    return (value,) if isinstance(value, str | os.PathLike) else tuple(value)


def _check_folders(key: str, value: object) -> None:
    is_list = isinstance(value, str | os.PathLike | list | tuple)
    paths = _list_paths(value) if is_list else ()  # type: ignore[arg-type]  # as was just checked
    if not is_list or not all(isinstance(path, str | os.PathLike) and str(path) for path in paths):
        raise _refuse(key, value, "the path of a folder with service files, or a list of such paths")


def _check_services(key: str, value: object) -> None:
    _check_names(key, value, example="service keys, such as ['google-analytics']")


def _check_signals(key: str, value: object) -> None:
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise _refuse(key, value, "options by signal adapter, such as {'google': {'url_passthrough': True}}")


def _check_rules(key: str, value: object) -> None:
    is_list = isinstance(value, Collection) and not isinstance(value, str | bytes | Mapping)
    if not is_list or not all(isinstance(row, Mapping) for row in value):  # type: ignore[attr-defined]  # a collection, see before
        raise _refuse(key, value, "a list of rows, such as [{'key': 'BR', 'refuse_months': 12}]")


def _check_retention(key: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= RETENTION_LIMIT_MONTHS:
        raise _refuse(key, value, f"a whole number of months between 1 and {RETENTION_LIMIT_MONTHS}")


def _check_keeps(key: str, value: object) -> None:
    _check_names(key, value, example=f"what to keep, of {quote_all(KEPT_FORMS)}")
    unknown = [name for name in value if name not in KEPT_FORMS]  # type: ignore[attr-defined]  # a collection of texts, as was just checked
    if unknown:
        raise _refuse(key, value, f"a list of what to keep, of {quote_all(KEPT_FORMS)}")


def _check_gate(key: str, value: object) -> None:
    _check_member(key, value, GATE_MODES)


def _check_undeclared(key: str, value: object) -> None:
    _check_member(key, value, UNDECLARED_MODES)


def _check_member(key: str, value: object, allowed: Sequence[str]) -> None:
    if not isinstance(value, str) or value not in allowed:
        raise _refuse(key, value, f"one of {quote_all(allowed)}")


def _check_hosts(key: str, value: object) -> None:
    _check_names(key, value, example="host names, such as ['cdn.example.com', '*.static.example.com']")
    for host in value:  # type: ignore[attr-defined]  # a collection of texts, as was just checked
        if not HOST.fullmatch(host):
            raise _refuse(
                key,
                host,
                "a list of lower-case host names such as 'cdn.example.com' or '*.example.com', with no scheme or path",
            )


def _check_foreign_tags(key: str, value: object) -> None:
    is_nested = isinstance(value, Mapping) and all(isinstance(own, Mapping) for own in value.values())
    if not is_nested:
        raise _refuse(
            key, value, "purposes by consent manager and category, such as {'cookiebot': {'statistics': 'analytics'}}"
        )


def _check_flag(key: str, value: object) -> None:
    if not isinstance(value, bool):
        raise _refuse(key, value, "True or False")


_CHECKS: Mapping[str, Callable[[str, object], None]] = {
    "CONSENT_CONTROLLER": _check_text,
    "CONSENT_URL_PREFIX": _check_prefix,
    "CONSENT_ACCEPT_MONTHS": _check_months,
    "CONSENT_REFUSE_MONTHS": _check_months,
    "CONSENT_LANGUAGE": _check_text,
    "CONSENT_LOCALE": _check_callable,
    "CONSENT_TEXTS": _check_texts,
    "CONSENT_CSP_NONCE": _check_callable,
    "CONSENT_EXCLUDED_ENDPOINTS": _check_names,
    "CONSENT_INJECT": _check_flag,
    "CONSENT_COOKIE_DOMAIN": _check_domain,
    "CONSENT_JURISDICTION_HEADERS": _check_headers,
    "CONSENT_JURISDICTION_DATABASE": _check_database,
    "CONSENT_JURISDICTION_RULES": _check_rules,
    "CONSENT_DNT": _check_flag,
    "CONSENT_GPC_FILE": _check_flag,
    "CONSENT_CATALOGUE": _check_folders,
    "CONSENT_SIGNALS": _check_signals,
    "CONSENT_ADVANCED": _check_services,
    "CONSENT_LEDGER": _check_text,
    "CONSENT_LEDGER_RETENTION_MONTHS": _check_retention,
    "CONSENT_LEDGER_STRICT_REVOCATION": _check_flag,
    "CONSENT_LEDGER_KEEPS": _check_keeps,
    "CONSENT_LEDGER_RATE_LIMIT": _check_callable,
    "CONSENT_LEDGER_DASHBOARD": _check_callable,
    "CONSENT_COOKIE_GATE": _check_gate,
    "CONSENT_UNDECLARED_COOKIES": _check_undeclared,
    "CONSENT_HIDE_COOKIES": _check_flag,
    "CONSENT_AUTO_HOLD": _check_gate,
    "CONSENT_OWN_HOSTS": _check_hosts,
    "CONSENT_FOREIGN_TAGS": _check_foreign_tags,
    "CONSENT_CSP": _check_gate,
    "CONSENT_PERMISSIONS_POLICY": _check_flag,
    "CONSENT_PANEL": _check_flag,
}
