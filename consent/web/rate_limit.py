"""The site's own word on who posts too much."""

from __future__ import annotations

import logging
from math import ceil

from consent.web.site import Site

log = logging.getLogger("consent")

# What a proxy or a client still believes of `Retry-After`.
_WAIT_LIMIT_SECONDS = 24 * 60 * 60


def find_wait_seconds(site: Site) -> int:
    """Return for how many seconds the client of the current request has to wait; 0 for not at all.

    A function that fails, or answers with anything but a number, limits nobody: it guards the ledger from being filled,
    and must not keep visitors from choosing.
    """
    ask = site.settings.ledger_rate_limit
    if ask is None:
        return 0
    try:
        answer = ask()
        seconds = 0 if answer is None else ceil(float(answer))  # type: ignore[arg-type]  # whatever it is, `float` says whether it is a number
    except Exception:  # the site's own code
        log.exception("The function given as 'CONSENT_LEDGER_RATE_LIMIT' failed: nobody is limited.")
        return 0
    return max(0, min(seconds, _WAIT_LIMIT_SECONDS))
