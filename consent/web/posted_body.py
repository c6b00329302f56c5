"""The body of a request, read up to a limit and no further."""

from __future__ import annotations

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge

from consent.errors import SubmissionError


def read_body(limit: int) -> bytes:
    """Return the body of the current request.

    Args:
        limit: How many bytes it may have.

    Raises:
        SubmissionError: 413 if it has more.
    """
    if (request.content_length or 0) > limit:
        raise _too_large(limit)
    try:
        # Without a length, what is read must be bounded here; empty means that a hook read and kept it.
        body = b"" if request.content_length is not None else request.stream.read(limit + 1)
        body = body or request.get_data()
    except RequestEntityTooLarge as error:
        raise _too_large(limit) from error
    if len(body) > limit:
        raise _too_large(limit)
    return body


def _too_large(limit: int) -> SubmissionError:
    return SubmissionError(f"The body is longer than {limit} bytes.", code="too_large", status=413)
