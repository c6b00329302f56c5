"""The patterns by which `markup_scan` reads a whole page.

`step` eats, in C, every run of tokens that cannot make a browser contact another host, then reads one tag; Python sees only
those tags. What it eats is what `_markup_attributes` would say no to, as far as a pattern can tell that; the rest is left to Python.

Sets of first letters stand in front of what costs more. Names in any letter case are spelt `[sS]…`, see `_html_tokens`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import cast

from consent.wire._html_tokens import COMMENT, DECLARATION, NAME_ENDS, REST, SPACE, TEXT, any_case

Step = Callable[[bytes, int, int], "re.Match[bytes]"]
Search = Callable[[bytes, int, int], "re.Match[bytes] | None"]

RAW_NAMES = frozenset(b"script style title textarea iframe noframes noembed xmp noscript plaintext".split())
"""Elements whose content is text for a browser with scripting."""

_STOPS = "script style title textarea iframe noframes noembed xmp noscript plaintext svg math template select frameset meta form"

# --- Attributes --------------------------------------------------------------------------------------------------------------------

# Beginnings of all names that may hold a URL.
_URL_NAME = (
    r"(?:[sS](?i:rc|tyle)|[hH](?i:ref)|[dD](?i:ata(?!-)|ynsrc)|[pP](?i:oster|ing)|[bB](?i:ackground)"
    r"|[aA](?i:ction|rchive|ttributionsrc)|[fF](?i:ormaction)|[iI](?i:magesrcset)|[xX](?i:link)"
    r"|[cC](?i:ode|lassid)|[mM](?i:anifest)|[lL](?i:owsrc))"
)
_NAME = rf"[a-zA-Z@:_][^{SPACE}\x00\"'<>/=]*+"
_ANY_VALUE = rf"""(?:"[^"]*+"|'[^']*+'|[^{SPACE}"'>][^{SPACE}>]*+)"""
_END = rf"[{SPACE}]*+/?+>"


def _quoted(text: str, *, barred: str = "") -> str:
    """Match a quoted value; `text` is what it may hold beside any character that is neither a quote nor `barred`."""
    return "(?:" + "|".join(rf"{quote}(?:[^{quote}{barred}]++|{text})*+{quote}" for quote in "\"'") + ")"


# A colon that ends no `http`, `https`, `ftp`, `ws` or `wss`, not even one with a tab in it.
_COLON = r":(?<!\t:)(?<![tT\t][pP]:)(?<![pPsSwW\t][sS]:)"
_SLASH_IN_STYLE = r"/(?!\t*+/)"
_LOCAL_URL = _quoted(r"/(?![/\\])|&(?i:amp;)", barred=r"\\&:\t\n\r/")
_BARE_URL = rf"(?:[^{SPACE}>\"'\\&:/=]++|/(?![/\\]))(?:[^{SPACE}>\\&:/]++|/(?![/\\]))*+"
_LOCAL_STYLE = _quoted(rf"{_SLASH_IN_STYLE}|{_COLON}", barred=r"\\&/:")
_COMMON = r'(?:class|id|alt|title|width|height|rel|type|name|value)="[^"]*+"'
_HARMLESS = rf"(?!{_URL_NAME}){_NAME}(?:={_ANY_VALUE})?+(?=[{SPACE}/>])"
_LOCAL = rf"[a-zA-Z:]++=(?:{_LOCAL_URL}|{_BARE_URL})(?=[{SPACE}/>])|[sS](?i:tyle)={_LOCAL_STYLE}(?=[{SPACE}/>])"
_QUIET = rf"(?:[{SPACE}]++(?:{_COMMON}(?=[{SPACE}/>])|{_HARMLESS}|{_LOCAL}))*+{_END}"
_LINK = rf"[aA](?:[{SPACE}]++(?:{_COMMON}(?=[{SPACE}/>])|[hH](?i:ref)={_ANY_VALUE}(?=[{SPACE}/>])|{_HARMLESS}|{_LOCAL}))*+{_END}"
# What a page says of itself in addresses that nothing is asked for.
_INERT_LINK = (
    rf"[lL](?i:ink)[{SPACE}]++rel=\"(?:canonical|alternate|shortlink|next|prev|author|license|profile|EditURI|https://api\.w\.org/)\""
    rf"(?:[{SPACE}]++{_NAME}(?:={_ANY_VALUE})?+(?=[{SPACE}/>]))*+{_END}"
)
_META = rf"[mM](?i:eta)(?:[{SPACE}]++(?![hH]){_HARMLESS})*+{_END}"

# --- Elements that are eaten whole -----------------------------------------------------------------------------------------------

