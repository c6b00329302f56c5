"""Which elements are open, as far as the reading of tags depends on it: svg and math, what is in them, templates, selects.

Outside of svg and math no element is followed, so an end tag in there that closes nothing in there may close something around
it: from then on it is in doubt whether svg is still open, until a tag comes that is HTML either way.

Source: HTML Living Standard, 13.2.6 (tree construction), above all 13.2.6.5 (foreign content).
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from consent.wire.markup import Attribute


class _Kind(Enum):
    """What kind of node is open; it decides how the next tag is read."""

    FOREIGN = 0
    HTML = 1
    HTML_INSIDE = 2
    """In svg or math, yet what is in it is HTML."""

    TEXT_INSIDE = 3
    """In math, yet all but two elements in it are HTML."""

    ANNOTATION = 4
    """In math, yet an svg in it is an svg."""


_Node = tuple[bytes, _Kind, bool]
"""Name, kind, and whether it is in math."""

_INSIDE = frozenset({_Kind.HTML_INSIDE, _Kind.TEXT_INSIDE})
_ROOTS = frozenset({b"svg", b"math"})
_MATH_TEXTS = frozenset({b"mi", b"mo", b"mn", b"ms", b"mtext"})
_SVG_INSIDE = frozenset({b"foreignobject", b"desc", b"title"})
_NOT_IN_MATH_TEXT = frozenset({b"mglyph", b"malignmark"})
_BREAK_OUT = frozenset(
    b"b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 head hr i img li listing menu meta "
    b"nobr ol p pre ruby s small span strong strike sub sup table tt u ul var".split()
)
_VOID = frozenset(
    b"area base basefont bgsound br col embed frame hr img image input keygen link meta param source track wbr".split()
)
_IGNORED = frozenset(b"html head body frameset frame".split())
_COLUMNS = frozenset({b"col", b"colgroup"})
_SELECT_OR_ENDS_IT = frozenset({b"select", b"input", b"keygen"})
_TABLE_PARTS = frozenset(b"caption col colgroup tbody td tfoot th thead tr".split())
_CLOSE_PARAGRAPH = frozenset(
    b"address article aside blockquote center dd details dialog dir div dl dt fieldset figcaption figure footer form h1 h2 h3 "
    b"h4 h5 h6 header hgroup hr li listing main menu nav ol p plaintext pre search section summary table ul xmp".split()
)
_CLOSED_BY_OTHERS = frozenset(b"p li dd dt option optgroup rb rp rt rtc tr td th tbody thead tfoot".split())
# A second of its kind closes the first, or shuffles what is open in ways that are not followed.
_NOT_TWICE = frozenset(
    b"a b big button code dd dt em font form h1 h2 h3 h4 h5 h6 i li nobr optgroup option s small strike strong tt u".split()
)
# Deeper than any drawing; what is beyond is in doubt. Each tag may cost this many steps.
_DEPTH_LIMIT = 64


class OpenElements:
    """Follow the tags of a page, each of them once."""

    __slots__ = (
        *("_foreign", "_is_frameset", "_is_left", "_is_lost", "_is_odd", "_is_select", "_templates"),
        "is_in_form",
    )

    def __init__(self) -> None:
        # From the outermost svg or math to the current node.
        self._foreign: list[_Node] = []
        # How many of them were open where each template begins.
        self._templates: list[int] = []
        self._is_select = False
        self._is_frameset = False
        # In a template whose columns swallow what is not one.
        self._is_odd = False
        # Whether all of svg or math may have been closed from outside.
        self._is_left = False
        # Whether HTML within svg or math is nested in ways that are not followed.
        self._is_lost = False
        self.is_in_form = False
        """Whether a form is open, or may be."""

    def copy(self) -> OpenElements:
        """Return another that goes its own way from here."""
        twin = OpenElements()
        twin._foreign = self._foreign.copy()
        twin._templates = self._templates.copy()
        twin._is_select, twin._is_frameset, twin._is_odd = self._is_select, self._is_frameset, self._is_odd
        twin._is_left, twin._is_lost, twin.is_in_form = self._is_left, self._is_lost, self.is_in_form
        return twin

    def is_like(self, other: OpenElements) -> bool:
        """Whether whatever follows is read the same by both."""
        return (
            (self._foreign, self._templates) == (other._foreign, other._templates)
            and (self._is_select, self._is_frameset, self._is_odd)
            == (other._is_select, other._is_frameset, other._is_odd)
            and (self._is_left, self._is_lost) == (other._is_left, other._is_lost)
        )

    @property
    def is_plain(self) -> bool:
        """Whether a tag here is an ordinary HTML element's, and no end tag matters."""
        # Spelt out, since it is asked at every tag.
        return not (
            (self._foreign or self._templates)
            or (self._is_select or self._is_frameset or self._is_odd)
            or (self._is_left or self._is_lost)
        )

    @property
    def is_doubtful(self) -> bool:
        """Whether it is unknown if svg or math is open."""
        return self._is_left or self._is_lost

    @property
    def may_ignore(self) -> bool:
        """Whether some parsers ignore here what would be raw text: in select those of before 2025, in frame sets all."""
        return self._is_select or self._is_frameset or self._is_odd

    @property
    def has_cdata(self) -> bool:
        """Whether `<![CDATA[` begins text here, and not a comment; unless it is doubtful."""
        return bool(self._foreign) and self._foreign[-1][1] is not _Kind.HTML

    @property
    def is_foreign(self) -> bool:
        """Whether svg or math is open, or may be."""
        return bool(self._foreign)

    def reads_as_html(self, name: bytes, read: Callable[[], tuple[Attribute, ...]]) -> bool:
        """Whether a start tag is read as HTML here.

        Args:
            read: Returns the tag's attributes.
        """
        if not self._foreign:
            return True
        _, kind, is_math = self._foreign[-1]
        if kind is _Kind.HTML or kind is _Kind.HTML_INSIDE or _breaks_out(name, read):
            return True
        if kind is _Kind.TEXT_INSIDE:
            return name not in _NOT_IN_MATH_TEXT
        return is_math and kind is _Kind.ANNOTATION and name == b"svg"

    def start(self, name: bytes, *, closes_itself: bool, read: Callable[[], tuple[Attribute, ...]]) -> None:
        """Follow a start tag."""
        if self.reads_as_html(name, read):
            if self._foreign and _breaks_out(name, read):
                self._leave_foreign()
            self._start_html(name, closes_itself=closes_itself)
        elif not closes_itself:
            is_math = self._foreign[-1][2]
            self._push((name, _kind_of(name, read, is_math=is_math), is_math))

    def end(self, name: bytes) -> None:
        """Follow an end tag."""
        if self._foreign and self._foreign[-1][1] is not _Kind.HTML:
            self._end_foreign(name)
        elif name == b"template":
            self._end_template()
        elif self._foreign:
            self._end_html(name)
        elif name == b"select":
            self._is_select = False
        elif name == b"form":
            self.is_in_form = False

    def leave_select(self) -> None:
        """Follow a `<textarea>` as parsers of before 2025 do: it closes a select."""
        self._is_select = False

    # --- Start tags ------------------------------------------------------------------------------------------------------------

    def _leave_foreign(self) -> None:
        nodes = self._foreign
        while nodes and (nodes[-1][1] is _Kind.FOREIGN or nodes[-1][1] is _Kind.ANNOTATION):
            nodes.pop()
        self._settle()

    def _start_html(self, name: bytes, *, closes_itself: bool) -> None:
        if name in _ROOTS:
            if not closes_itself:
                self._push((name, _Kind.FOREIGN, name == b"math"))
            return
        self._note_html(name)
        if self._foreign:
            self._start_inside(name)

    def _note_html(self, name: bytes) -> None:
        """Follow an HTML element that changes how others are read, wherever it stands."""
        if name == b"template":
            self._templates.append(len(self._foreign))
        elif name == b"frameset":
            self._is_frameset = True
        elif name in _COLUMNS:
            self._is_odd = bool(self._templates)
        elif name in _SELECT_OR_ENDS_IT:
            # A second select closes the first, unless that was closed before it: then it is the first of another.
            self._is_select = name == b"select"
        elif name == b"form":
            # The same in a template, where forms are kept apart: what opens there mostly closes there.
            self.is_in_form = True

    def _start_inside(self, name: bytes) -> None:
        """Follow an HTML element within svg or math."""
        if name in _VOID or name in _IGNORED:
            return
        names = self._list_inside()
        if name in _TABLE_PARTS and b"table" not in names:
            return
        if name in _CLOSE_PARAGRAPH and b"p" in names:
            self._close_last(b"p")
        if name in _NOT_TWICE and name in names:
            self._close_last(name)
        self._push((name, _Kind.HTML, False))

    def _close_last(self, name: bytes) -> None:
        if self._foreign[-1][0] == name:
            self._foreign.pop()
        else:
            self._is_lost = True

    def _push(self, node: _Node) -> None:
        if len(self._foreign) < _DEPTH_LIMIT:
            self._foreign.append(node)
        else:
            self._is_lost = True

    def _list_inside(self) -> list[bytes]:
        """List the HTML elements that are open in the innermost part of svg or math that holds HTML."""
        names = []
        for name, kind, _ in reversed(self._foreign):
            if kind in _INSIDE or name == b"template":
                break
            names.append(name)
        return names

    # --- End tags --------------------------------------------------------------------------------------------------------------

    @property
    def _floor(self) -> int:
        return self._templates[-1] if self._templates else 0

    def _end_template(self) -> None:
        if self._templates:
            del self._foreign[self._templates.pop() :]
            if not self._templates:
                self._is_odd = False

    def _end_foreign(self, name: bytes) -> None:
        nodes = self._foreign
        for at in range(len(nodes) - 1, self._floor - 1, -1):
            if nodes[at][1] is _Kind.HTML:
                self._end_html(name)
                return
            if nodes[at][0] == name:
                del nodes[at:]
                self._settle()
                return
        if name == b"template" and self._templates:
            self._end_template()
        elif name == b"select" and self._is_select and not any(kind in _INSIDE for _, kind, _ in nodes):
            del nodes[self._floor :]
            self._is_select = False
        elif name not in _IGNORED:
            self._is_left = True

    def _end_html(self, name: bytes) -> None:
        """Close an HTML element within svg or math, unless none of that name is open there."""
        nodes = self._foreign
        for at in range(len(nodes) - 1, self._floor - 1, -1):
            if nodes[at][1] in _INSIDE:
                # Not closed by what is HTML; some parsers look at the name alone.
                self._is_lost = self._is_lost or nodes[at][0] == name
                return
            if nodes[at][1] is _Kind.HTML and nodes[at][0] == name:
                above = nodes[at + 1 :]
                del nodes[at:]
                if any(kind is _Kind.HTML and each not in _CLOSED_BY_OTHERS for each, kind, _ in above):
                    self._is_lost = True
                return

    def _settle(self) -> None:
        """Once all of svg is closed, it does not matter whether it was before."""
        if not self._foreign:
            self._is_left = False


def _breaks_out(name: bytes, read: Callable[[], tuple[Attribute, ...]]) -> bool:
    if name != b"font":
        return name in _BREAK_OUT
    return any(each.name in ("color", "face", "size") for each in read())


def _kind_of(name: bytes, read: Callable[[], tuple[Attribute, ...]], *, is_math: bool) -> _Kind:
    if not is_math:
        return _Kind.HTML_INSIDE if name in _SVG_INSIDE else _Kind.FOREIGN
    if name in _MATH_TEXTS:
        return _Kind.TEXT_INSIDE
    if name != b"annotation-xml":
        return _Kind.FOREIGN
    encoding = next((each.value.lower() for each in read() if each.name == "encoding"), "")
    return _Kind.HTML_INSIDE if encoding in ("text/html", "application/xhtml+xml") else _Kind.ANNOTATION
