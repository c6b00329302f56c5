"""Take out of a page what the library placed, and put something else in. Pure."""

from __future__ import annotations

import re
from typing import Final

_LIBRARY_FOLDER: Final = "/privacy-choices/assets/"

_BANNER: Final = re.compile(r'<section class="pvc-banner".*?</section>', re.DOTALL)
# With every form of attribute value, since one may hold a `>`.
_TAG: Final = re.compile(
    r"""<(?:link|script)(?P<attributes>(?:\s+[\w-]+(?:=(?:"[^"]*"|'[^']*'|[^\s"'>]+))?)*)\s*>(?:</script>)?"""
)
_ASSET: Final = re.compile(rf'(?:src|href)="((?:/static/|{_LIBRARY_FOLDER})[^"]*)"')


def cut_library(html: str) -> str:
    """Return a page without the library's stylesheets and scripts. Held blocks stay: they are data, and load nothing.

    Raises:
        ValueError: If there was none.
    """
    cut = _TAG.sub(lambda found: "" if _LIBRARY_FOLDER in found["attributes"] else found[0], html)
    if cut == html:
        raise ValueError("The page has no stylesheet of the library.")
    return cut


def cut_banner(html: str) -> str:
    """Return a page without the banner.

    Raises:
        ValueError: If there is not exactly one.
    """
    cut, count = _BANNER.subn("", html)
    if count != 1:
        raise ValueError(f"The page has {count} banners, not 1.")
    return cut


def has_script(html: str) -> bool:
    """Whether a page carries a script of the library."""
    return any(
        found[0].startswith("<script") and _LIBRARY_FOLDER in found["attributes"] for found in _TAG.finditer(html)
    )


def find_assets(html: str) -> list[str]:
    """Return the paths of what a page loads from its own site, each once."""
    return list(dict.fromkeys(_ASSET.findall(html)))


def place(html: str, *, head: str = "", body: str = "") -> str:
    """Return a page with markup at the end of its head and of its body."""
    before_head, after_head = html.split("</head>", 1)
    before_body, after_body = after_head.rsplit("</body>", 1)
    return f"{before_head}{head}</head>{before_body}{body}</body>{after_body}"