_SCRIPT = (
    rf"[sS](?i:cript){_QUIET}(?:[^</]++|/(?![/\\])|<(?!/(?i:script){NAME_ENDS}|!--))*+</(?i:script){NAME_ENDS}{REST}"
)
_STYLE = (
    rf"[sS](?i:tyle){_QUIET}(?:[^<\\/:]++|{_SLASH_IN_STYLE}|{_COLON}|<(?!/(?i:style){NAME_ENDS}))*+"
    rf"</(?i:style){NAME_ENDS}{REST}"
)
_TEXTS = "|".join(
    rf"{any_case(name)}{_QUIET}(?:[^<]++|<(?!/(?i:{name}){NAME_ENDS}))*+</(?i:{name}){NAME_ENDS}{REST}"
    for name in ("title", "textarea")
)
_OPTIONS = rf"(?:[^<]++|<(?:/?+opt(?:ion|group){_QUIET}|{COMMENT}))*+"
_SELECT = rf"select{_QUIET}{_OPTIONS}</select>"
# Icons, of which some pages hold hundreds: shapes and groups of them, written as everybody writes them.
_SHAPE_VALUE = _quoted(r"/(?![/\\\t\n\r])", barred=r"\\&:/")
_SHAPE_ATTRIBUTES = (
    rf"(?:[{SPACE}]++(?:xmlns(?::[a-z]++)?+=\"[^\"]*+\"|[sS](?i:tyle)={_LOCAL_STYLE}|[a-zA-Z][a-zA-Z0-9:_-]*+={_SHAPE_VALUE})"
    rf"(?=[{SPACE}/>]))*+[{SPACE}]*+"
)
_SHAPES = "|".join(
    rf"{name}{_SHAPE_ATTRIBUTES}(?:/>|>[{SPACE}]*+</{name}>)"
    for name in ("path", "circle", "rect", "line", "polyline", "polygon", "ellipse", "use", "stop")
)
_GROUP = rf"g{_SHAPE_ATTRIBUTES}>(?:[{SPACE}]++|<(?:{_SHAPES}))*+</g>"
_ICON_TITLE = rf"title{_SHAPE_ATTRIBUTES}>[^<]*+</title>"
_ICON = rf"svg{_SHAPE_ATTRIBUTES}>(?:[^<]++|<(?:{_SHAPES}|{_GROUP}|{_ICON_TITLE}))*+</svg>"

# --- Steps -------------------------------------------------------------------------------------------------------------------------


def _any_of(names: str) -> str:
    """Match any of the names in any case; no more than those of one letter are looked at."""
    rests: dict[str, list[str]] = {}
    for name in names.split():
        rests.setdefault(name[0], []).append(name[1:])
    return "|".join(rf"[{letter}{letter.upper()}](?i:{'|'.join(rest)})" for letter, rest in rests.items())


_QUICK_LETTERS = r"[b-eghj-loq-ruvwyzB-EGHJ-LOQ-RUVWYZ]"
_STOP = rf"(?!(?:{_any_of(_STOPS)}){NAME_ENDS})"
_ORDINARY = rf"(?:{_QUICK_LETTERS}|{_STOP}[a-zA-Z])[a-zA-Z0-9-]*+(?=[{SPACE}/>]){_QUIET}"
_END_TAG = rf"/[a-zA-Z](?:[a-zA-Z0-9]*+>|[^{SPACE}/>]*+{REST})"
_CDATA = r"!\[CDATA\[(?:[^\]]++|\](?!\]>))*+\]\]>"
_TAG = rf"(?:<(/?+[a-zA-Z][^{SPACE}/>]*+)({REST}))?+"


def _step(run: str) -> Step:
    """Compile "eat all that `run` names, then read one tag": its name is group 1, its attributes with the `>` group 2."""
    # The pattern can match nothing at all, so `match` never answers None.
    return cast("Step", re.compile(rf"(?:{TEXT}|<(?:{run}))*+{_TAG}".encode()).match)


_MARKS = rf"{COMMENT}|{DECLARATION}"
step = _step(
    f"{_END_TAG}|{_LINK}|{_ORDINARY}|{_META}|{_INERT_LINK}|{_MARKS}|{_SCRIPT}|{_STYLE}|{_TEXTS}|{_SELECT}|{_ICON}"
)
step_slowly = _step(_MARKS)
"""Stops at every tag."""

step_slowly_with_cdata = _step(rf"{_CDATA}|(?!!\[CDATA\[)(?:{_MARKS})")
step_slowly_to_cdata = _step(rf"(?!!\[CDATA\[)(?:{_MARKS})")
match_cdata = re.compile(f"<{_CDATA}".encode()).match
match_declaration = re.compile(f"<(?:{DECLARATION})".encode()).match

# --- Raw text ----------------------------------------------------------------------------------------------------------------------

search_raw_end: Mapping[bytes, Search] = {
    name: re.compile(rf"</(?i:{name.decode()}){NAME_ENDS}".encode()).search for name in RAW_NAMES
}
search_form_end = re.compile(rf"</(?i:form){NAME_ENDS}".encode()).search
match_rest = re.compile(REST.encode()).match
search_script = re.compile(rf"<!--|</(?i:script){NAME_ENDS}".encode()).search
search_script_escaped = re.compile(rf"-->|<(/?+)(?i:script){NAME_ENDS}".encode()).search
search_script_double_escaped = re.compile(rf"-->|</(?i:script){NAME_ENDS}".encode()).search
match_foreign_text: Mapping[bytes, Step] = {
    # It can match nothing at all.
    name: cast(
        "Step",
        re.compile(
            rf"(?:{TEXT}|<(?:{_CDATA}|(?!!\[CDATA\[)(?:{_MARKS})|(?!/?+(?i:{name.decode()}){NAME_ENDS})/?+[a-zA-Z][^{SPACE}/>]*+{REST}))*+"
            rf"(?:(?=<(/?+)(?i:{name.decode()}){NAME_ENDS}))?+".encode()
        ).match,
    )
    for name in (b"script", b"style")
}
"""Match the text of a script or style in svg, up to its end tag or another of its kind; group 1 is the slash of an end tag."""

match_tag_name = re.compile(rf"<(/?+[a-zA-Z][^{SPACE}/>]*+){NAME_ENDS}".encode()).match

has_script_host = re.compile(rb"/[/\\]").search
"""Search two slashes, also such as JSON escapes."""

has_style_host = re.compile(rb"/\t*+/|\\|(?:[tT]\t*+[pP]|[pPsSwW]\t*+[sS])\t*+:").search
"""Search what `_markup_attributes.may_contact_by_style` does, in bytes."""
