"""Charts: shapes and words of what they are given, and nothing of the library that draws them."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from consent.web.charts import Bars, Series, draw_columns, draw_shares

KNOWN_NAMES = {
    *("class", "d", "height", "id", "role", "text-anchor", "transform", "viewBox", "width", "x", "y"),
    "aria-labelledby",
}


def make_bars(accepted=(30, 10), refused=(10, 10), labels=("DE", "FR"), **rest):
    return Bars(
        chart_id="chart",
        title="Choices",
        description="What came of them.",
        labels=labels,
        series=(
            Series(key="accepted", title="Accepted", values=accepted),
            Series(key="refused", title="Refused", values=refused),
        ),
        **rest,
    )


def draw(bars, *, is_relative=False):
    markup = draw_shares(bars, width=400) if is_relative else draw_columns(bars, width=400, height=200, label_limit=4)
    return ET.fromstring(markup)


def read_bars(root, key, size):
    return [float(rect.get(size)) for rect in root.findall(f".//g[@class='pvc-chart__{key}']/rect")]


@pytest.mark.parametrize("is_relative", [False, True])
def test_nothing_but_shapes_words_and_our_classes_is_left(is_relative):
    root = draw(make_bars(), is_relative=is_relative)

    assert {each.tag for each in root.iter()} <= {"svg", "g", "path", "rect", "text", "title", "desc"}
    assert {name for each in root.iter() for name in each.attrib} <= KNOWN_NAMES
    classes = {each.get("class") for each in root.iter() if each.get("class")}
    assert all(each.startswith("pvc-chart") for each in classes)


def test_columns_are_as_high_as_their_numbers():
    root = draw(make_bars())
    accepted, refused = (read_bars(root, key, "height") for key in ("accepted", "refused"))

    assert accepted[0] == pytest.approx(3 * accepted[1], rel=0.02)
    assert accepted[1] == pytest.approx(refused[1], rel=0.02)


def test_shares_fill_every_line_in_the_order_given():
    root = draw(make_bars(), is_relative=True)
    widths = zip(read_bars(root, "accepted", "width"), read_bars(root, "refused", "width"), strict=True)
    labels = sorted((float(text.get("y", 0)), text.text) for text in root.iter("text"))

    france, germany = widths
    assert sum(france) == pytest.approx(sum(germany), abs=0.3)
    assert germany[0] / sum(germany) == pytest.approx(0.75, abs=0.01)
    assert [label for _, label in labels] == ["DE", "FR"]


def test_pointing_at_a_bar_tells_all_of_it():
    root = draw(make_bars(accepted=(30, 1234)))
    told = [title.text for title in root.iterfind(".//g[@class='pvc-chart__accepted']/title")]

    assert told == ["DE: accepted 30, refused 10", "FR: accepted 1,234, refused 10"]


def test_line_of_shares_tells_its_own_numbers():
    root = draw(make_bars(), is_relative=True)
    told = {
        (round(float(bar.find("rect").get("width"))), bar.find("title").text)
        for bar in root.iterfind(".//g[@class='pvc-chart__accepted']")
    }

    (narrow, first), (wide, second) = sorted(told)
    assert (first[:2], second[:2]) == ("FR", "DE")
    assert narrow < wide


def test_marks_stand_before_their_columns():
    root = draw(make_bars(marks={1: "FR: a new version"}))
    (mark,) = root.iterfind(".//path[@class='pvc-chart__mark']")
    edges = read_bars(root, "accepted", "x")

    assert mark.find("title").text == "FR: a new version"
    assert edges[0] < float(mark.get("d", "")[1:].split()[0]) < edges[1]


def test_chart_of_nothing_is_drawn():
    root = draw(make_bars(accepted=(0, 0), refused=(0, 0)))

    assert list(root.iter("rect")) == []
    assert {text.text for text in root.iter("text")} == {"0", "1", "DE", "FR"}


def test_labels_are_escaped():
    odd = "<b>&\"'"
    markup = draw_columns(make_bars(labels=(odd, "FR")), width=400, height=200, label_limit=4)

    assert "<b>" not in markup
    assert odd in [text.text for text in ET.fromstring(markup).iter("text")]


@pytest.mark.parametrize(
    ("most", "top"), [(1, "1"), (3, "3"), (7, "8"), (11, "15"), (1734, "2,000"), (999_999, "1,000,000")]
)
def test_axis_ends_at_a_round_number(most, top):
    ticks = [text.text for text in draw(make_bars(accepted=(most, 0), refused=(0, 0))).iter("text")]

    assert [each for each in ticks if each.replace(",", "").isdigit()][-1] == top


def test_last_of_many_labels_is_shown():
    labels = tuple(f"day {at}" for at in range(30))
    root = draw(make_bars(accepted=(1,) * 30, refused=(1,) * 30, labels=labels))
    shown = [text.text for text in root.iter("text") if text.text.startswith("day")]

    assert shown == ["day 5", "day 13", "day 21", "day 29"]
