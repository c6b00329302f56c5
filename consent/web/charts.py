"""Charts as inline SVG, drawn by pygal on the server: without scripts, without styles, coloured by dashboard.css.

What pygal puts around its drawing (a script, a stylesheet, tooltips for that script) is left out, so that the strictest
Content-Security-Policy takes the rest. Tooltips are `<title>` elements, which browsers show by themselves.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from markupsafe import Markup

from consent.errors import MissingExtraError

if TYPE_CHECKING:
    # Any: pygal ships no types.
    Chart = Any

_FONT_SIZE = 12
_SVG = "{http://www.w3.org/2000/svg}"
# What pygal's own script and stylesheet need, and fills in the colours of its themes.
_UNWANTED_TAGS = frozenset({"defs", "desc", "title"})
_UNWANTED_CLASSES = frozenset({"plot overlay", "plot text-overlay", "plot tooltip-overlay", "titles", "background"})
_KEPT_ATTRIBUTES = frozenset({"d", "height", "transform", "viewBox", "width", "x", "y"})
_LONG_FRACTION = re.compile(r"(\d+\.\d)\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Hold one part of each bar."""

    key: str
    """Ends its class in the stylesheet: `pvc-chart__<key>`."""

    title: str
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """Hold what one chart shows."""

    chart_id: str
    title: str
    description: str
    """What it says, in a sentence, for who cannot see it."""

    labels: tuple[str, ...]
    """One for each bar."""

    series: tuple[Series, ...]
    """From the bottom up, or from the left."""

    marks: Mapping[int, str] = field(default_factory=dict)
    """What began with a bar, by its place from 0."""


def check_extra(needed_by: str) -> None:
    """Make sure that charts can be drawn.

    Raises:
        MissingExtraError: If pygal is not installed.
    """
    try:
        import pygal  # noqa: F401, PLC0415 - an extra
    except ImportError as error:
        raise MissingExtraError(needed_by, package="pygal", extra="dashboard") from error


def draw_columns(bars: Bars, *, width: int, height: int, label_limit: int) -> Markup:
    """Draw columns side by side, such as days; not all of them are labelled."""
    import pygal  # noqa: PLC0415 - an extra

    most = max((sum(column) for column in zip(*_list_values(bars), strict=True)), default=0)
    ticks = _find_ticks(most)
    chart = pygal.StackedBar(
        **_configure(width, height),
        x_labels=bars.labels,
        x_labels_major=_thin_out(bars.labels, label_limit),
        show_minor_x_labels=False,
        y_labels=[{"label": f"{tick:,}", "value": tick} for tick in ticks],
        range=(0, ticks[-1]),
        spacing=6,
    )
    return _draw(chart, bars)


def draw_shares(bars: Bars, *, width: int) -> Markup:
    """Draw one line for each label, all equally long, parted as its values are."""
    import pygal  # noqa: PLC0415 - an extra

    chart = pygal.HorizontalStackedBar(
        **_configure(width, 34 * len(bars.labels) + 8),
        # It begins at the bottom.
        x_labels=bars.labels[::-1],
        show_x_labels=False,
        y_labels=[0, 1],
        range=(0, 1),
        spacing=10,
    )
    return _draw(chart, bars, is_relative=True)


def _configure(width: int, height: int) -> dict[str, Any]:
    from pygal.style import Style  # noqa: PLC0415 - an extra

    return {
        "width": width,
        "height": height,
        "margin": 4,
        # Half of the last label stands beyond the last column.
        "margin_right": 16,
        "js": (),
        "show_legend": False,
        "truncate_label": -1,
        "disable_xml_declaration": True,
        "style": Style(label_font_size=_FONT_SIZE, major_label_font_size=_FONT_SIZE),
    }


def _draw(chart: Chart, bars: Bars, *, is_relative: bool = False) -> Markup:
    wholes = [sum(column) or 1 for column in zip(*_list_values(bars), strict=True)]
    for series in bars.series:
        values = [value / whole for value, whole in zip(series.values, wholes, strict=True)]
        chart.add(series.title, values[::-1] if is_relative else series.values)
    # Its own text of a moment before, in which every label is escaped.
    root = ET.fromstring(chart.render(is_unicode=True))  # noqa: S314
    plot = root.find(f".//{_SVG}g[@class='plot']")
    # pygal draws no plot where there is nothing to show.
    if plot is not None:
        _name_bars(plot, bars, is_reversed=is_relative)
        _name_axes(plot)
        _add_marks(plot, bars)
    _strip(root)
    _describe(root, bars)
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704 - every text is escaped by the writer


