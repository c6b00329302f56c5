"""What a function that a site hands over must be: plain, and callable as it will be called."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from enum import Enum, auto


class Fault(Enum):
    """Say why a site's function cannot be used."""

    IS_ASYNC = auto()
    """Calling it gives nothing but a promise; it is wanted in the middle of a request."""

    TAKES_OTHERS = auto()
    """It cannot be called with the arguments it would get."""


ALLOWED_BY_FAULT: Mapping[Fault, str] = {
    Fault.IS_ASYNC: "a plain function, not an 'async' one: it is asked in the middle of a request",
    Fault.TAKES_OTHERS: "a function that can be called without arguments",
}
"""What a setting that is asked without arguments must be, by why it cannot be used."""


def find_fault(function: Callable[..., object], *arguments: object) -> Fault | None:
    """Return what is wrong with a site's function, before a request finds out; None for nothing.

    Args:
        arguments: Stand-ins for what it will be called with; only how many they are matters.
    """
    if any(map(_is_async, (function, type(function).__call__))):
        return Fault.IS_ASYNC
    try:
        inspect.signature(function).bind(*arguments)
    except TypeError:
        return Fault.TAKES_OTHERS
    except ValueError:  # one written in C may not say what it takes
        return None
    return None


def _is_async(function: object) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)
