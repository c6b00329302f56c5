"""The shipped catalogue as its tests go through it: every entry, what hostile sites pass to it, and its markup as a browser reads it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Final
from urllib.parse import urlsplit

import html5lib
from jinja2 import Environment, StrictUndefined

from consent.catalogue import Entry, load_entry, read_shipped, service_keys
from consent.core.declaration import Service
from consent.core.embed import Embed

KEYS: Final = service_keys()


def _list_keys_with(field: str) -> tuple[str, ...]:
    # Not from what was loaded: a malformed file is to fail one test, not to keep all of them from running.
    return tuple(key for key in KEYS if field in tomllib.loads(read_shipped(key)))


SCRIPTED: Final = _list_keys_with("snippet")
EMBEDDED: Final = _list_keys_with("embed")
CANDIDATES: Final = _list_keys_with("necessary_when")
"""What a site may call necessary, on its own word."""

LANGUAGES: Final = frozenset({"en", "de", "fr", "es", "zh-Hans", "ar"})
NONCE: Final = "bm9uY2U"

HOSTILE: Final = (
    '"><script>alert(1)</script>',
    "</script>",
    "<!--",
    "{{7*7}}",
    "{% raw %}",
    '"',
    "'",
    "`",
    "${alert(1)}",
    "a\nb",
    "a\rb",
    "a\0b",
    "a\u2028b",
    "a\u2029b",
    "a\u202eb",
    "a\ud800b",
    "javascript:alert(1)",
    "//evil.example",
    "https://evil.example\\@stats.example",
    "",
)
"""Values that no parameter and no id is like."""

BREAKING: Final = ('"', "</script>", "\\", "'".join(value for value in HOSTILE if "\ud800" not in value))
"""Values that break out of a quoted attribute, a string or a script where nothing escapes them; the last is all of them
in one, but for a lone surrogate, which cannot be written at all."""

Element = tuple[str, Mapping[str, str], str]
"""Tag, attributes and text."""

# In the browser these make a request, or post to an address.
_LOADING = frozenset({"src", "srcset", "href", "data", "poster", "action", "formaction", "ping", "background"})


@cache
def load(key: str) -> Entry:
    """Return an entry, read once."""
    return load_entry(key)


def service_of(key: str) -> Service:
    """Return the service of an entry."""
    return load(key).service


def embed_of(key: str) -> Embed:
    """Return the embed of an entry that has one."""
    embed = service_of(key).embed
    assert embed
    return embed


def examples(service: Service, *, only_required: bool = False) -> dict[str, str]:
    """Return a value for each parameter; those that are left out are empty."""
    return {each.name: each.example if each.required or not only_required else "" for each in service.parameters}


def render(service: Service, *, nonce: str = NONCE, **parameters: str) -> str:
    """Return a snippet as the library renders it, but with whatever values are given."""
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    return environment.from_string(service.snippet).render(nonce=nonce, **parameters)


def render_example(key: str) -> str:
    """Return a service's snippet with the examples of all its parameters."""
    service = service_of(key)
    return render(service, **examples(service))


@cache
def parse(markup: str) -> Sequence[Element]:
    """Return every element, in document order; text between elements must be blank."""
    fragment = html5lib.parseFragment(markup, namespaceHTMLElements=False)
    assert not (fragment.text or "").strip()
    assert not any((element.tail or "").strip() for element in fragment.iter())
    return [
        (element.tag, dict(element.attrib), element.text or "")
        for element in fragment.iter()
        if element is not fragment
    ]


def inline_scripts(markup: str) -> list[str]:
    """Return the text of each script that loads nothing."""
    return [text for tag, attributes, text in parse(markup) if tag == "script" and "src" not in attributes]


def find_urls(markup: str) -> list[str]:
    """Return each address that the elements of some markup load from."""
    return [attributes[name] for _, attributes, _ in parse(markup) for name in sorted(_LOADING & attributes.keys())]


def hosts_of(markup: str) -> set[str]:
    """Return the host of each address anywhere in some markup, in its scripts too."""
    urls = re.findall(r"(?:https?:|(?<=[\"'(]))//[^\"'\s<)]+", markup)
    return {urlsplit(url).hostname or "" for url in urls}


def walk_words(entry: Entry) -> Iterator[Mapping[str, str]]:
    """Yield the words of an entry's own, by language."""
    service = entry.service
    for words in (service.description, service.justification, *(cookie.description for cookie in service.cookies)):
        if words:
            assert isinstance(words, Mapping)
            yield words
