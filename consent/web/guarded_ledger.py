"""A ledger of the site's own, whose every failure is one that the library knows what to do with."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import cast

from consent.core.ledger import Health, Ledger
from consent.errors import LedgerError

log = logging.getLogger("consent")

_STORES = frozenset({"seals", "notices", "tallies"})


def guard_ledger(ledger: Ledger) -> Ledger:
    """Return a ledger that raises `LedgerError` where the given one raises anything: a refusal must pass whatever fails."""
    return cast("Ledger", _Guard(ledger))


class _Guard:
    """Pass everything on, and turn exceptions."""

    def __init__(self, guarded: object) -> None:
        self._guarded = guarded

    def __getattr__(self, name: str) -> object:
        try:
            found = getattr(self._guarded, name)
        except AttributeError:
            raise
        except Exception as error:  # a store that is made when it is asked for
            raise _turn(error, name) from error
        if name in _STORES:
            return _Guard(found)
        return _guard_method(found, name) if callable(found) else found

    def health(self) -> Health:
        """Say how the ledger is, also if it cannot say so itself."""
        try:
            return cast("Ledger", self._guarded).health()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what is wrong
            return Health(is_writable=False, problem=str(_turn(error, "health")))

    def close(self) -> None:
        """Let the ledger close; what it raises is logged, since nobody waits for it."""
        try:
            cast("Ledger", self._guarded).close()
        except Exception:
            log.exception("The ledger could not be closed.")


def _guard_method(method: Callable[..., object], name: str) -> Callable[..., object]:
    @functools.wraps(method)
    def call(*arguments: object, **named: object) -> object:
        try:
            return method(*arguments, **named)
        except Exception as error:
            raise _turn(error, name) from error

    return call


def _turn(error: Exception, name: str) -> LedgerError:
    if isinstance(error, LedgerError):
        return error
    log.error("The ledger of the site's own failed in %r.", name, exc_info=error)
    return LedgerError(f"The ledger of the site's own failed in {name!r} with a {type(error).__name__}.")
