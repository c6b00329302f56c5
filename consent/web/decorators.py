"""Views that need consent to do what they do."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import TypeVar, cast

from flask import Response, current_app, make_response, render_template
from flask.typing import ResponseReturnValue, RouteCallable
from werkzeug.exceptions import Forbidden

from consent.core.gate import is_open
from consent.errors import SetupError
from consent.web.visit import Visit, get_visit

V = TypeVar("V", bound=RouteCallable)


def requires_consent(*keys: str, otherwise: RouteCallable | None = None) -> Callable[[V], V]:
    """Let a view, async or not, run only if every purpose and service named is granted.

    Args:
        keys: Purposes and services; all must be granted.
        otherwise: View to run instead, with the same arguments; None for a page with status 403
            that says what is missing and links to the preferences.

    Raises:
        SetupError: If no key is given.
        UnknownKeyError: At the request, if the policy does not declare a key.
    """
    if not keys or callable(keys[0]):
        raise SetupError("requires_consent() needs at least one key, such as @requires_consent('analytics').")

    def decorate(view: V) -> V:
        @wraps(view)
        def guarded(*args: object, **kwargs: object) -> ResponseReturnValue:
            visit = get_visit()
            for key in keys:
                visit.policy.check_key(key, where=f"@requires_consent on {getattr(view, '__qualname__', view)}")
            if is_open(visit.decision, keys):
                return _run(view, *args, **kwargs)
            if otherwise is not None:
                return _run(otherwise, *args, **kwargs)
            raise Forbidden(response=_refuse(visit, keys))

        return cast(V, guarded)  # takes what the view takes, and answers as Flask would have the view answer

    return decorate


def _run(view: RouteCallable, *args: object, **kwargs: object) -> ResponseReturnValue:
    """Call a view, an async one included."""
    result: ResponseReturnValue = current_app.ensure_sync(view)(*args, **kwargs)
    return result


def _refuse(visit: Visit, keys: tuple[str, ...]) -> Response:
    missing = [visit.title_of(key) for key in keys if not is_open(visit.decision, (key,))]
    page = render_template("consent/forbidden.html", visit=visit, missing=missing, back_url=visit.home_path)
    return make_response(page, HTTPStatus.FORBIDDEN)
