"""Check one value of a declaration, and make it immutable."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType, UnionType
from typing import TypeVar
from urllib.parse import urlsplit

from consent.errors import ConfigError, quote_all

Member = TypeVar("Member", bound=StrEnum)

Text = str | Mapping[str, str]
"""Words for the visitor: plain text, or plain text by language tag (`{"en": …, "de": …}`)."""

# `*.com` would be half of the web: after `*.` stand two labels at least, but for the developer's own machine.
HOST = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*|\*\.(?:localhost|[a-z0-9-]+(?:\.[a-z0-9-]+)+)")
"""A host name, or `*.` and one for all of its subdomains."""


def check_url(url: str, *, where: str) -> None:
    """Refuse everything but an absolute http(s) URL or a path on this site.

    Raises:
        ConfigError: For `javascript:`, `data:`, `//host`, a host or port that is none, control characters and the like.
    """
    is_path = url.startswith("/") and not url.startswith(("//", "/\\"))
    is_web = url.startswith(("https://", "http://")) and _has_host(url)
    if (is_path or is_web) and not any(character <= " " or character == "\x7f" for character in url):
        return
    raise ConfigError(
        f"{where} holds the URL {url!r}. Allowed are 'https://…', 'http://…' or a path such as '/privacy'.",
        key=where,
        value=url,
    )


def check_pattern(pattern: str, example: str, *, where: str) -> None:
    """Refuse a regular expression that does not compile or does not match its own example.

    Raises:
        ConfigError: With the pattern and what is wrong with it.
    """
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise ConfigError(
            f"The pattern {pattern!r} of {where} does not compile: {error}.", key=where, value=pattern
        ) from error
    if not compiled.fullmatch(example):
        raise ConfigError(
            f"The pattern {pattern!r} of {where} refuses its own example {example!r}.", key=where, value=example
        )


def as_tuple(values: object, *, where: str) -> tuple[object, ...]:
    """Return what was given as a list; a text is no list of letters.

    Raises:
        ConfigError: If it is a text, or nothing to go through.
    """
    if isinstance(values, str):
        raise ConfigError(
            f"{where} must be a list, got the text {values!r}. Write ({values!r},).", key=where, value=values
        )
    if not isinstance(values, Iterable):
        raise ConfigError(f"{where} must be a list, got {values!r}.", key=where, value=values)
    return tuple(values)


def freeze(text: Text, *, where: str) -> Text:
    """Return words for the visitor as plain, immutable text.

    Raises:
        ConfigError: If it is neither a text nor texts by language.
    """
    if not isinstance(text, str | Mapping) or not all(isinstance(words, str) for words in _words_of(text)):
        raise ConfigError(
            f"Words of {where} must be a text, or texts by language, got {text!r}.", key=where, value=text
        )
    # `str()` also takes the safe mark off a `Markup`: what is declared are words, and templates escape them.
    if isinstance(text, str):
        return str(text)
    return MappingProxyType({tag: str(words) for tag, words in text.items()})


def check_types(declared: object, where: str, types: Mapping[str, type | UnionType]) -> None:
    """Refuse fields of another type than the named ones.

    Raises:
        ConfigError: With the field, the type it needs and what was found.
    """
    for name, kind in types.items():
        value = getattr(declared, name)
        # `True` is an int to Python, and never what was meant here.
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            wanted = getattr(kind, "__name__", str(kind))
            raise ConfigError(f"{name!r} of {where} must be of type {wanted}, got {value!r}.", key=where, value=value)


def read_member(value: object, kind: type[Member], *, name: str, where: str) -> Member:
    """Return the member of an enumeration that a text stands for.

    Raises:
        ConfigError: With what is allowed.
    """
    try:
        return kind(str(value))
    except ValueError as error:
        raise ConfigError(
            f"{name!r} of {where} must be one of {quote_all(kind)}, got {value!r}.", key=name, value=value
        ) from error


def _has_host(url: str) -> bool:
    try:
        parts = urlsplit(url)
        # Reading the port is what checks it.
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _words_of(text: str | Mapping[str, str]) -> Iterable[object]:
    return (text,) if isinstance(text, str) else (*text.keys(), *text.values())
