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


def write_unless_told(key: str, text: str) -> str:
    """Return a script for a part of a page: it runs only if the page that the part goes into has told the provider nothing.

    Args:
        key: The adapter's, which is on the script element itself and on any that was there before. One without the
            response's nonce is somebody else's markup.
    """
    selector = encode_json(f"script[data-consent-told={encode_json(key)}]")
    own = "each.nonce === document.currentScript.nonce"
    return f"if ([...document.querySelectorAll({selector})].filter((each) => {own}).length < 2) {{\n{text}\n}}"