def _name_bars(plot: ET.Element, bars: Bars, *, is_reversed: bool) -> None:
    """Give each bar the class of its series, and what it says when pointed at."""
    texts = _list_tooltips(bars)
    for number, series in enumerate(bars.series):
        group = plot.findall(f"{_SVG}g[@class='series serie-{number} color-{number}']//{_SVG}g[@class='bar']")
        for text, bar in zip(texts[::-1] if is_reversed else texts, group, strict=True):
            bar.set("data-class", f"pvc-chart__{series.key}")
            bar.set("data-title", text)


def _name_axes(plot: ET.Element) -> None:
    """Say of each line and text of the axes what it is, and where the text begins."""
    for name, anchor in (("x", "middle"), ("y", "end")):
        for axis in plot.iter(f"{_SVG}g"):
            if axis.get("class", "").split()[:2] != ["axis", name]:
                continue
            for text in axis.iter(f"{_SVG}text"):
                text.set("data-class", "pvc-chart__label")
                text.set("data-anchor", anchor)
            for line in axis.iter(f"{_SVG}path") if name == "y" else ():
                line.set("data-class", "pvc-chart__guide")


def _add_marks(plot: ET.Element, bars: Bars) -> None:
    """Draw a line in front of each bar with which something began."""
    places = [bar.get("x", "0") for bar in plot.iterfind(f".//{_SVG}g[@class='bar']/{_SVG}rect")]
    background = plot.find(f"{_SVG}rect[@class='background']")
    height = background.get("height", "0") if background is not None else "0"
    for at, text in bars.marks.items():
        line = ET.SubElement(plot, f"{_SVG}path", {"d": f"M{float(places[at]) - 1:.1f} 0v{height}"})
        line.set("data-class", "pvc-chart__mark")
        line.set("data-title", text)


def _strip(element: ET.Element) -> None:
    """Leave shapes and texts under plain names, with our classes and nothing else of pygal's."""
    element.tag = element.tag.removeprefix(_SVG)
    for child in list(element):
        if _is_unwanted(child):
            element.remove(child)
        else:
            _strip(child)
    found = dict(element.attrib)
    element.attrib = {
        name: _LONG_FRACTION.sub(r"\1", found[name]) for name in sorted(found) if name in _KEPT_ATTRIBUTES
    }
    for name, kept in (("class", "data-class"), ("text-anchor", "data-anchor")):
        if kept in found:
            element.set(name, found[kept])
    if "data-title" in found and (len(element) or element.tag == "path"):
        ET.SubElement(element, "title").text = found["data-title"]
    element.tail = None


def _is_unwanted(element: ET.Element) -> bool:
    # A comment has no text for a tag.
    if not isinstance(element.tag, str) or element.tag.removeprefix(_SVG) in _UNWANTED_TAGS:
        return True
    # The lines of the axes themselves: the guides are enough.
    is_bare = element.tag == f"{_SVG}path" and "data-class" not in element.attrib
    return is_bare or element.get("class") in _UNWANTED_CLASSES or _is_flat(element)


def _is_flat(element: ET.Element) -> bool:
    is_bar = element.tag == f"{_SVG}rect"
    return is_bar and 0.0 in (float(element.get("width", 0)), float(element.get("height", 0)))


def _describe(root: ET.Element, bars: Bars) -> None:
    """Say what the chart is, to screen readers as well."""
    root.attrib = {"viewBox": root.get("viewBox", ""), "class": "pvc-chart", "role": "img"}
    root.set("aria-labelledby", f"{bars.chart_id}-title {bars.chart_id}-desc")
    for name, text in (("desc", bars.description), ("title", bars.title)):
        told = ET.Element(name, {"id": f"{bars.chart_id}-{name}"})
        told.text = text
        root.insert(0, told)


def _list_tooltips(bars: Bars) -> list[str]:
    columns = zip(*_list_values(bars), strict=True)
    return [
        f"{label}: "
        + ", ".join(f"{series.title.lower()} {value:,}" for series, value in zip(bars.series, column, strict=True))
        for label, column in zip(bars.labels, columns, strict=True)
    ]


def _list_values(bars: Bars) -> list[tuple[int, ...]]:
    return [series.values for series in bars.series]


def _find_ticks(most: int) -> list[int]:
    """Return round numbers from 0 to what holds the highest column."""
    steps = (factor * 10**power for power in count() for factor in (1, 2, 5))
    step = next(step for step in steps if step * 4 >= most)
    return [step * number for number in range(max(-(-most // step), 1) + 1)]


def _thin_out(labels: Sequence[str], limit: int) -> list[str]:
    step = -(-len(labels) // limit)
    # From the end: the last day is the one that is looked for.
    return list(labels[::-1][::step])
