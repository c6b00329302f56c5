"""The patterns by which `document` reads HTML tokens.

A step eats, in C, every run of tokens that cannot matter, then reads one tag; Python sees only those tags. All repeats are
possessive, hence nothing backtracks and the time is linear whatever the page holds.

Written as text and encoded when compiled, because bytes have no f-strings. Letters of a name come as a set and `(?i:…)`:
`re` skips a branch by the set, but not by `(?i:…)`.

Source: HTML Living Standard, 13.2.5 (tokenization).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import cast

# HTML's white space: unlike `\s` without the vertical tab.
_SPACE = r"\t\n\f\r\x20"
_NAME_ENDS = rf"(?=[{_SPACE}/>])"


def _tag_rest(barred: str = "") -> str:
    """Match from the end of a tag's name to its `>`; quotes count only after `=`, and no character of `barred` may occur."""
    value = rf"""(?:"[^"{barred}]*+"|'[^'{barred}]*+'|[^{_SPACE}"'>{barred}][^{_SPACE}>{barred}]*+|(?=>))"""
    ordinary = rf"""(?:[{_SPACE}]++[a-zA-Z:_-]++="[^"{barred}]*+")*+"""
    name = rf"[^{_SPACE}/>{barred}][^{_SPACE}/>={barred}]*+"
    anything = rf"(?:[{_SPACE}/]++|{name}(?:[{_SPACE}]*+=[{_SPACE}]*+{value}|(?![{_SPACE}]*+=)))*+"
    return f"{ordinary}{anything}>"


def _word(word: str) -> str:
    """Match `word` in any case."""
    return f"[{word[0]}{word[0].upper()}](?i:{word[1:]})"


def _raw(name: str, content: str = "", rest: str = "") -> str:
    """Match a raw text element after its `<`, up to and including its end tag; `content` and `rest` default to anything."""
    content = content or rf"(?:[^<]++|<(?!/(?i:{name}){_NAME_ENDS}))*+"
    rest = rest or _REST
    return rf"{_word(name)}{_NAME_ENDS}{rest}{content}</(?i:{name}){_NAME_ENDS}{rest}"


def _comment(barred: str = "(?!)") -> str:
    """Match a comment after its `<`, in which `barred` does not follow a `<`."""
    text = rf"(?:[^-<]++|-(?!-!?+>)|<(?!{barred}))*+"
    return rf"!--(?:-?+>|{text}--!?+>)"


def _elements(names: str, content: str = "", rest: str = "") -> str:
    return "|".join(_raw(name, content, rest) for name in names.split())


_REST = _tag_rest()
# `<script>` inside `<!--` hides the next `</script>` (script data double escaped state).
_SCRIPT_ENDS = rf"/(?i:script){_NAME_ENDS}"
_DOUBLE_ESCAPED = rf"(?:[^-<]++|-(?!->)|<(?!{_SCRIPT_ENDS}))*+(?:<{_SCRIPT_ENDS}|(?=-->))"
_ESCAPED = (
    rf"<!(?=--)(?:[^-<]++|-(?!->)|<(?!/?+(?i:script){_NAME_ENDS})|<(?i:script){_NAME_ENDS}{_DOUBLE_ESCAPED})*+"
    rf"(?:-->|(?=<{_SCRIPT_ENDS}))"
)
_SCRIPT = _raw("script", rf"(?:[^<]++|<(?!{_SCRIPT_ENDS}|!--)|{_ESCAPED})*+")
_COMMENT = _comment()
# Also doctypes (a `>` ends them even within quotes), processing instructions and CDATA: all end at the first `>` outside svg and math.
_DECLARATION = r"!(?!--)[^>]*+>|\?[^>]*+>|/(?![a-zA-Z])[^>]*+>"
_TEXT = r"[^<]++|<(?=[^a-zA-Z/!?])"
_RAW_NAMES = "style title textarea iframe noframes noembed xmp"
# Start tags that change how later tags are read (foreign content, select, column groups), or that nest.
_UNUSUAL_NAMES = "svg math select col colgroup frameset plaintext template noscript"


def _ordinary(rest: str = _REST, barred: str = "") -> str:
    """Match any tag after its `<` that leaves the tokenizer as it was, start or end."""
    special = "|".join(f"{_UNUSUAL_NAMES} {_RAW_NAMES} script".split())
    return rf"(?!(?i:{special}|/template|/noscript){_NAME_ENDS})/?+[a-zA-Z][^{_SPACE}/>{barred}]*+{rest}"


