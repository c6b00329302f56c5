"""Whose cookie it is by its name, and whether the visitor has granted any of those services."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from consent.core.cookie_declaration import CookieDeclaration, spell_name
from consent.core.decision import Decision
from consent.core.declaration import Service
from consent.core.policy import Policy
from consent.core.record import Choice


@dataclass(frozen=True, slots=True, kw_only=True)
class CookieOwner:
    """Hold whose a cookie is."""

    services: tuple[str, ...]
    """Keys of all services that declare it, in the order of the policy."""

    purposes: tuple[str, ...]
    """Keys of the purposes of those services, each once."""

    declared_name: str
    """The first declaration that means it: its own name, or a pattern such as `_ga_*`."""

    is_necessary: bool
    """Whether one of the services needs no consent."""


_Declared = tuple[Service, CookieDeclaration]


class CookieIndex:
    """Look cookies of the site's own hosts up by their names.

    Kinds of storage that no header can set, and cookies on a provider's host, are nobody's here.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        declared = [
            (service, cookie) for service in policy.services for cookie in service.cookies if cookie.is_clearable
        ]
        self._patterns = tuple(
            (re.compile(spell_name(cookie.name), re.DOTALL), service, cookie)
            for service, cookie in declared
            if cookie.is_pattern
        )
        exact = {cookie.name: [each for each in declared if each[1].name == cookie.name] for _, cookie in declared}
        self._owners = {name: self._make_owner([*each, *self._match(name)]) for name, each in exact.items()}
        self.optional = tuple(cookie for service, cookie in declared if policy.optional_purposes_of(service))
        """What is declared by services that need consent."""

    def find_owner(self, name: str) -> CookieOwner | None:
        """Return whose cookie it is; None if nobody declares it. Case counts in the names of cookies."""
        found = self._owners.get(name)
        if found is not None:
            return found
        matching = self._match(name)
        return self._make_owner(matching) if matching else None

    def _match(self, name: str) -> list[_Declared]:
        return [(service, cookie) for pattern, service, cookie in self._patterns if pattern.fullmatch(name)]

    def _make_owner(self, found: Sequence[_Declared]) -> CookieOwner:
        keys = {service.key for service, _ in found}
        services = [service for service in self._policy.services if service.key in keys]
        return CookieOwner(
            services=tuple(service.key for service in services),
            purposes=tuple(dict.fromkeys(key for service in services for key in service.purposes)),
            declared_name=found[0][1].name,
            is_necessary=not all(map(self._policy.optional_purposes_of, services)),
        )


def is_cookie_open(owner: CookieOwner, decision: Decision, *, waiting: Collection[str] = ()) -> bool:
    """Whether a cookie may be set: what any granted service declares may, even where one that is refused means it too.

    Args:
        waiting: Keys of what is granted and yet has to wait.
    """
    return any(decision.services[key] is Choice.GRANTED and key not in waiting for key in owner.services)
