"""HTML tags as a scan finds them: where they stand in the page, byte for byte, and what they say."""

from __future__ import annotations

from typing import NamedTuple


# Named tuples, since many are made: a frozen dataclass takes three times as long.
class Attribute(NamedTuple):
    """Hold one attribute of a tag. Offsets count bytes from the start of the page."""

    name: str
    """In lower case."""

    value: str
    """As a browser reads it: without quotes, character references resolved; empty for none."""

    name_at: int
    name_end: int
    end: int
    """Where the attribute ends, closing quote included."""

    is_open: bool = False
    """Whether the value goes on beyond what is held of a stream, and may yet name another host."""


class Element(NamedTuple):
    """Hold a start tag, and of a raw text element also what is in it. Offsets count bytes from the start of the page."""

    name: str
    """In lower case."""

    start: int
    """Offset of the tag's `<`."""

    name_end: int
    """Offset behind the tag's name: where an attribute can be written in front of all others."""

    end: int
    """Offset behind the tag's `>`."""

    attributes: tuple[Attribute, ...]
    """In their order, duplicates included: browsers heed the first of a name, an edit must heed all. Of a tag that is very long, only
    the first few and those that say what is loaded."""

    text_end: int
    """Where the text of a raw text element (script, style, iframe, …) ends; `end` for other elements. `element_text` reads it."""

    element_end: int
    """Behind the end tag of a raw text element; `end` for other elements, which an edit replaces one tag of."""

    is_certain: bool = True
    """Whether every browser reads it here as an ordinary HTML element, so that another may stand in its place: not within
    svg, math, template, select or noscript, where only names of attributes may be changed."""

    is_closed: bool = True
    """Whether it was seen to its end: false for raw text whose end tag is missing or, in a stream, beyond what is held, and for
    parts of a tag that is longer than that. Never certain then."""

    is_foreign: bool = False
    """Whether it is in svg or math, or may be: then the text of a script or style is markup."""

    is_in_form: bool = False
    """Whether a form is open: another within it would end it."""

    is_in_noscript: bool = False
    """Whether only browsers without scripts read it as an element."""

    def find(self, name: str) -> str | None:
        """Return the value of an attribute as browsers take it: the first of that name; None for none."""
        return next((each.value for each in self.attributes if each.name == name), None)
