"""Other ways in to what `@guard` guards: the guard stands right above `def`, or it is refused."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from typing import Any, NoReturn
from weakref import WeakSet

from flask import Flask

from consent.errors import SetupError, quote_all

log = logging.getLogger("consent")

# What queues call it to run a task later: Celery, RQ, Dramatiq, executors.
_QUEUED_BY = ("apply_async", "delay", "enqueue", "send", "submit")

# For signatures, and for reading how much `lru_cache` keeps.
_LEFT_BY_FUNCTOOLS = frozenset({"__wrapped__", "cache_parameters"})

_guarded: WeakSet[Callable[..., Any]] = WeakSet()  # Any: whatever a site guards


def check_guardable(function: Callable[..., Any]) -> None:
    """Refuse what a guard on top of it cannot shut.

    Raises:
        SetupError: If it is no function, one that yields (what that does begins long after its call), or one that carries
            other ways in, such as the `delay` of a queue.
    """
    if (
        not callable(function)
        or inspect.isclass(function)
        or inspect.isgeneratorfunction(function)
        or inspect.isasyncgenfunction(function)
    ):
        raise SetupError(
            f"@guard cannot guard {function!r}: only a function that returns. Ask in front of it: if guard(…):"
        )
    ways = _list_ways_in(function)
    if ways:
        raise SetupError(
            f"@guard cannot guard {_name(function)!r}: another decorator gave it {quote_all(ways)}, which would get around the "
            "guard. Put @guard right above 'def', below every other decorator."
        )


def remember_guarded(function: Callable[..., Any]) -> None:
    """Remember the function behind a guard, so that `shut_unguarded_views` knows it as a view."""
    if inspect.isfunction(function):
        _guarded.add(function)


def shut_unguarded_views(app: Flask) -> None:
    """Let the views that are registered without the guard that was put on top of them fail, and say so; the others are served.

    Called at the first request, when all are registered.
    """
    for endpoint, view in app.view_functions.items():
        if inspect.isfunction(view) and view in _guarded:
            message = (
                f"The view {_name(view)!r} was registered below its @guard, so the guard is never asked, and the view is not run. "
                "A view that needs consent has @requires_consent(…) between its route and 'def'; in other functions, @guard "
                "stands right above 'def'."
            )
            log.error("%s", message)
            app.view_functions[endpoint] = _make_refusal(message)


def _list_ways_in(function: Callable[..., Any]) -> tuple[str, ...]:
    """Return the names of what can be called besides the function itself."""
    carried = getattr(function, "__dict__", {})
    own = (name for name, value in carried.items() if callable(value) and name not in _LEFT_BY_FUNCTOOLS)
    queued_by = (name for name in _QUEUED_BY if callable(getattr(function, name, None)))
    return tuple(sorted({*own, *queued_by}))


def _make_refusal(message: str) -> Callable[..., NoReturn]:
    def refuse(**_: object) -> NoReturn:
        raise SetupError(message)

    return refuse


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__name__", None) or repr(function)
