"""Which host and which address belongs to which service: of the site's own services, and of all that the catalogue knows."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from html import unescape

from jinja2 import Template

from consent.catalogue.host_index import load_known, load_shared
from consent.core.declaration import Service
from consent.core.host_table import HostTable, list_rows
from consent.core.loader import Loader, list_embed_loaders, list_snippet_loaders
from consent.core.policy import Policy
from consent.web.settings import Settings

# Snippets are rendered with every value escaped, between double quotation marks.
_LOADED = re.compile(r'\s(?:src|href)="([^"]*)"')


def build_hosts(policy: Policy, settings: Settings, snippets: Mapping[str, Template]) -> Callable[[], HostTable]:
    """Return a function that gives the table of every known host; made at its first use, since most sites never need it."""

    @lru_cache(maxsize=1)
    def load() -> HostTable:
        known = load_known()
        own_loaders = [
            loader for service in policy.services for loader in list_loaders(service, snippets.get(service.key))
        ]
        keys = policy.services_by_key
        return HostTable(
            list_rows(policy.services),
            known=known.rows,
            own_hosts=settings.own_hosts,
            loaders=(*own_loaders, *(loader for loader in known.loaders if loader.service not in keys)),
            shared_hosts=load_shared(),
        )

    return load


def list_loaders(service: Service, snippet: Template | None) -> tuple[Loader, ...]:
    """Return the addresses by which a service is loaded: by its snippet, and as frames.

    Args:
        snippet: The service's, compiled; None for none.
    """
    framed = list_embed_loaders(service.key, service.embed) if service.embed else ()
    if snippet is None:
        return framed
    markup = snippet.render(**{each.name: each.example for each in service.parameters}, nonce="")
    urls = map(unescape, _LOADED.findall(markup))
    return (*framed, *list_snippet_loaders(service, urls))
