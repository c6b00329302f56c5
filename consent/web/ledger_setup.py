"""The ledger of one app, opened when the app starts."""

from __future__ import annotations

import logging
from pathlib import Path

from consent.core.ledger import Ledger
from consent.errors import ConfigError, LedgerError
from consent.ledger import open_ledger
from consent.web.guarded_ledger import guard_ledger
from consent.web.settings import Settings

log = logging.getLogger("consent")

# What no waiting mends: the app does not start. With anything else pages are served, and grants wait for the ledger.
_FATAL = frozenset({"newer", "unsupported"})
_METHODS = (
    *("prepare", "append", "find", "current", "history", "scan", "scan_sealed"),
    *("erase", "count_purgeable", "purge", "purge_artefacts", "health", "close", "upgrade"),
    *("seals", "notices", "tallies"),
)


def build_ledger(given: Ledger | None, settings: Settings, *, folder: Path) -> tuple[Ledger | None, bool]:
    """Return the ledger that was given in code or named in the settings, None for none; and whether it is ready.

    Args:
        folder: The app's instance folder, where a SQLite file of a relative path lies.

    Raises:
        ConfigError: If two are named, no retention is set, or the ledger can never work as configured.
        MissingExtraError: If the packages for its database are not installed.
    """
    if given is not None and settings.ledger is not None:
        raise ConfigError(
            f"Consent() was given 'ledger', and 'CONSENT_LEDGER' is {_hide_secret(settings.ledger)!r}. Keep one of the two.",
            key="CONSENT_LEDGER",
        )
    if given is None and settings.ledger is None:
        return None, True
    if settings.ledger_retention_months is None:
        raise ConfigError(
            "'CONSENT_LEDGER_RETENTION_MONTHS' is not set, and there is a ledger. Set for how many months a record is kept: "
            "what nobody needs any more must be erased (GDPR art. 5(1)(e)). Common are 36 to 60, as long as a claim can be made.",
            key="CONSENT_LEDGER_RETENTION_MONTHS",
        )
    ledger = _take(given) if given is not None else _open(settings.ledger or "", folder)
    return ledger, _prepare(ledger)


def _open(url: str, folder: Path) -> Ledger:
    try:
        return open_ledger(url, folder=_make_folder(url, folder))
    except LedgerError as error:
        raise ConfigError(f"'CONSENT_LEDGER' names no ledger. {error}", key="CONSENT_LEDGER") from error


def _prepare(ledger: Ledger) -> bool:
    """Get a ledger ready; return whether it is. One that cannot be reached keeps no page from being served.

    Raises:
        ConfigError: If waiting mends nothing.
    """
    try:
        ledger.prepare()
    except LedgerError as error:
        if error.reason in _FATAL:
            raise ConfigError(f"'CONSENT_LEDGER' cannot be used. {error}", key="CONSENT_LEDGER") from error
        log.error("The ledger is not ready, and until it is nothing can be granted: %s", error)  # noqa: TRY400 - the message says it all
        return False
    finally:
        # Servers fork after the app was made: nothing that is open may cross over.
        ledger.close()
    return True


def _take(given: Ledger) -> Ledger:
    missing = [name for name in _METHODS if not hasattr(given, name)]
    if missing:
        raise ConfigError(
            f"'ledger' must follow the protocol consent.ledger.Ledger, got {given!r}, which has no {missing[0]!r}. For an "
            "address write CONSENT_LEDGER = 'sqlite:///consent.db'.",
            key="ledger",
            value=given,
        )
    return guard_ledger(given)


def _make_folder(url: str, folder: Path) -> Path:
    """Return the instance folder, made if a file is to lie in it: Flask leaves that to whoever wants it."""
    if url.startswith("sqlite:///") and not url.startswith("sqlite:////"):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            log.error("The folder for the ledger could not be made: %s", error)  # noqa: TRY400 - the ledger tells the rest
    return folder


def _hide_secret(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://…@{rest.rpartition('@')[2]}" if "@" in rest else url
