"""Services that the sites of the tests declare."""

from __future__ import annotations

from consent import CookieDeclaration, Embed, Service

FILM_HOST = "film.localhost"


def make_stats(*cookies: CookieDeclaration) -> Service:
    """Return a service that counts, and what it stores."""
    return _make("stats", "analytics", *cookies)


def make_ads(*cookies: CookieDeclaration) -> Service:
    """Return a service that advertises, and what it stores."""
    return _make("ads", "marketing", *cookies)


def _make(key: str, purpose: str, *cookies: CookieDeclaration) -> Service:
    return Service(
        key,
        name=key.title(),
        purposes=(purpose,),
        provider=f"{key.title()} Ltd",
        provider_country="FR",
        cookies=cookies,
    )


def make_film(url: str) -> Service:
    """Return a service whose films are embedded.

    Args:
        url: Address of a frame, with `{id}` where the film's name goes.
    """
    return Service(
        "film",
        name="Film",
        purposes=("marketing",),
        provider="Film Ltd",
        provider_country="FR",
        hosts=(FILM_HOST,),
        embed=Embed(url=url, source_url=f"http://{FILM_HOST}/watch/{{id}}", id_pattern="[a-z]+", id_example="ferry"),
    )
