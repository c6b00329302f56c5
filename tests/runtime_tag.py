"""The tag of the browser runtime, as tests look for it in a page."""

from __future__ import annotations

import json
import re
from typing import Any

import html5lib

TAG = re.compile(
    r'<script src="[^"]*/assets/consent\.[0-9a-f]{12}\.js" defer(?: nonce="[^"]*")? data-consent-key="[\w-]{22}"'
    r" data-consent-page='[^']*'></script>"
)


def count_tags(text: str) -> int:
    """Count what a browser could take for the runtime's tag, well formed or not; what is held does not count."""
    found = len(TAG.findall(text))
    assert found == len(re.findall("<script [^>]*data-consent-page", text))
    return found


def without_tag(text: str) -> str:
    """Take the one tag out of a page."""
    rest, count = TAG.subn("", text)
    assert count == 1
    return rest


def read_tags(text: str) -> list[dict[str, str]]:
    """Return the attributes of each tag of the runtime, as a browser reads them."""
    tree = html5lib.parse(text, treebuilder="etree", namespaceHTMLElements=False)
    return [dict(element.attrib) for element in tree.iter("script") if "data-consent-page" in element.attrib]


def read_page(text: str) -> dict[str, Any]:
    """Return what the first tag of a page, which is the one that counts, tells the runtime."""
    tag = read_tags(text)[0]
    page = json.loads(tag["data-consent-page"])
    assert isinstance(page, dict)
    return page
