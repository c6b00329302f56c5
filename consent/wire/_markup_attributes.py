"""Attributes of a tag, and which of them may make a browser contact another host.

Source: HTML Living Standard, 13.2.5.32 to 13.2.5.40 (attributes) and 13.2.5.72 to 13.2.5.80 (character references);
URL Standard, 4.4 (what is stripped from a URL, and what counts as a slash).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from html.entities import html5

from consent.wire._html_tokens import SPACE
from consent.wire.markup import Attribute

_ATTRIBUTE = re.compile(
    rf"""([^{SPACE}/>][^{SPACE}/>=]*+)(?:[{SPACE}]*+=[{SPACE}]*+(?:"([^"]*+)"|'([^']*+)'|([^{SPACE}>]*+)))?+""".encode()
)

_URL_NAMES = (
    *("src", "srcset", "imagesrcset", "href", "xlink:href", "data", "poster", "background", "action", "formaction"),
    *("ping", "attributionsrc", "manifest", "codebase", "archive", "classid", "code", "lowsrc", "dynsrc"),
)
_KNOWN_NAMES = {
    name.encode(): name
    for name in (
        *_URL_NAMES,
        "id",
        "class",
        "alt",
        "title",
        "rel",
        "type",
        "style",
        "width",
        "height",
        "name",
        "content",
        "async",
    )
}
# What changes the meaning of those that are URLs.
_TELLING_NAMES = frozenset({"rel", "type", "http-equiv", "content", "nonce"})
FULL_BYTES = 16 * 1024
"""Of a tag that is longer, only the attributes that begin so soon are all read; beyond, those that say what it loads."""

_BEGINNING_LENGTH = 1024
# Values that hold several, or a document.
_LISTS = frozenset({"srcset", "imagesrcset", "srcdoc", "ping", "attributionsrc", "archive", "values"})
_LINKS = frozenset({"a", "area"})
_LINKED_TO = frozenset({"href", "xlink:href"})

# A scheme where a URL may begin, also in a list of them, or two slashes anywhere.
_may_be_foreign_url = re.compile(r"(?:^|[\x00-\x20,;=])[a-zA-Z][a-zA-Z0-9+.\-]*+:|[/\\][/\\]").search
_may_be_foreign_style = re.compile(r"//|\\|(?:[tT][pP]|[pPsSwW][sS]):").search
_may_be_foreign_markup = re.compile(r"[/\\][/\\]|[:&]").search
_DROPPED = str.maketrans("", "", "\t\n\r")
# A scheme that knows no hosts, or all of a host, or of what stands where one would: nothing that follows changes it.
_match_settled = re.compile(
    r"[\x00-\x20]*+(?:(?!(?:https?|wss?|ftp):)[a-z][a-z0-9+.\-]*+:|[/\\][^/\\]|[?#]|[^:/\\?#]{16}"
    r"|(?:[a-z]++:)?+[/\\]*+[^/\\?#]++[/\\?#])",
    re.IGNORECASE,
).match

_REFERENCE = re.compile(r"&(?:#(?:([0-9]++)|[xX]([0-9a-fA-F]++));?+|([a-zA-Z][a-zA-Z0-9]*+);?+)(=?+)")
_LAST_CODE = 0x10FFFF
_SURROGATES = range(0xD800, 0xE000)
_WINDOWS = range(0x80, 0xA0)
_MOST_DIGITS = 9
_REPLACEMENT = "\ufffd"
# Names that count without a semicolon too.
_OLD_NAMES = frozenset(name for name in html5 if not name.endswith(";"))


def read_attributes(
    page: bytes, at: int, end: int, base: int, *, full_bytes: int = FULL_BYTES
) -> tuple[Attribute, ...]:
    """Read the attributes of a whole tag between its name and its `>`, or of a part of one.

    Args:
        base: Offset of the page's first byte in the stream.
        full_bytes: For how long all are read; beyond, those that say what is loaded.
    """
    if at == end:
        return ()
    full_end = at + full_bytes
    found: list[Attribute] = []
    for match in _ATTRIBUTE.finditer(page, at, end):
        name_at, name_end = match.span(1)
        raw = match[1]
        name = _KNOWN_NAMES.get(raw) or _decode(raw.lower())
        if name_at < full_end or name in _FOREIGN_TESTS or name in _TELLING_NAMES:
            last = match.lastindex or 1
            value = match[last].decode("utf-8", "replace") if last > 1 else ""
            if "&" in value or "\r" in value or "\0" in value:
                value = decode_value(match[last])
            found.append(Attribute(name, value, base + name_at, base + name_end, base + match.end()))
    return tuple(found)


