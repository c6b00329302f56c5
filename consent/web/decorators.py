"""Views that need consent to do what they do."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import ParamSpec

from flask import Response, current_app, make_response, render_template
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import Forbidden

from consent.core.gate import is_open
from consent.errors import SetupError
from consent.web.visit import Visit, get_visit

P = ParamSpec("P")
View = Callable[P, ResponseReturnValue]


def requires_consent(*keys: str, otherwise: View[P] | None = None) -> Callable[[View[P]], View[P]]:
    """Let a view run only if every purpose and service named is granted.

    Args:
        keys: Purposes and services; all must be granted.
        otherwise: View to run instead, with the same arguments; None for a page with status 403
            that says what is missing and links to the preferences.

    Raises:
        SetupError: If no key is given.
        UnknownKeyError: At the request, if the policy does not declare a key.
    """
    if not keys:
        raise SetupError("requires_consent() needs at least one key, such as @requires_consent('analytics').")

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            visit = get_visit()
            for key in keys:
                visit.policy.check_key(key, where=f"@requires_consent on {view.__qualname__}")
            if is_open(visit.decision, keys):
                return _run(view, *args, **kwargs)
            if otherwise is not None:
                return _run(otherwise, *args, **kwargs)
            raise Forbidden(response=_refuse(visit, keys))

        return guarded

    return decorate


def _run(view: View[P], *args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
    """Call a view, an async one included."""
    result: ResponseReturnValue = current_app.ensure_sync(view)(*args, **kwargs)
    return result


def _refuse(visit: Visit, keys: tuple[str, ...]) -> Response:
    missing = [visit.title_of(key) for key in keys if not is_open(visit.decision, (key,))]
    page = render_template("consent/forbidden.html", visit=visit, missing=missing, back_url=visit.home_path)
    return make_response(page, HTTPStatus.FORBIDDEN)
