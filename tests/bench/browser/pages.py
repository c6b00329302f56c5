"""The pages that are compared: one newsroom article, with the library's banner, a peer's, or none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from examples.newsroom import create_app
from tests.bench.browser.figures import BARE, BASELINE, OURS
from tests.bench.browser.markup import cut_banner, cut_library, find_assets, has_script, place
from tests.bench.browser.peers import PEERS, PEERS_PATH, Peer

ARTICLE: Final = "/article/electric-ferry"

_BANNER_SELECTOR: Final = ".pvc-banner"
# As little as makes a banner of it.
_BASELINE_STYLE: Final = "<style>.pvc-banner{position:fixed;inset:auto 0 0;color:#000;background:#fff}</style>"
_CONTENT_TYPES: Final = {".css": "text/css", ".js": "text/javascript"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page to load."""

    name: str
    html: str
    selector: str
    """Of its banner; empty if it has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """What is answered under one path."""

    body: bytes
    content_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Everything that the server answers."""

    pages: tuple[Page, ...]
    files: dict[str, File]
    """By path; the pages are not among them."""

    has_runtime: bool
    """Whether the library's page carries a script."""


def make_scene(packages: Path) -> Scene:
    """Render the article once, and make every page of that one text.

    Args:
        packages: The folder `node_modules` that holds the peers.

    Raises:
        ValueError: If the article does not hold what the library places.
        FileNotFoundError: If a peer lacks a file.
    """
    client = create_app().test_client()
    article = client.get(ARTICLE).text
    plain = cut_library(article)
    bare = cut_banner(plain)
    pages = (
        Page(name=BARE, html=bare, selector=""),
        Page(name=BASELINE, html=place(plain, head=_BASELINE_STYLE), selector=_BANNER_SELECTOR),
        Page(name=OURS, html=article, selector=_BANNER_SELECTOR),
        *(
            Page(name=peer.package, html=place(bare, head=peer.head, body=peer.body), selector=peer.selector)
            for peer in PEERS
        ),
    )
    files = {}
    for path in find_assets(article):
        response = client.get(path)
        files[path] = File(body=response.data, content_type=response.content_type)
    for peer in PEERS:
        files |= dict(_read_files(packages, peer))
    return Scene(pages=pages, files=files, has_runtime=has_script(article))


def _read_files(packages: Path, peer: Peer) -> Iterator[tuple[str, File]]:
    for name in peer.files:
        path = packages / peer.package / name
        content_type = f"{_CONTENT_TYPES[path.suffix]}; charset=utf-8"
        yield f"{PEERS_PATH}{peer.package}/{name}", File(body=path.read_bytes(), content_type=content_type)