def ends_itself(page: bytes, at: int, end: int) -> bool:
    """Whether the `/` in front of a tag's `>`, which is at `end`, closes the element and is not part of a value."""
    if page[end - 1 : end] != b"/" or end == at:
        return False
    last = at
    for match in _ATTRIBUTE.finditer(page, at, end):
        last = match.end()
    return last < end


def stays_open(element: str, attribute: str, value: str) -> bool:
    """Whether the beginning of a value, of which more is to come, leaves it open what hosts it names."""
    if attribute not in _FOREIGN_TESTS or (attribute in _LINKED_TO and element in _LINKS):
        return False
    beginning = value[:_BEGINNING_LENGTH].translate(_DROPPED)
    return attribute in _LISTS or (attribute in _URL_NAMES and not _match_settled(beginning))


def decode_value(raw: bytes | memoryview) -> str:
    """Return an attribute's value as a browser reads it, from UTF-8; what is none becomes U+FFFD."""
    text = _decode(raw)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _REFERENCE.sub(_resolve, text) if "&" in text else text


def _decode(raw: bytes | memoryview) -> str:
    text = str(raw, "utf-8", "replace")
    return text.replace("\0", _REPLACEMENT) if "\0" in text else text


def _resolve(match: re.Match[str]) -> str:
    decimal, hexadecimal, name, equals = match.groups()
    if name is None:
        digits, radix = (decimal, 10) if decimal else (hexadecimal, 16)
        digits = digits.lstrip("0")
        return (_character(int(digits or "0", radix)) if len(digits) <= _MOST_DIGITS else _REPLACEMENT) + equals
    whole = match[0][1 : len(match[0]) - len(equals)]
    if whole in html5 and whole.endswith(";"):
        return html5[whole] + equals
    # Without a semicolon a name counts only if nothing follows that could go on in a query, such as `&copy=1`.
    return html5[name] if name in _OLD_NAMES and not equals else match[0]


def _character(code: int) -> str:
    if code in _WINDOWS:
        return bytes([code]).decode("cp1252", "replace") if code not in _UNASSIGNED else chr(code)
    if not code or code > _LAST_CODE or code in _SURROGATES:
        return _REPLACEMENT
    return chr(code)


_UNASSIGNED = frozenset({0x81, 0x8D, 0x8F, 0x90, 0x9D})


def may_contact(element: str, attributes: tuple[Attribute, ...], *, is_foreign: bool) -> bool:
    """Whether an attribute's value may name another host, in a place where browsers look for one.

    Args:
        is_foreign: Whether the tag stands in svg or math.
    """
    if element == "meta":
        refreshes = any(each.name == "http-equiv" and each.value.strip().lower() == "refresh" for each in attributes)
        return refreshes and any(each.name == "content" and _is_foreign_url(each.value) for each in attributes)
    tests = _FOREIGN_TESTS if is_foreign else _TESTS
    for each in attributes:
        test = tests.get(each.name)
        if test and (each.is_open or test(each.value)) and not (each.name in _LINKED_TO and element in _LINKS):
            return True
    return False


def _is_foreign_url(value: str) -> bool:
    if "\t" in value or "\n" in value:
        value = value.translate(_DROPPED)
    return _may_be_foreign_url(value) is not None


def may_contact_by_style(text: str) -> bool:
    """Whether a style sheet may name another host. A line end would break the URL that it stands in; a tab would not."""
    return _may_be_foreign_style(text.replace("\t", "")) is not None


def _is_foreign_markup(value: str) -> bool:
    return _may_be_foreign_markup(value) is not None


_Test = Callable[[str], bool]
_TESTS: Mapping[str, _Test] = {
    **dict.fromkeys(_URL_NAMES, _is_foreign_url),
    "style": may_contact_by_style,
    "srcdoc": _is_foreign_markup,
}
# In svg also what animations set, and what refers to filters, masks and the like.
_FOREIGN_TESTS: Mapping[str, _Test] = {
    **_TESTS,
    **dict.fromkeys(("to", "from", "by", "values"), _is_foreign_url),
    **dict.fromkeys(
        (
            *("fill", "stroke", "filter", "mask", "clip-path", "cursor"),
            *("marker", "marker-start", "marker-mid", "marker-end"),
        ),
        may_contact_by_style,
    ),
}
