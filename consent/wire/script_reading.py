"""Tell what a script in a page loads from what it merely names, as far as that can be seen without running it.

Pages keep what they were made of in scripts: a list of videos, a state, a story with its links. Held back with the tracker that is
named in them, the site would be as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from consent.core.declaration import HostUse
from consent.core.host_table import ANY_USE
from consent.wire.url_reading import locate_urls_in_script

# What is escaped outside of a text stays.
_TEXT = re.compile(r"""(\\.)|"(?:[^"\\\n]|\\.)*+"|'(?:[^'\\\n]|\\.)*+'""", re.DOTALL)
# In a script without its texts: anything but names, numbers, brackets and assignments. Patterns and templates may hide a text's end.
_ACTS = re.compile(
    r"""[/`<\\]|=>|\b(?:new|import|await)\b|(?<!\()\bfunction\b|\]\s*+\(|\[\]\s*+=(?!=)|(?<!\})\)\s*+\(
    |\b(?:src|srcset|srcdoc|href|data|poster|action|location|cssText|innerHTML|outerHTML)\s*+=(?!=)
    |(?<![\w$])(?!(?:function|push|parse|freeze|assign)\s*+\()[\w$]++\s*+\(""",
    re.VERBOSE,
)
_FRONT_LENGTH = 200
# What stands in front of an address that is loaded at once.
_LOADING = re.compile(
    r"""(?:(?P<connect>\b(?:fetch|sendBeacon|EventSource|WebSocket|Request)\s*+\(|\.(?:get|post|getJSON)\s*+\(
            |\bopen\s*+\(\s*+["'`][A-Za-z]++["'`]\s*+,)
        |(?P<image>\.\s*+src\s*+=|\[\s*+["'`]src["'`]\s*+\]\s*+=|\bsetAttribute\s*+\(\s*+["'`]src["'`]\s*+,|<[iI][mM][gG]\b[^<>]*\bsrc\s*+=)
        |(?P<frame><[iI][fF][rR][aA][mM][eE]\b[^<>]*\bsrc\s*+=)
        |(?P<any>\.\s*+srcset\s*+=|\b(?:url|import|importScripts|Worker)\s*+\(|\b(?:import|from)(?=[\s"']))
    )[\s("'`\\]*+(?:https?:|wss?:)?$""",
    re.VERBOSE,
)
_WRITING = "document.write"


def find_script_uses(text: str, *, is_whole: bool = True) -> Iterator[tuple[str, str]]:
    """Find the addresses in the text of a script, and what for.

    Args:
        is_whole: Whether nothing follows; what follows data may load what is named in it.

    Returns:
        Of each the URL, and the use that what stands in front of it speaks of: a value of `HostUse`, or `ANY_USE`. `SCRIPT` where
        nothing does: it may be handed to what loads it, as the snippets of most services do.
    """
    if is_whole and keeps_data(text):
        return
    is_writing = _WRITING in text
    for at, url in locate_urls_in_script(text):
        found = _LOADING.search(text[max(0, at - _FRONT_LENGTH) : at])
        kind = found.lastgroup if found else None
        # Elsewhere markup is a text like any other.
        if found and kind and (is_writing or not found[0].startswith("<")):
            yield url, ANY_USE if kind == "any" else HostUse(kind)
        else:
            yield url, HostUse.SCRIPT


def keeps_data(text: str) -> bool:
    """Whether a script does nothing but keep data, such as `window.state = {…}` or `list.push([…])`; False where that is not sure."""
    return _ACTS.search(_TEXT.sub(r"\1", text)) is None
