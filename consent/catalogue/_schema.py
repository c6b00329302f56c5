"""The schemas of the catalogue's files: services, and signal adapters."""

from __future__ import annotations

from consent.core.data_schema import DATE, LIST, SWITCH, TABLE, TABLES, TEXT, TEXTS, WHOLE, WORDS, Table
from consent.core.declaration import HostUse

_COOKIE = Table(
    fields={
        "name": TEXT,
        "months": WHOLE,
        "days": WHOLE,
        "minutes": WHOLE,
        "session": SWITCH,
        "unpublished": SWITCH,
        "kind": TEXT,
        "domain": TEXT,
        "path": TEXT,
        "third_party": SWITCH,
        "use": TEXT,
        "description": WORDS,
    },
    required=("name",),
    notes={"source": TEXT, "checked": DATE},
)
_PARAMETER = Table(
    fields={"name": TEXT, "pattern": TEXT, "example": TEXT, "required": SWITCH},
    required=("name", "pattern", "example"),
)
_EMBED = Table(
    fields={
        "url": TEXT,
        "source_url": TEXT,
        "id_pattern": TEXT,
        "id_example": TEXT,
        "keeps_slashes": SWITCH,
        "width": WHOLE,
        "height": WHOLE,
        "allow": TEXT,
        "pasted_urls": TEXTS,
    },
    required=("url", "source_url", "id_pattern", "id_example"),
)
_HOSTS = Table(fields=dict.fromkeys(map(str, HostUse), TEXTS), required=())
SERVICE = Table(
    fields={
        "name": TEXT,
        "kind": TEXT,
        "purposes": TEXTS,
        "hosts": TABLE,
        "provider": TEXT,
        "provider_country": TEXT,
        "privacy_url": TEXT,
        "description": WORDS,
        "justification": WORDS,
        "snippet": TEXT,
        "signals": TEXTS,
        "third_party_use": SWITCH,
        "revision": WHOLE,
        "cookies": TABLES,
        "parameters": TABLES,
        "embed": TABLE,
    },
    required=("name", "purposes", "hosts"),
    notes={"sources": TEXTS, "checked": DATE, "not_known": TEXT, "cookieless": TEXT, "necessary_when": TEXT},
    tables={"hosts": _HOSTS, "cookies": _COOKIE, "parameters": _PARAMETER, "embed": _EMBED},
)
"""A service's file; its fields are those of `Service`, but for the key, which is the file's name, and `hosts`, which are sorted."""

_CALL = Table(
    fields={"call": TEXT, "arguments": LIST, "when": TABLE, "regimes": TEXTS, "while_asking": SWITCH, "option": TEXT},
    required=("call",),
)
ADAPTER = Table(
    fields={"name": TEXT, "stub": TEXT, "types": TABLE, "options": TABLE, "before": TABLES, "change": TABLES},
    required=("name", "types", "before"),
    notes={"sources": TEXTS, "checked": DATE, "not_known": TEXT},
    tables={"before": _CALL, "change": _CALL},
)
"""A signal adapter's file; its fields are those of `SignalAdapter`, but for the key, which is the file's name."""
