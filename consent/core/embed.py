"""How a service's own markup is made: the parameters of its snippet, and its frame."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

from consent.core.declared_value import check_pattern, check_types, check_url
from consent.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Parameter:
    """Declare one value that a service's snippet needs, such as a measurement id.

    Raises:
        ConfigError: If the pattern does not compile or refuses its own example.
    """

    name: str
    _: KW_ONLY
    pattern: str
    """Regular expression that the whole value must match."""

    example: str
    required: bool = True

    def __post_init__(self) -> None:
        # `nonce` is what the library itself gives every snippet.
        if not self.name.isidentifier() or self.name == "nonce":
            raise ConfigError(
                f"Parameter name {self.name!r} must be a Python identifier other than 'nonce': it is written as a keyword "
                "argument of script().",
                key="parameter",
                value=self.name,
            )
        check_pattern(self.pattern, self.example, where=f"parameter {self.name!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Embed:
    """Declare how a service is embedded as a frame.

    Raises:
        ConfigError: If a URL has no `{id}` or is not http(s), or the pattern refuses its example.
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

    def __post_init__(self) -> None:
        check_types(self, "an embed", {"keeps_slashes": bool})
        for url in (self.url, self.source_url):
            check_url(url, where="an embed")
            if "{id}" not in url:
                raise ConfigError(f"The embed URL {url!r} must hold '{{id}}'.", key="embed", value=url)
            # An id, or whoever wrote it, must not choose where the frame comes from.
            if "{" in url.partition("://")[2].partition("/")[0]:
                raise ConfigError(
                    f"The embed URL {url!r} takes its host from the id. Name the host, and put '{{id}}' behind it.",
                    key="embed",
                    value=url,
                )
        check_pattern(self.id_pattern, self.id_example, where="an embed's id")
