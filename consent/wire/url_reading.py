"""Read URLs as browsers do, as far as it takes to know whom they lead to.

Source: URL Standard, 4.4 (URL parsing) and 3.5 (host parsing); CSS Syntax Module, 4.3.7 (escapes).
"""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import parse_qsl, unquote

from consent.core.loader import Address

_EDGES = "".join(map(chr, range(0x21)))
_DROPPED = str.maketrans("", "", "\t\n\r")
_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.\-]*+):")
# `https:host` is relative on a page of the same scheme, and a host's address on any other.
_SPECIAL = frozenset({"http", "https", "ws", "wss", "ftp"})
_AUTHORITY = re.compile(r"[/\\]*+([^/\\?#]*+)([^?#]*+)(?:\?([^#]*+))?+")
_PORT = re.compile(r":[0-9]*$")
# HTML Standard, "shared declarative refresh steps"; what is no time there may be anything here.
_REFRESH = re.compile(
    r"""[\t\n\f\r ]*+[^\t\n\f\r ;,]*+[\t\n\f\r ]*+[;,]?[\t\n\f\r ]*+(?:url[\t\n\f\r ]*+=[\t\n\f\r ]*+)?(?:'([^']*+)|"([^"]*+)|(.*+))""",
    re.DOTALL | re.IGNORECASE,
)
_FIELDS_LIMIT = 100
# Of what is written as a host, and of what is one (RFC 1035, 2.3.4).
_WRITTEN_LIMIT, _HOST_LIMIT = 1024, 253
# Spaces and variation selectors that nobody sees: browsers leave them out of a host's name (UTS 46).
_UNSEEN = re.compile("[\u00ad\u034f\u180b-\u180f\u200b\u2060\u2064\ufe00-\ufe0f\ufeff]")

# In scripts and data: after a quotation mark or a scheme, or anywhere behind two slashes, which JSON may have escaped.
_IN_TEXT = re.compile(
    r"""(?:\\?/){2}([a-zA-Z0-9%_\-\u0080-\uffff][^\s"'`<>\\(){}\[\]]*+(?:\\/[^\s"'`<>\\(){}\[\]]*+)*+)"""
)
# Only looked at: the mark that ends one text may begin the next. Nothing that leads to a host is longer. Without quotation marks,
# spaces and brackets end an address, or make it none.
_IN_STYLE = re.compile(
    r"""(?:url\(\s*+(?=([^\s"'()][^ "'()]{0,2048}+))|["'](?=([^\s"')][^"')]{0,2048}+)))""", re.IGNORECASE
)
_CSS_ESCAPE = re.compile(r"\\(?:([0-9a-fA-F]{1,6})(?:\r\n|[ \t\n\r\f])?+|\r\n|([^0-9a-fA-F]))")
_LAST_CODE = 0x10FFFF
_SURROGATES = range(0xD800, 0xE000)


def read_url(url: str) -> Address | None:
    """Return the address of a URL that names a host; None for one that stays on the site, or that leads nowhere.

    Never raises, whatever the text.
    """
    text = url.strip(_EDGES).translate(_DROPPED)
    scheme = _SCHEME.match(text)
    if scheme:
        if scheme[1].lower() not in _SPECIAL:
            return None
        text = text[scheme.end() :]
    elif not (text[:1] in ("/", "\\") and text[1:2] in ("/", "\\")):
        return None
    parts = _AUTHORITY.match(text)
    host = _read_host(parts[1]) if parts else ""
    if parts is None or not host:
        return None
    return Address(host, _read_path(parts[2]), _read_query(parts[3] or ""))


def read_data_url(url: str) -> str:
    """Return the text in a `data:` URL, which may be a page of its own; empty for any other URL."""
    text = url.strip(_EDGES).translate(_DROPPED)
    if text[:5].lower() != "data:":
        return ""
    head, _, body = text.partition(",")
    if not head.lower().rstrip().endswith(";base64"):
        return unquote(body)
    try:
        return base64.b64decode(unquote(body) + "==").decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


def read_refresh(text: str) -> str:
    """Return the URL that a `Refresh:` header, or a `meta` of its kind, leads to; empty for the page itself."""
    found = _REFRESH.match(text)
    return next(filter(None, found.groups()), "") if found else ""


def find_urls_in_script(text: str) -> Iterator[str]:
    """Find what looks like a URL in the text of a script, or in data; each begins with `//`."""
    return (url for _, url in locate_urls_in_script(text))


def locate_urls_in_script(text: str) -> Iterator[tuple[int, str]]:
    """Find the same, each with the offset of its slashes."""
    for match in _IN_TEXT.finditer(text):
        yield match.start(), "//" + match[1].replace("\\/", "/")


def find_urls_in_style(text: str) -> Iterator[str]:
    """Find what a style sheet or a `style` attribute may load: every `url()`, and every text that is an address."""
    readable = _CSS_ESCAPE.sub(_read_css_escape, text) if "\\" in text else text
    return (url for _, url in locate_urls_in_style(readable))


def locate_urls_in_style(text: str) -> Iterator[tuple[int, str]]:
    """Find those that no escape hides, each with its offset."""
    for match in _IN_STYLE.finditer(text):
        at = match.start(match.lastindex or 0)
        yield at, match[match.lastindex or 0]


def find_urls_in_srcset(text: str) -> Iterator[str]:
    """Find the URLs of a `srcset`, or of any list with spaces or commas between them."""
    for part in text.split():
        yield part.strip(",")
        # Without a space behind its comma, a second one hides in the first.
        yield from part.split(",")[1:]


def _read_host(authority: str) -> str:
    name = _PORT.sub("", authority.rpartition("@")[2])
    if "%" in name:
        name = unquote(name)
    if not name.isascii():
        name = unicodedata.normalize("NFKC", _UNSEEN.sub("", name[:_WRITTEN_LIMIT])).replace("\u3002", ".")
    name = name.lower().removesuffix(".")
    return name if len(name) <= _HOST_LIMIT else ""


def _read_path(path: str) -> str:
    found: list[str] = []
    for segment in path.replace("\\", "/").split("/")[1:]:
        plain = unquote(segment)
        if plain == "..":
            found[-1:] = []
        elif plain != ".":
            found.append(plain)
    return "/" + "/".join(found)


def _read_query(query: str) -> tuple[tuple[str, str], ...]:
    try:
        return tuple(parse_qsl(query, keep_blank_values=True, max_num_fields=_FIELDS_LIMIT))
    except ValueError:  # more fields than any loader has
        return ()


def _read_css_escape(match: re.Match[str]) -> str:
    if match[1]:
        code = int(match[1], 16)
        return chr(code) if 0 < code <= _LAST_CODE and code not in _SURROGATES else "\ufffd"
    return match[2] or ""
