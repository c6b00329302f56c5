"""The patterns by which `document` reads HTML tokens.

A step eats, in C, every run of tokens that cannot matter, then reads one tag; Python sees only those tags. What they are
made of is in `_html_tokens`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import cast

from consent.wire._html_tokens import (
    COMMENT,
    DECLARATION,
    NAME_ENDS,
    RAW_NAMES,
    REST,
    SCRIPT,
    SPACE,
    TEXT,
    any_case,
    comment,
    ordinary_tag,
    raw_elements,
    tag_rest,
)

# Browsers with scripting take `<noscript>` as raw text, those without as markup. Only what ends at the same place for both is
# passed: no `<` where an attribute or raw text could hide the end tag, nothing that would stay open around the body.
_NO_SCRIPT_REST = tag_rest("<")
_NO_SCRIPT_RUN = "|".join(
    (
        comment(rf"/(?i:noscript){NAME_ENDS}"),
        raw_elements(f"{RAW_NAMES} script", "[^<]*+", _NO_SCRIPT_REST),
        ordinary_tag(_NO_SCRIPT_REST, "<"),
    )
)
_NO_SCRIPT = rf"{any_case('noscript')}{NAME_ENDS}{REST}(?:{TEXT}|<(?:{_NO_SCRIPT_RUN}))*+</(?i:noscript){NAME_ENDS}{_NO_SCRIPT_REST}"

_LINK = rf"{any_case('link')}{NAME_ENDS}{REST}"
_META = rf"{any_case('meta')}{NAME_ENDS}{REST}"
# Surely no encoding declaration; a `<meta>` that may be one is left to Python.
_OTHER_META = rf"""{any_case("meta")}(?:[{SPACE}]++(?!(?i:charset|http-equiv))[a-zA-Z:_.-]++=(?:"[^"]*+"|'[^']*+'))*+[{SPACE}]*+/?+>"""
_CONTENT = rf"{SCRIPT}|{raw_elements('style title noframes')}|{COMMENT}|{DECLARATION}"
_TAG = rf"(?:<(/?+[a-zA-Z][^{SPACE}/>]*+)({REST}))?+"

Step = Callable[[bytes | bytearray, int, int], "re.Match[bytes]"]


def _step(run: str, *, text: str = rf"[{SPACE}]++") -> Step:
    """Compile "eat all that `run` names, then read one tag": its name is group 1, its attributes with the `>` group 2."""
    # The pattern can match nothing at all, so `match` never answers None.
    return cast("Step", re.compile(rf"(?:{text}|<(?:{run}))*+{_TAG}".encode()).match)


step_before_head = _step(rf"{COMMENT}|{DECLARATION}")
step_in_head_without_charset = _step(rf"{_LINK}|{_OTHER_META}|{_CONTENT}|{_NO_SCRIPT}")
step_in_head = _step(rf"{_LINK}|{_META}|{_CONTENT}|{_NO_SCRIPT}")
step_after_head = _step(rf"{_LINK}|{_META}|{_CONTENT}")
step_in_template = _step(
    rf"{ordinary_tag()}|{COMMENT}|{DECLARATION}|{SCRIPT}|{raw_elements(RAW_NAMES)}|{_NO_SCRIPT}",
    text=TEXT,
)
# Within svg, math, select or column groups style and its like may be markup or not: passed only if both ways of reading agree.
step_in_unusual_template = _step(
    rf"{ordinary_tag()}|{COMMENT}|(?!!\[CDATA\[)(?:{DECLARATION})|{raw_elements(RAW_NAMES + ' script', '[^<]*+')}",
    text=TEXT,
)

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
OPENINGS = (b"<!doctype", b"<html", b"<head", b"<body")
match_prologue = re.compile(
    rf"(?:\xef\xbb\xbf)?+(?:[{SPACE}]++|<(?:{COMMENT}|!(?!--|(?i:doctype))[^>]*+>|\?[^>]*+>))*+"
    rf"(<(?:!(?i:doctype)|(?i:html|head|body){NAME_ENDS}))?+".encode()
).match
find_attributes = re.compile(
    rf"""([^{SPACE}/>][^{SPACE}/>=]*+)(?:[{SPACE}]*+=[{SPACE}]*+(?:"([^"]*+)"|'([^']*+)'|([^{SPACE}>]*+)))?+""".encode()
).findall
match_language_tag = re.compile(rb"[A-Za-z0-9-]+").fullmatch
# URLs are read without their tabs, line ends and leading controls; `\` counts as `/`; `&` may hide any of it.
match_foreign_url = re.compile(
    rb"[\x00-\x20]*+(?:[a-zA-Z][a-zA-Z0-9+.\-\t\n\r]*+:|[/\\][\t\n\r]*+[/\\]|[^?#&]*+&)"
).match
search_no_script_end = re.compile(rf"</(?i:noscript)[{SPACE}/]*+>".encode()).search
match_body_end = re.compile(
    rf"</(?i:body){NAME_ENDS}{REST}(?:[{SPACE}]++|<{COMMENT}|</(?i:html){NAME_ENDS}{REST})*+".encode()
).fullmatch
