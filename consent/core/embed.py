"""How a service's own markup is made: the parameters of its snippet, and its frame."""

from __future__ import annotations

import re
from dataclasses import KW_ONLY, dataclass
from keyword import iskeyword

from consent.core.declared_value import as_tuple, check_pattern, check_types, check_url
from consent.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Parameter:
    """Declare one value that a service's snippet needs, such as a measurement id.

    Raises:
        ConfigError: If a field is of another type, the name is none, or the pattern does not compile or refuses its own example.
    """

    name: str
    _: KW_ONLY
    pattern: str
    """Regular expression that the whole value must match."""

    example: str
    required: bool = True

    def __post_init__(self) -> None:
        check_types(self, f"parameter {self.name!r}", {"name": str, "pattern": str, "example": str, "required": bool})
        # `nonce` is what the library itself gives every snippet.
        if not self.name.isidentifier() or iskeyword(self.name) or self.name == "nonce":
            raise ConfigError(
                f"Parameter name {self.name!r} must be a Python identifier, no keyword such as 'class', and not 'nonce': it is "
                "written as a keyword argument of script(). Take another name.",
                key="parameter",
                value=self.name,
            )
        check_pattern(self.pattern, self.example, where=f"parameter {self.name!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Embed:
    """Declare how a service is embedded as a frame.

    Raises:
        ConfigError: If a field is of another type, a URL has no `{id}`, holds another placeholder, lets the id choose the
            host or is not http(s), a size is no whole number from 1, or `takes` refuses the example.
    """

    url: str
    """Address of the frame; `{id}` is replaced by the percent-encoded id, `{site_host}` by the host name of the page."""

    source_url: str
    """Address of the same content on the provider's own site, with `{id}`."""

    id_pattern: str
    id_example: str
    keeps_slashes: bool = False
    """Whether the id is a path, whose slashes stand in the URLs as they are."""

    width: int = 560
    """Default width in CSS pixels."""

    height: int = 315
    """Default height in CSS pixels."""

    allow: str = ""
    """More of the frame's `allow` attribute (Permissions Policy); `fullscreen` is always in it."""

    pasted_urls: tuple[str, ...] = ()
    """Other addresses, with `{id}`, of the same frame, as the provider lets people paste it into their pages. Only its path,
    and what holds the id in its query, tell it from others."""

    def __post_init__(self) -> None:
        check_types(self, "an embed", _EMBED_TYPES)
        object.__setattr__(self, "pasted_urls", as_tuple(self.pasted_urls, where="'pasted_urls' of an embed"))
        for url in self.pasted_urls:
            if not isinstance(url, str):
                raise ConfigError(
                    f"'pasted_urls' of an embed must hold addresses with '{{id}}', got {url!r}.", key="embed", value=url
                )
            _check_template(self, url, placeholders=("{id}",))
        _check_template(self, self.url, placeholders=("{id}", "{site_host}"))
        _check_template(self, self.source_url, placeholders=("{id}",))
        for name in ("width", "height"):
            if getattr(self, name) < 1:
                raise ConfigError(
                    f"{name!r} of an embed must be at least 1, in CSS pixels, got {getattr(self, name)}.",
                    key="embed",
                    value=getattr(self, name),
                )
        check_pattern(self.id_pattern, self.id_example, where="an embed's id")
        if not self.takes(self.id_example):
            raise ConfigError(
                f"The example {self.id_example!r} of an embed's id leaves its folder: an id that keeps its slashes may not begin "
                "with '/', nor hold '//', or '.' or '..' between slashes. Give another one.",
                key="embed",
                value=self.id_example,
            )

    def takes(self, embed_id: str) -> bool:
        """Whether an id is one the provider could have given, and stays where the URLs put it."""
        if not re.fullmatch(self.id_pattern, embed_id):
            return False
        segments = embed_id.split("/") if self.keeps_slashes else [embed_id]
        # A path may end in a slash, but an empty step anywhere else would begin a host, or a root.
        return not ({".", ".."} & set(segments) or "" in segments[:-1])


_EMBED_TYPES = {
    "url": str,
    "source_url": str,
    "id_pattern": str,
    "id_example": str,
    "keeps_slashes": bool,
    "width": int,
    "height": int,
    "allow": str,
}


def _check_template(embed: Embed, url: str, *, placeholders: tuple[str, ...]) -> None:
    trouble = _find_trouble(embed, url, placeholders)
    if trouble:
        raise ConfigError(f"The embed URL {url!r} {trouble}", key="embed", value=url)
    check_url(url, where="an embed")


def _find_trouble(embed: Embed, url: str, placeholders: tuple[str, ...]) -> str:
    rest = url
    for placeholder in placeholders:
        rest = rest.replace(placeholder, "")
    # An id, or whoever wrote it, must not choose where the frame comes from.
    if "{" in url.partition("://")[2].partition("/")[0]:
        return "takes its host from the id. Name the host, and put '{id}' behind it."
    if "{id}" in url and embed.keeps_slashes and not url.partition("{id}")[0].strip("/"):
        return "begins with an id that keeps its slashes, and could name a host. Put a folder in front, such as '/videos/{id}'."
    if "{" in rest or "}" in rest:
        return f"holds an unknown placeholder or brace. Allowed are {' and '.join(placeholders)}; write others percent-encoded."
    return "" if "{id}" in url else "must hold '{id}'."
