"""Held blocks as they stand in a page: what the browser runtime opens once it is granted, or loads the page again for."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from consent.web.runtime import block_key
from consent.web.visit import Visit
from consent.wire.held_markup import hold


def write_block(visit: Visit, keys: Sequence[str], markup: str) -> Markup:
    """Return the block that holds `markup` until all of the keys are granted."""
    return Markup(hold(markup, keys=keys, page_key=block_key(visit, keys), nonce=visit.nonce))  # noqa: S704 - escaped by hold


def write_reminder(visit: Visit, keys: Sequence[str]) -> Markup:
    """Return a block that holds nothing: once all of the keys are granted, the runtime loads the page again.

    For markup that nobody can put back where it stood; then the server sends it as it was written.
    """
    return Markup(hold("", keys=keys, page_key="", nonce=visit.nonce))  # noqa: S704 - escaped by hold
