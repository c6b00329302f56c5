"""Patterns of HTML's tokens, as text, of which `_html` and `_markup_patterns` make theirs.

All repeats are possessive, hence nothing backtracks and the time is linear whatever the page holds.

Written as text and encoded when compiled, because bytes have no f-strings. Letters of a name come as a set and `(?i:…)`:
`re` skips a branch by the set, but not by `(?i:…)`.

Source: HTML Living Standard, 13.2.5 (tokenization).
"""

from __future__ import annotations

# HTML's white space: unlike `\s` without the vertical tab.
SPACE = r"\t\n\f\r\x20"
NAME_ENDS = rf"(?=[{SPACE}/>])"


def tag_rest(barred: str = "") -> str:
    """Match from the end of a tag's name to its `>`; quotes count only after `=`, and no character of `barred` may occur."""
    value = rf"""(?:"[^"{barred}]*+"|'[^'{barred}]*+'|[^{SPACE}"'>{barred}][^{SPACE}>{barred}]*+|(?=>))"""
    ordinary = rf"""(?:[{SPACE}]++[a-zA-Z:_-]++="[^"{barred}]*+")*+"""
    name = rf"[^{SPACE}/>{barred}][^{SPACE}/>={barred}]*+"
    anything = rf"(?:[{SPACE}/]++|{name}(?:[{SPACE}]*+=[{SPACE}]*+{value}|(?![{SPACE}]*+=)))*+"
    return f"{ordinary}{anything}>"


def any_case(word: str) -> str:
    """Match `word` in any case."""
    return f"[{word[0]}{word[0].upper()}](?i:{word[1:]})"


def raw_element(name: str, content: str = "", rest: str = "") -> str:
    """Match a raw text element after its `<`, up to and including its end tag; `content` and `rest` default to anything."""
    content = content or rf"(?:[^<]++|<(?!/(?i:{name}){NAME_ENDS}))*+"
    rest = rest or REST
    return rf"{any_case(name)}{NAME_ENDS}{rest}{content}</(?i:{name}){NAME_ENDS}{rest}"


def comment(barred: str = "(?!)") -> str:
    """Match a comment after its `<`, in which `barred` does not follow a `<`."""
    text = rf"(?:[^-<]++|-(?!-!?+>)|<(?!{barred}))*+"
    return rf"!--(?:-?+>|{text}--!?+>)"


def raw_elements(names: str, content: str = "", rest: str = "") -> str:
    """Match any of the raw text elements named, with spaces between the names, as `raw_element` does."""
    return "|".join(raw_element(name, content, rest) for name in names.split())


REST = tag_rest()
# `<script>` inside `<!--` hides the next `</script>` (script data double escaped state).
_SCRIPT_ENDS = rf"/(?i:script){NAME_ENDS}"
_DOUBLE_ESCAPED = rf"(?:[^-<]++|-(?!->)|<(?!{_SCRIPT_ENDS}))*+(?:<{_SCRIPT_ENDS}|(?=-->))"
_ESCAPED = (
    rf"<!(?=--)(?:[^-<]++|-(?!->)|<(?!/?+(?i:script){NAME_ENDS})|<(?i:script){NAME_ENDS}{_DOUBLE_ESCAPED})*+"
    rf"(?:-->|(?=<{_SCRIPT_ENDS}))"
)
SCRIPT = raw_element("script", rf"(?:[^<]++|<(?!{_SCRIPT_ENDS}|!--)|{_ESCAPED})*+")
COMMENT = comment()
# Also doctypes (a `>` ends them even within quotes), processing instructions and CDATA: all end at the first `>` outside svg and math.
DECLARATION = r"!(?!--)[^>]*+>|\?[^>]*+>|/(?![a-zA-Z])[^>]*+>"
TEXT = r"[^<]++|<(?=[^a-zA-Z/!?])"
RAW_NAMES = "style title textarea iframe noframes noembed xmp"
# Start tags that change how later tags are read (foreign content, select, column groups), or that nest.
UNUSUAL_NAMES = "svg math select col colgroup frameset plaintext template noscript"


def ordinary_tag(rest: str = REST, barred: str = "") -> str:
    """Match any tag after its `<` that leaves the tokenizer as it was, start or end."""
    special = "|".join(f"{UNUSUAL_NAMES} {RAW_NAMES} script".split())
    return rf"(?!(?i:{special}|/template|/noscript){NAME_ENDS})/?+[a-zA-Z][^{SPACE}/>{barred}]*+{rest}"
