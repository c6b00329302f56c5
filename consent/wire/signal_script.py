"""Calls of a provider's API, as the text of a script."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from consent.wire.held_markup import encode_json


def write_calls(calls: Iterable[tuple[str, Sequence[object]]]) -> str:
    """Return one line of JavaScript for each call, safe between `<script>` and `</script>`.

    Args:
        calls: Name of the function, and its arguments as plain JSON values.
    """
    return "\n".join(f"{name}({', '.join(map(encode_json, arguments))});" for name, arguments in calls)
