"""Declarations given anything are made, or refused with a ConfigError: a mistake in a config is never a crash without a name."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from urllib.parse import quote, urljoin

from hypothesis import example, given
from hypothesis import strategies as st

from consent.core.cookie_declaration import CookieDeclaration
from consent.core.declaration import Purpose, Service
from consent.core.embed import Embed, Parameter
from consent.errors import ConfigError

EMBED = {"url": "https://v.example/{id}", "source_url": "/x/{id}", "id_pattern": "[a-z/.]{1,9}", "id_example": "abc"}
WHOLE: list[tuple[type, dict[str, Any]]] = [
    (Purpose, {"key": "ads"}),
    (Service, {"key": "stats", "name": "Stats", "purposes": ("analytics",), "embed": Embed(**EMBED)}),  # type: ignore[arg-type]  # texts all
    (CookieDeclaration, {"name": "_a", "days": 1}),
    (Parameter, {"name": "id", "pattern": "[a-z]", "example": "a"}),
    (Embed, EMBED),
]
TEXTS = st.text(max_size=8) | st.sampled_from(
    [
        "",
        "https://[",
        "https://[::1",
        "//x",
        "https://a:b/{id}",
        "/{id}",
        "{id}",
        "[",
        "(?P<a",
        "*",
        "__*",
        "*.com",
        "\0",
        "..",
        "class",
        "\ud800",
    ]
)
VALUES = st.recursive(
    TEXTS | st.none() | st.booleans() | st.integers() | st.floats() | st.binary(max_size=3) | st.just(object()),
    lambda inner: (
        st.lists(inner, max_size=2) | st.tuples(inner) | st.dictionaries(TEXTS | st.integers(), inner, max_size=2)
    ),
    max_leaves=3,
)


@st.composite
def declarations(draw):
    kind, fields = draw(st.sampled_from(WHOLE))
    names = st.sampled_from(sorted({*kind.__dataclass_fields__} - {"_"}))
    return kind, fields | draw(st.dictionaries(names, VALUES, min_size=1, max_size=2))


@given(declarations())
@example((Service, {"key": "stats", "name": "Stats", "purposes": ("analytics",), "hosts_by_use": {"script": (1,)}}))
@example((Service, {"key": "stats", "name": "Stats", "purposes": ("analytics",), "signals": [["google"]]}))
@example((Service, {"key": "stats", "name": "Stats", "purposes": [["analytics"]]}))
@example((CookieDeclaration, {"name": "_a", "days": 1, "kind": []}))
@example((Embed, EMBED | {"url": "https://[/{id}"}))
def test_whatever_is_declared_is_made_or_refused(declared):
    kind, fields = declared
    with suppress(ConfigError):
        kind(**fields)


@given(st.text("ab./\\%2e", max_size=12))
@example("/evil.example/p")
@example("../evil")
def test_id_that_is_taken_stays_in_its_folder(embed_id):
    given = {"url": "/videos/{id}", "keeps_slashes": True, "id_pattern": r"[a-z./%2\\]{1,20}"}
    embed = Embed(**EMBED | given)  # type: ignore[arg-type]  # as it should be
    url = urljoin("https://news.example/page", embed.url.replace("{id}", quote(embed_id, safe="/")))

    assert not embed.takes(embed_id) or url.startswith("https://news.example/videos/")
