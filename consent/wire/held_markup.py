"""Markup that is held back until consent: an inert data block.

A `<template>` would leak: Firefox fetches the images in it while parsing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape

# No character that could end the element or, in old engines, a line (HTML Standard, "Restrictions for contents
# of script elements").
_ESCAPES = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"},
)
# The quotes around the value; and control characters, whose references mean others (HTML Standard, "Numeric
# character reference end state").
_ATTRIBUTE_ESCAPES = _ESCAPES | {ord("'"): "\\u0027"} | {code: f"\\u{code:04x}" for code in range(0x7F, 0xA0)}


def hold(markup: str, *, keys: Sequence[str], page_key: str, nonce: str) -> str:
    """Return the block that holds `markup` for the browser runtime to open.

    Args:
        keys: Purposes and services that all must be granted.
        page_key: Random key of this response; the runtime opens no block with another one.
        nonce: The response's CSP nonce; empty for none.
    """
    nonce_attribute = f' nonce="{escape(nonce)}"' if nonce else ""
    return (
        f'<script type="application/json" data-consent-gate="{escape(" ".join(keys))}" '
        f'data-consent-key="{escape(page_key)}"{nonce_attribute}>{encode_json(markup)}</script>'
    )


def encode_json(value: object) -> str:
    """Return JSON that is safe between `<script>` and `</script>`."""
    return json.dumps(value, ensure_ascii=False).translate(_ESCAPES)


def encode_attribute_json(value: object) -> str:
    """Return short JSON that is safe in an attribute between single quotes."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(_ATTRIBUTE_ESCAPES)
