"""Where a visitor is: as the site's own function, a CDN's headers or a database on the server say.

Nothing that a visitor can write is believed, and whatever is not said clearly is not known: then the strictest rules hold.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from consent.core.jurisdiction import Place, parse_place
from consent.errors import ConfigError, quote_all
from consent.web.geo import DATABASE_KEY, open_database
from consent.web.site_function import ALLOWED_BY_FAULT, find_fault

log = logging.getLogger("consent")

CALLABLE_KEY = "jurisdiction"
HEADERS_KEY = "CONSENT_JURISDICTION_HEADERS"

# No underscore: in a WSGI environment it cannot be told from a hyphen, so visitors could write the header under it.
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]+")
_WRITTEN_BY_VISITORS = re.compile(
    r"(?:accept|access-control|content|if|proxy|sec|x-requested)(?:-.*)?|x-forwarded(?:-(?:by|for|host|port|prefix|proto|server))?"
    r"|(?:cf-connecting|true-client|x-client|x-cluster-client|x-real)-ip|authorization|cache-control|connection|cookie|dnt|expect"
    r"|forwarded|from|host|origin|pragma|range|referer|te|transfer-encoding|upgrade|upgrade-insecure-requests|user-agent|via",
    re.IGNORECASE,
)


class PlaceFinder(Protocol):
    """Say where the visitor behind a request is."""

    @property
    def vary(self) -> tuple[str, ...]:
        """Names of the request headers that the answer depends on."""
        ...

    def find(self, environ: Mapping[str, object], /) -> Place | None:
        """Return the place, or None for not known. Never raises; call it within the request.

        Args:
            environ: The WSGI environment of the request.
        """
        ...


def make_finder(*, jurisdiction: object = None, headers: object = None, database: object = None) -> PlaceFinder | None:
    """Return what finds the visitor's place; None if the site says of no way.

    Everything is checked here, so that a request cannot fail.

    Args:
        jurisdiction: `Consent(jurisdiction=…)`: a function without arguments that returns a text such as `FR` or
            `us-ca`, a `Place`, a pair of country and region, or None.
        headers: `CONSENT_JURISDICTION_HEADERS`: names of the CDN's country header and, if there is one, of its region
            header.
        database: `CONSENT_JURISDICTION_DATABASE`: path of an MMDB file.

    Raises:
        ConfigError: If a value is wrong, or more than one way is given.
        MissingExtraError: If a database is given and its reader is not installed.
    """
    given = {CALLABLE_KEY: jurisdiction, HEADERS_KEY: headers, DATABASE_KEY: database}
    used = [key for key, value in given.items() if value not in (None, (), [])]
    if len(used) > 1:
        raise ConfigError(
            f"More than one setting says where visitors are: {quote_all(used)}. Keep one of them.",
            key=used[0],
            value=used,
        )
    makers: dict[str, Callable[[object], PlaceFinder]] = {
        CALLABLE_KEY: _use_callable,
        HEADERS_KEY: _use_headers,
        DATABASE_KEY: open_database,
    }
    return makers[used[0]](given[used[0]]) if used else None


@dataclass(slots=True, kw_only=True)
class CallableFinder:
    """Ask the site's own function."""

    ask: Callable[[], object]
    vary: tuple[str, ...] = ()
    """Empty: what the function looks at, only the site knows."""

    _is_reported: bool = False

    def find(self, _environ: Mapping[str, object], /) -> Place | None:
        """Return what the function says; None for whatever is no place, and when it raises."""
        try:
            return _read_answer(self.ask())
        except Exception:  # the site's own code: whatever it raises, the visitor's place is not known
            if not self._is_reported:
                self._is_reported = True
                log.exception(
                    "The function given as 'jurisdiction' did not say where the visitor is: it counts as unknown. This is "
                    "logged once."
                )
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderFinder:
    """Read the headers that a CDN writes."""

    vary: tuple[str, ...]
    country_key: str
    """Name of the country header in a WSGI environment."""

    region_key: str = ""
    """Name of the region header there; empty for none."""

    def find(self, environ: Mapping[str, object], /) -> Place | None:
        """Return what the headers say; None if they say nothing, or not with one voice."""
        country = _read_field(environ.get(self.country_key))
        region = _read_field(environ.get(self.region_key)) if self.region_key else ""
        if country is None or region is None:
            return None
        place, without_region = parse_place(country, region), parse_place(country)
        # `US-CA` beside `TX`.
        if place and without_region and without_region.region not in ("", place.region):
            return None
        return place


