"""What a visitor would find in a piece of our markup: words, buttons, links and switches."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = frozenset({"input", "link", "meta", "br", "img", "hr"})


@dataclass(slots=True)
class PageReading:
    """Hold what was read, in the order of the page."""

    title: str = ""
    """Words of the first heading."""

    text: str = ""
    """All words, with single spaces."""

    buttons: list[tuple[str, str]] = field(default_factory=list)
    """Action and words of each button that posts one."""

    links: list[tuple[str, str]] = field(default_factory=list)
    """Address and words of each link."""

    ticked: list[str] = field(default_factory=list)
    """Key of each switch that is on."""

    focused: list[str] = field(default_factory=list)
    """Action of each button that would take the focus by itself."""


def read_page(markup: str) -> PageReading:
    """Read a banner, or a page of the library."""
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    reader.reading.text = " ".join(reader.reading.text.split())
    return reader.reading


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.reading = PageReading()
        self._open: list[tuple[str, dict[str, str], list[str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "input" and values.get("name") == "granted" and "checked" in values:
            self.reading.ticked.append(values.get("value", ""))
        if tag == "button" and "autofocus" in values:
            self.reading.focused.append(values.get("value", ""))
        if tag not in _VOID:
            self._open.append((tag, values, []))

    def handle_data(self, data: str) -> None:
        if not any(tag in ("script", "style", "title") for tag, _, _ in self._open):
            self.reading.text += f"{data} "
        for _, _, words in self._open:
            words.append(data)

    def handle_endtag(self, tag: str) -> None:
        # What an end tag does not name was left open, which HTML allows for many elements.
        while any(name == tag for name, _, _ in self._open):
            if self._shut_last() == tag:
                return

    def close(self) -> None:
        """End the page, and with it whatever is still open."""
        super().close()
        while self._open:
            self._shut_last()

    def _shut_last(self) -> str:
        tag, values, words = self._open.pop()
        self._take(tag, values, " ".join("".join(words).split()))
        return tag

    def _take(self, tag: str, values: dict[str, str], words: str) -> None:
        if tag in ("h1", "h2") and not self.reading.title:
            self.reading.title = words
        if tag == "button" and values.get("name") == "action":
            self.reading.buttons.append((values.get("value", ""), words))
        if tag == "a":
            self.reading.links.append((values.get("href", ""), words))
