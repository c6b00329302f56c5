"""What a record may hold of a client, where the site asks for it: too little to tell one visitor from the others."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from types import MappingProxyType

# The longest spelling of an address, IPv6 with an IPv4 tail, has 45 characters; what is longer is no address.
_ADDRESS_LIMIT = 45
_IPV4_BITS, _IPV6_BITS = 24, 48

_USER_AGENT_LIMIT = 512
_VERSION_DIGITS = 3
_UNKNOWN_BROWSER = "other"
# The more particular first: nearly all of them also call themselves Chrome, and Chrome calls itself Safari.
_FAMILIES: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("Edg", "EdgA", "EdgiOS", "Edge"), "Edge"),
        **dict.fromkeys(("OPR", "OPT", "Opera"), "Opera"),
        "SamsungBrowser": "Samsung Internet",
        "YaBrowser": "Yandex",
        "Vivaldi": "Vivaldi",
        **dict.fromkeys(("Ddg", "DuckDuckGo"), "DuckDuckGo"),
        **dict.fromkeys(("Firefox", "FxiOS"), "Firefox"),
        **dict.fromkeys(("Chrome", "CriOS"), "Chrome"),
    }
)


def minimise_network(address: str | None) -> str:
    """Return the network of an address: 256 addresses of IPv4, such as `203.0.113.0/24`, or a /48 of IPv6.

    Returns:
        Nothing for what is no address, as behind a proxy that passes on what clients write.
    """
    try:
        found = ip_address((address or "")[: _ADDRESS_LIMIT + 1].partition("%")[0])
    except ValueError:
        return ""
    plain = _find_ipv4(found) or found
    bits = _IPV4_BITS if isinstance(plain, IPv4Address) else _IPV6_BITS
    return str(ip_network((plain, bits), strict=False))


def read_browser(user_agent: str | None) -> str:
    """Return family and major version of a browser, such as `Firefox 153`; `other` for one that is none of the best known.

    Every word of the answer is one of ours, so that nothing that a client writes is kept but a number of three digits.
    """
    products = dict(_split_product(word) for word in (user_agent or "")[:_USER_AGENT_LIMIT].split())
    name = next((name for name in _FAMILIES if name in products), "")
    family, version = _FAMILIES.get(name, ""), products.get(name, "")
    # Safari alone has its version under another name; others that bring one have theirs besides.
    if not family and "Safari" in products and "Version" in products:
        family, version = "Safari", products["Version"]
    major = version.partition(".")[0]
    is_version = major.isascii() and major.isdigit() and len(major) <= _VERSION_DIGITS
    return f"{family} {int(major)}" if family and is_version else family or _UNKNOWN_BROWSER


def _find_ipv4(address: IPv4Address | IPv6Address) -> IPv4Address | None:
    # Both hold a whole IPv4 address: 6to4 (RFC 3056) in the very bits that a /48 keeps.
    return (address.ipv4_mapped or address.sixtofour) if isinstance(address, IPv6Address) else None


def _split_product(word: str) -> tuple[str, str]:
    name, _, version = word.partition("/")
    return name, version
