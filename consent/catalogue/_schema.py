"""The schema of a catalogue file."""

from __future__ import annotations

from consent.core.data_schema import DATE, SWITCH, TABLE, TABLES, TEXT, TEXTS, WHOLE, WORDS, Table

_COOKIE = Table(
    fields={
        "name": TEXT,
        "months": WHOLE,
        "days": WHOLE,
        "minutes": WHOLE,
        "session": SWITCH,
        "kind": TEXT,
        "domain": TEXT,
        "path": TEXT,
        "third_party": SWITCH,
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
        "width": WHOLE,
        "height": WHOLE,
        "allow": TEXT,
    },
    required=("url", "source_url", "id_pattern", "id_example"),
)
SERVICE = Table(
    fields={
        "name": TEXT,
        "purposes": TEXTS,
        "hosts": TEXTS,
        "provider": TEXT,
        "provider_country": TEXT,
        "privacy_url": TEXT,
        "description": WORDS,
        "justification": WORDS,
        "snippet": TEXT,
        "third_party_use": SWITCH,
        "revision": WHOLE,
        "cookies": TABLES,
        "parameters": TABLES,
        "embed": TABLE,
    },
    required=("name", "purposes"),
    notes={"sources": TEXTS, "checked": DATE, "not_known": TEXT},
    tables={"cookies": _COOKIE, "parameters": _PARAMETER, "embed": _EMBED},
)
"""A whole file; its fields are those of `Service`, but for the key, which is the file's name."""
