"""In which line of a TOML file each of its fields stands: `tomllib` tells it for broken files only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"""
    (?P<space>(?:[ \t\r]|\#[^\n]*)+)
    | (?P<newline>\n)
    # Up to two quotes may stand right before the three that end a text.
    | (?P<text>\"{3}(?:\\.|[^\\])*?\"{3,5} | '{3}.*?'{3,5} | "(?:\\.|[^"\\\n])*" | '[^'\n]*')
    | (?P<mark>[\[\]{},=.])
    | (?P<word>[^\s\[\]{},=.\#"']+)
    """,
    re.VERBOSE | re.DOTALL,
)


def find_line(text: str, path: str) -> int | None:
    """Return the number of the line on which a field begins, counted from 1.

    Args:
        text: A file that `tomllib` has read without an error.
        path: Such as `hosts`, `hosts.script[1]` or `cookies[1].months`. For a field that the file does not
            have, the line of the table that should hold it is returned.

    Returns:
        None if not even that table stands in the file.
    """
    lines = find_lines(text)
    while path and path not in lines:
        path = re.sub(r"(?:^|\.)[^.\[]*$|\[\d+\]$", "", path)
    return lines.get(path)


def find_lines(text: str) -> dict[str, int]:
    """Return the line of each field of a valid TOML file, by path."""
    reader = _Reader(tokens=[*_split(text)])
    reader.read_file()
    return reader.lines


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    kind: str
    text: str
    line: int


def _split(text: str) -> Iterator[_Token]:
    line = 1
    for match in _TOKEN.finditer(text):
        if match.lastgroup != "space":
            yield _Token(kind=str(match.lastgroup), text=match[0], line=line)
        line += match[0].count("\n")


@dataclass(slots=True, kw_only=True)
class _Reader:
    """Go through the tokens of one file, and note where each field begins."""

    tokens: list[_Token]
    at: int = 0
    lines: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    """How many `[[tables]]` of each path there were so far."""

    def read_file(self) -> None:
        table = ""
        while token := self._peek():
            if token.kind == "newline":
                self.at += 1
            elif token.text == "[":
                table = self._read_header()
            else:
                self._read_field(table)

    def _peek(self) -> _Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def _take(self, text: str) -> bool:
        token = self._peek()
        is_it = token is not None and token.text == text
        self.at += is_it
        return is_it

    def _skip_newlines(self) -> None:
        while (token := self._peek()) and token.kind == "newline":
            self.at += 1

    def _note(self, path: str, line: int) -> None:
        self.lines.setdefault(path, line)

    def _read_header(self) -> str:
        line = self.tokens[self.at].line
        is_list = self.tokens[self.at + 1].text == "["
        self.at += 1 + is_list
        *parents, last = self._read_key(until="]")
        self.at += is_list
        path = ""
        for name in parents:
            path = self._enter(_join(path, name))
            self._note(path, line)
        path = _join(path, last)
        self._note(path, line)
        if is_list:
            self.counts[path] = self.counts.get(path, 0) + 1
            path = self._enter(path)
            self._note(path, line)
        return path

    def _enter(self, path: str) -> str:
        return f"{path}[{self.counts[path] - 1}]" if path in self.counts else path

    def _read_key(self, *, until: str) -> list[str]:
        names = []
        while not self._take(until):
            token = self.tokens[self.at]
            if token.text != ".":
                names.append(token.text.strip("\"'"))
            self.at += 1
        return names

    def _read_field(self, table: str) -> None:
        line = self.tokens[self.at].line
        path = table
        for name in self._read_key(until="="):
            path = _join(path, name)
            self._note(path, line)
        self._read_value(path)

    def _read_value(self, path: str) -> None:
        if self._take("["):
            self._read_list(path)
        elif self._take("{"):
            self._read_inline_table(path)
        else:
            self._skip_plain_value()

    def _skip_plain_value(self) -> None:
        # A number or an instant is several tokens, because of its points.
        while (token := self._peek()) and token.kind != "newline" and token.text not in {",", "]", "}"}:
            self.at += 1

    def _read_list(self, path: str) -> None:
        index = 0
        while True:
            self._skip_newlines()
            if self._take("]"):
                return
            if self._take(","):
                index += 1
                continue
            self._note(f"{path}[{index}]", self.tokens[self.at].line)
            self._read_value(f"{path}[{index}]")

    def _read_inline_table(self, path: str) -> None:
        while True:
            self._skip_newlines()
            if self._take("}"):
                return
            if not self._take(","):
                self._read_field(path)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
