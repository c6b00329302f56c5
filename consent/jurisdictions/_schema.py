"""The schema of a row: in the shipped file, and in `CONSENT_JURISDICTION_RULES`."""

from __future__ import annotations

import re
from collections.abc import Mapping

from consent.core.data_schema import DATE, TABLES, TEXT, TEXTS, WHOLE, Kind, Table

_COUNTRY = re.compile(r"[A-Z]{2}")


def _is_texts_by_name(value: object) -> bool:
    return isinstance(value, Mapping) and all(isinstance(text, str) for text in (*value, *value.values()))


def _is_countries(value: object) -> bool:
    return TEXTS.accepts(value) and isinstance(value, list | tuple) and all(map(_COUNTRY.fullmatch, value))


ROW = Table(
    fields={
        "key": TEXT,
        "name": TEXT,
        "regime": TEXT,
        "regime_by_kind": Kind(words="a table of regimes by kind of purpose", accepts=_is_texts_by_name),
        "countries": Kind(words="a list of country codes such as 'FR'", accepts=_is_countries),
        "without_region": TEXT,
        "regions": TEXTS,
        "accept_months": WHOLE,
        "refuse_months": WHOLE,
        "gpc_mandatory_from": DATE,
        "rules": TEXTS,
        "effective_from": DATE,
        "basis": TEXT,
        "sources": TEXTS,
    },
    required=("key", "name", "regime", "accept_months", "refuse_months", "basis", "sources"),
)
"""Its fields are those of `Jurisdiction`."""

RULES = Table(
    fields={"checked": DATE, "jurisdiction": TABLES},
    required=("checked", "jurisdiction"),
    tables={"jurisdiction": ROW},
)
"""The whole shipped file."""
