"""Addresses by which a service is loaded: more telling than the host alone, which several services may share.

`www.googletagmanager.com/gtag/js?id=G-…` is Google Analytics and `?id=AW-…` is Google Ads; `www.google.com` serves maps and captchas.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qsl, unquote, urlsplit

from consent.core.declaration import HostUse, Service
from consent.core.embed import Embed

# Patterns are the catalogue's, addresses anybody's: nothing that identifies a service is longer.
_LENGTH_LIMIT = 2048
_ID = "{id}"
_MARK = "\0"
# A shorter example, such as `eu`, would be found in words that have nothing to do with it.
_TELLING_LENGTH = 4


@dataclass(frozen=True, slots=True)
class Address:
    """Hold what tells services apart in a URL, percent-encoding resolved."""

    host: str
    """In lower case, without a port."""

    path: str = "/"
    query: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Loader:
    """Describe the addresses by which one service is loaded."""

    service: str
    host: str
    """A host name, or `*.` and the name that all of them end in."""

    path: str
    """Regular expression of the whole path; its group `id`, if there is one, is the id of an embed."""

    query: tuple[tuple[str, str], ...] = ()
    """Names, and regular expressions of the whole values, of what must be in the query; `id` as in `path`."""

    @property
    def is_frame(self) -> bool:
        """Whether it is the address of an embed."""
        return any("(?P<id>" in pattern for pattern in (self.path, *(pattern for _, pattern in self.query)))

    def matches_path(self, address: Address) -> bool:
        """Whether host and path are those of the service, whatever the query says."""
        return _is_host(self.host, address.host) and _match(self.path, address.path) is not None

    def find_id(self, address: Address) -> str | None:
        """Return the id of what the address embeds, empty for a loader without one; None if it is no such address."""
        found = [_match(self.path, address.path) if _is_host(self.host, address.host) else None]
        for name, pattern in self.query:
            values = (value for key, value in address.query if key == name)
            found.append(next(filter(None, (_match(pattern, value) for value in values)), None))
        groups = [match.groupdict() for match in found if match is not None]
        if len(groups) < len(found):
            return None
        return next((group["id"] for group in groups if group.get("id")), "")


def read_address(url: str) -> Address:
    """Return the address of a URL that is well-formed, such as those of the catalogue.

    Raises:
        ValueError: If it is not.
    """
    parts = urlsplit(url)
    return Address(
        (parts.hostname or "").rstrip("."),
        unquote(parts.path) or "/",
        tuple(parse_qsl(parts.query, keep_blank_values=True, max_num_fields=100)),
    )


def list_embed_loaders(service_key: str, embed: Embed) -> tuple[Loader, ...]:
    """Return the loaders of a service's frames: under the library's own address, and as providers let people paste them."""
    found = []
    for url in (embed.url, *embed.pasted_urls):
        address = read_address(url.replace("{site_host}", "").replace(_ID, _MARK))
        patterns = {_MARK: f"(?P<id>(?:{embed.id_pattern}))"}
        found.append(_make_loader(service_key, address, patterns, host=address.host))
    return tuple(found)


def list_snippet_loaders(service: Service, urls: Iterable[str]) -> tuple[Loader, ...]:
    """Return the loaders of a service's snippet.

    Providers serve the same file from several hosts, such as `www.google.com` and `www.recaptcha.net`: the path counts on each
    that the service has scripts from.

    Args:
        urls: What the snippet loads when every parameter is its example.
    """
    patterns = {
        each.example: f"(?:{each.pattern})" for each in service.parameters if len(each.example) >= _TELLING_LENGTH
    }
    found: dict[Loader, None] = {}
    for url in urls:
        try:
            address = read_address(url)
        except ValueError:  # an example that makes no URL: the host says enough
            continue
        own = next((host for host in service.hosts if _is_host(host, address.host)), "")
        others = service.hosts_by_use.get(HostUse.SCRIPT, ()) if own else ()
        for host in filter(None, (own, *others)):
            found[_make_loader(service.key, address, patterns, host=host)] = None
    return tuple(found)


def _make_loader(service_key: str, address: Address, patterns: Mapping[str, str], *, host: str) -> Loader:
    telling = tuple((name, value) for name, value in address.query if any(each in value for each in patterns))
    return Loader(
        service_key,
        host,
        _write_pattern(address.path, patterns),
        tuple((name, _write_pattern(value, patterns)) for name, value in telling),
    )


def _write_pattern(text: str, patterns: Mapping[str, str]) -> str:
    if not patterns:
        return re.escape(text)
    # The longest first: one example may begin with another.
    examples = sorted(patterns, key=len, reverse=True)
    parts = re.split(f"({'|'.join(map(re.escape, examples))})", text)
    return "".join(patterns.get(part) or re.escape(part) for part in parts)


def _is_host(declared: str, host: str) -> bool:
    return host == declared or (declared.startswith("*.") and host.endswith(declared[1:]))


def _match(pattern: str, text: str) -> re.Match[str] | None:
    return _compile(pattern).fullmatch(text) if len(text) <= _LENGTH_LIMIT else None


@lru_cache(maxsize=2048)
def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