def _use_callable(jurisdiction: object) -> CallableFinder:
    if not callable(jurisdiction):
        raise _refuse_callable(jurisdiction, "a function without arguments that returns where the visitor is")
    fault = find_fault(jurisdiction)
    if fault:
        raise _refuse_callable(jurisdiction, ALLOWED_BY_FAULT[fault])
    return CallableFinder(ask=jurisdiction)


def _refuse_callable(value: object, allowed: str) -> ConfigError:
    return ConfigError(f"{CALLABLE_KEY!r} must be {allowed}, got {value!r}.", key=CALLABLE_KEY, value=value)


def _read_answer(answer: object) -> Place | None:
    """Read what the site's function returned; no error shows it, since it may hold an address.

    Raises:
        TypeError: If it is of a type that cannot be a place.
        ValueError: If it is a text that cannot be a country code.
    """
    if answer is None or isinstance(answer, Place):
        return answer
    match answer:
        case str():
            country, region = answer, None
        case (str() | None as country, str() | None as region):
            pass
        case _:
            raise TypeError(
                f"The answer is of type {type(answer).__name__!r}. Return a text such as 'FR' or 'US-CA', a Place, a pair "
                "(country, region), or None."
            )
    place = parse_place(country, region)
    # Two characters may be what a service says when it does not know, such as 'XX'.
    if place is None and country and len(country.strip().partition("-")[0]) != 2:
        raise ValueError("The answer is a text that is no ISO 3166-1 alpha-2 code, such as 'FR'.")
    return place


def _use_headers(headers: object) -> HeaderFinder:
    if not isinstance(headers, list | tuple) or not 1 <= len(headers) <= 2:
        raise ConfigError(
            f"{HEADERS_KEY!r} must be a list of one or two request header names, the country's first, such as "
            f"['CF-IPCountry', 'CF-Region-Code'], got {headers!r}.",
            key=HEADERS_KEY,
            value=headers,
        )
    for name in headers:
        _check_header(name)
    keys = ["HTTP_" + name.upper().replace("-", "_") for name in headers]
    if len(set(keys)) < len(keys):
        raise _refuse_header(headers[0], "twice", "Leave one of them out, or name the region's header second.")
    return HeaderFinder(vary=tuple(headers), country_key=keys[0], region_key=keys[1] if len(keys) > 1 else "")


def _check_header(name: object) -> None:
    if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name):
        raise _refuse_header(
            name,
            "which is no header name that can be used here",
            "Use letters, digits and hyphens, as in 'CF-IPCountry'.",
        )
    if _WRITTEN_BY_VISITORS.fullmatch(name):
        raise _refuse_header(
            name,
            "which visitors can write: each could choose the law that holds for them",
            "Name a header that your CDN writes on every request, such as 'CF-IPCountry'.",
        )


def _refuse_header(name: object, found: str, advice: str) -> ConfigError:
    return ConfigError(f"{HEADERS_KEY!r} names {name!r}, {found}. {advice}", key=HEADERS_KEY, value=name)


def _read_field(value: object) -> str | None:
    """Return what a header field says, in capitals; None if it says different things, or something beyond ASCII.

    A server joins fields of one name by commas.
    """
    text = str(value or "")
    said = {part.strip(" \t").upper() for part in text.split(",")}
    return said.pop() if len(said) == 1 and text.isascii() else None