# Browsers with scripting take `<noscript>` as raw text, those without as markup. Only what ends at the same place for both is
# passed: no `<` where an attribute or raw text could hide the end tag, nothing that would stay open around the body.
_NO_SCRIPT_REST = _tag_rest("<")
_NO_SCRIPT_RUN = "|".join(
    (
        _comment(rf"/(?i:noscript){_NAME_ENDS}"),
        _elements(f"{_RAW_NAMES} script", "[^<]*+", _NO_SCRIPT_REST),
        _ordinary(_NO_SCRIPT_REST, "<"),
    )
)
_NO_SCRIPT = rf"{_word('noscript')}{_NAME_ENDS}{_REST}(?:{_TEXT}|<(?:{_NO_SCRIPT_RUN}))*+</(?i:noscript){_NAME_ENDS}{_NO_SCRIPT_REST}"

_LINK = rf"{_word('link')}{_NAME_ENDS}{_REST}"
_META = rf"{_word('meta')}{_NAME_ENDS}{_REST}"
# Surely no encoding declaration; a `<meta>` that may be one is left to Python.
_OTHER_META = rf"""{_word("meta")}(?:[{_SPACE}]++(?!(?i:charset|http-equiv))[a-zA-Z:_.-]++=(?:"[^"]*+"|'[^']*+'))*+[{_SPACE}]*+/?+>"""
_CONTENT = rf"{_SCRIPT}|{_elements('style title noframes')}|{_COMMENT}|{_DECLARATION}"
_TAG = rf"(?:<(/?+[a-zA-Z][^{_SPACE}/>]*+)({_REST}))?+"

Step = Callable[[bytes | bytearray, int, int], "re.Match[bytes]"]


def _step(run: str, *, text: str = rf"[{_SPACE}]++") -> Step:
    """Compile "eat all that `run` names, then read one tag": its name is group 1, its attributes with the `>` group 2."""
    # The pattern can match nothing at all, so `match` never answers None.
    return cast("Step", re.compile(rf"(?:{text}|<(?:{run}))*+{_TAG}".encode()).match)


step_before_head = _step(rf"{_COMMENT}|{_DECLARATION}")
step_in_head_without_charset = _step(rf"{_LINK}|{_OTHER_META}|{_CONTENT}|{_NO_SCRIPT}")
step_in_head = _step(rf"{_LINK}|{_META}|{_CONTENT}|{_NO_SCRIPT}")
step_after_head = _step(rf"{_LINK}|{_META}|{_CONTENT}")
step_in_template = _step(
    rf"{_ordinary()}|{_COMMENT}|{_DECLARATION}|{_SCRIPT}|{_elements(_RAW_NAMES)}|{_NO_SCRIPT}",
    text=_TEXT,
)
# Within svg, math, select or column groups style and its like may be markup or not: passed only if both ways of reading agree.
step_in_unusual_template = _step(
    rf"{_ordinary()}|{_COMMENT}|(?!!\[CDATA\[)(?:{_DECLARATION})|{_elements(_RAW_NAMES + ' script', '[^<]*+')}",
    text=_TEXT,
)

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
OPENINGS = (b"<!doctype", b"<html", b"<head", b"<body")
match_prologue = re.compile(
    rf"(?:\xef\xbb\xbf)?+(?:[{_SPACE}]++|<(?:{_COMMENT}|!(?!--|(?i:doctype))[^>]*+>|\?[^>]*+>))*+"
    rf"(<(?:!(?i:doctype)|(?i:html|head|body){_NAME_ENDS}))?+".encode()
).match
find_attributes = re.compile(
    rf"""([^{_SPACE}/>][^{_SPACE}/>=]*+)(?:[{_SPACE}]*+=[{_SPACE}]*+(?:"([^"]*+)"|'([^']*+)'|([^{_SPACE}>]*+)))?+""".encode()
).findall
match_language_tag = re.compile(rb"[A-Za-z0-9-]+").fullmatch
# URLs are read without their tabs, line ends and leading controls; `\` counts as `/`; `&` may hide any of it.
match_foreign_url = re.compile(
    rb"[\x00-\x20]*+(?:[a-zA-Z][a-zA-Z0-9+.\-\t\n\r]*+:|[/\\][\t\n\r]*+[/\\]|[^?#&]*+&)"
).match
search_no_script_end = re.compile(rf"</(?i:noscript)[{_SPACE}/]*+>".encode()).search
match_body_end = re.compile(
    rf"</(?i:body){_NAME_ENDS}{_REST}(?:[{_SPACE}]++|<{_COMMENT}|</(?i:html){_NAME_ENDS}{_REST})*+".encode()
).fullmatch
