"""`Permissions-Policy`: the browser's own advertising features stay shut until advertising is granted."""

from __future__ import annotations

from consent.core import gate
from consent.core.declaration import PurposeKind
from consent.web.departure import Departing
from consent.web.site import Site
from consent.wire.permissions_policy import RETIRED_FEATURES, list_features, write_denials

NAME = "Permissions-Policy"


class PermissionsHeader:
    """Add the header to pages."""

    def __init__(self, site: Site) -> None:
        policy = site.engine.policy
        self._site = site
        self._purposes = tuple(each.key for each in policy.purposes if each.kind == PurposeKind.ADVERTISING)

    def add(self, departing: Departing) -> None:
        """Shut what is not granted and what the app says nothing of: of a feature that is named twice, the last word counts."""
        if not departing.is_page:
            return
        # Nothing to grant: shut for everyone, whoever they are.
        if self._purposes and gate.is_open(departing.visit.decision, self._purposes):
            return
        self._deny(departing)

    def close(self, departing: Departing) -> None:
        """Shut what the app says nothing of, whoever the visitor is."""
        if departing.is_page:
            self._deny(departing)

    def _deny(self, departing: Departing) -> None:
        given = ", ".join(departing.find_values(NAME)) if NAME.lower() in departing.names else ""
        named = list_features(given)
        if named is None:
            self._site.warn_once(
                NAME,
                "The app's header %r is malformed: %r. Browsers ignore all of it, and would ignore ours beside it, so "
                "advertising features of browsers stay open. Correct it, for example to 'camera=(), geolocation=(self)'.",
                NAME,
                given,
            )
            return
        self._warn_of_retired(named)
        denials = write_denials(named)
        if denials and not given:
            # In place of an empty one: joined to that, it would be malformed.
            departing.replace(NAME, [denials])
        elif denials:
            departing.add(NAME, denials)

    def _warn_of_retired(self, named: tuple[str, ...]) -> None:
        for name in sorted(RETIRED_FEATURES.intersection(named)):
            self._site.warn_once(
                f"{NAME} {name}",
                "The app's header %r names %r, which browsers no longer know. Leave it out.",
                NAME,
                name,
            )
