"""Whether what needs keys may run in the page of this visitor."""

from __future__ import annotations

from collections.abc import Sequence

from consent.core import gate
from consent.web.visit import Visit


def is_live(visit: Visit, keys: Sequence[str]) -> bool:
    """Whether markup that needs all of these keys goes out live.

    Besides what is granted, that is what `CONSENT_ADVANCED` loads before the choice. What is granted and yet waits until a
    script has asked the browser for its signal is not live.
    """
    held_keys = [key for key in keys if key not in visit.site.signals.advanced]
    return not held_keys or (gate.is_open(visit.decision, held_keys) and visit.waiting.isdisjoint(held_keys))
