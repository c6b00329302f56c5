"""The paper's words and stories, one TOML file a language."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

CONTENT = Path(__file__).parent / "content"
SECTIONS = ("city", "sea", "science", "culture")

_EMBED = re.compile(r"\[embed (?P<service>\S+) (?P<id>\S+) \| (?P<title>[^\]]+)\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    kind: str
    """`paragraph`, `heading`, `quote` or `embed`."""

    text: str
    """The words; of an embed its title."""

    service: str = ""
    embed_id: str = ""
    only_in: str = ""
    """Of a document's: `earlier` or `revised` where it stands in that version alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    slug: str
    section: str
    title: str
    summary: str
    author: str
    published: date
    picture: str
    alt: str
    caption: str
    blocks: tuple[Block, ...]

    @property
    def words(self) -> str:
        return " ".join(block.text for block in self.blocks)

    @property
    def minutes(self) -> int:
        return max(2, round(len(self.words.split()) / 90))

    @property
    def has_film(self) -> bool:
        return any(block.service in ("harbour-video", "youtube") for block in self.blocks)


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentText:
    key: str
    title: str
    summary: str
    blocks: tuple[Block, ...]
    changes: str = ""
    """What the latest version changed, in one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    language: str
    direction: str
    labels: Mapping[str, str]
    trends: tuple[str, ...]
    articles: tuple[Article, ...]
    """Newest first."""

    documents: Mapping[str, DocumentText]
    """By key."""

    def find(self, slug: str) -> Article | None:
        return next((article for article in self.articles if article.slug == slug), None)

    def in_section(self, section: str) -> list[Article]:
        return [article for article in self.articles if article.section == section]

    def related_to(self, article: Article) -> list[Article]:
        others = [other for other in self.articles if other is not article]
        return sorted(others, key=lambda other: other.section != article.section)[:3]

    def search(self, query: str) -> list[Article]:
        terms = query.casefold().split()
        return [article for article in self.articles if terms and all(term in _haystack(article) for term in terms)]

    def format_date(self, day: date) -> str:
        return f"{day.day} {self.labels['months'].split()[day.month - 1]} {day.year}"


def load_editions() -> dict[str, Edition]:
    editions = {language: _load(CONTENT / f"{language}.toml") for language in ("en", "ar")}
    if editions["en"].labels.keys() != editions["ar"].labels.keys():
        raise ValueError("Both editions must have the same labels.")
    return editions


def _haystack(article: Article) -> str:
    return f"{article.title} {article.summary} {article.section} {article.words}".casefold()


def _load(path: Path) -> Edition:
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    return Edition(
        language=data["language"],
        direction=data["direction"],
        labels=data["labels"],
        trends=tuple(data["trends"]),
        articles=tuple(_read_article(entry) for entry in data["articles"]),
        documents={entry["key"]: _read_document(entry) for entry in data["documents"]},
    )


def _read_article(entry: dict[str, Any]) -> Article:
    body = entry.pop("body")
    return Article(**entry, blocks=_read_blocks(body))


def _read_document(entry: dict[str, Any]) -> DocumentText:
    body = entry.pop("body")
    return DocumentText(**entry, blocks=_read_blocks(body))


def _read_blocks(body: str) -> tuple[Block, ...]:
    return tuple(_read_block(text) for text in body.strip().split("\n\n"))


def _read_block(text: str) -> Block:
    embed = _EMBED.fullmatch(text)
    if embed:
        return Block(kind="embed", text=embed["title"], service=embed["service"], embed_id=embed["id"])
    for mark, kind in (("## ", "heading"), ("> ", "quote")):
        if text.startswith(mark):
            return Block(kind=kind, text=text.removeprefix(mark))
    for mark, version in (("- ", "earlier"), ("+ ", "revised")):
        if text.startswith(mark):
            return Block(kind="paragraph", text=text.removeprefix(mark), only_in=version)
    return Block(kind="paragraph", text=text)
