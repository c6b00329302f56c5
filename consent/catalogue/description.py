"""A catalogue entry as plain values, and what a site writes to use it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date

from consent.catalogue.entry import CookieSource, Entry
from consent.core.cookie_declaration import CookieDeclaration
from consent.core.declaration import Service
from consent.core.declared_value import Text


def summarise(entry: Entry) -> dict[str, object]:
    """Return what a list says of an entry: `cookies` is their number, None if nobody knows what it stores."""
    service = entry.service
    return {
        "key": service.key,
        "name": service.name,
        "kind": str(service.kind),
        "purposes": list(service.purposes),
        "signals": list(service.signals),
        "cookies": None if service.has_unknown_storage else len(service.cookies),
    }


def describe(entry: Entry) -> dict[str, object]:
    """Return everything about an entry, as plain JSON values."""
    service = entry.service
    return {
        **summarise(entry),
        "provider": service.provider,
        "provider_country": service.provider_country,
        "privacy_url": service.privacy_url,
        "third_party_use": service.third_party_use,
        "hosts": {str(use): list(hosts) for use, hosts in service.hosts_by_use.items()},
        "parameters": [asdict(each) for each in service.parameters],
        "snippet": service.snippet,
        "embed": asdict(service.embed) if service.embed else None,
        "description": _as_plain(service.description),
        "justification": _as_plain(service.justification),
        "cookies": [
            _describe_cookie(cookie, source)
            for cookie, source in zip(service.cookies, entry.cookie_sources, strict=True)
        ],
        "has_unknown_storage": service.has_unknown_storage,
        "cookieless": entry.cookieless,
        "not_known": entry.not_known,
        "necessary_when": entry.necessary_when,
        "sources": list(entry.sources),
        "checked": _as_day(entry.checked),
        "file": str(entry.path) if entry.path else None,
        "markup": build_markup(service),
    }


def build_markup(service: Service) -> str:
    """Return what a template says to place a service, with the examples of its parameters."""
    key = _quote(service.key)
    if service.embed:
        return f'{{{{ embed({key}, {_quote(service.embed.id_example)}, title="…") }}}}'
    if service.snippet:
        given = [f"{each.name}={_quote(each.example)}" for each in service.parameters if each.required]
        return f"{{{{ script({', '.join([key, *given])}) }}}}"
    return f"{{% call gate({key}) %}}…{{% endcall %}}"


def describe_lifetime(cookie: CookieDeclaration) -> str:
    """Return how long a cookie stays, such as `24 months`."""
    if cookie.session or cookie.unpublished:
        return "session" if cookie.session else "lifetime not published"
    for unit in ("months", "days", "minutes"):
        count = getattr(cookie, unit)
        if count is not None:
            return f"{count} {unit if count > 1 else unit.removesuffix('s')}"
    return "until cleared"


def _describe_cookie(cookie: CookieDeclaration, source: CookieSource) -> dict[str, object]:
    return {
        "name": cookie.name,
        "kind": str(cookie.kind),
        "lifetime": describe_lifetime(cookie),
        "domain": cookie.domain,
        "path": cookie.path,
        "third_party": cookie.third_party,
        "use": str(cookie.use),
        "description": _as_plain(cookie.description),
        "source": source.source,
        "checked": _as_day(source.checked),
    }


def _as_plain(text: Text) -> object:
    return dict(text) if isinstance(text, Mapping) else text


def _as_day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _quote(text: str) -> str:
    # What JSON escapes, Jinja reads back.
    return json.dumps(text, ensure_ascii=False)
