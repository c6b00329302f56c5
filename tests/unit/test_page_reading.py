"""Reading our own markup as a visitor would: words, buttons, links, switches, whatever shape a template gives it."""

from __future__ import annotations

import pytest

from consent.web.page_reading import PageReading, read_page


@pytest.mark.parametrize("markup", ["", " ", "<p>", "</p>", "<!-- <h1>a</h1> -->", "<!doctype html>", "<br>", "<"])
def test_page_without_anything_reads_as_nothing(markup):
    reading = read_page(markup)

    assert (reading.title, reading.buttons, reading.links, reading.ticked, reading.focused) == ("", [], [], [], [])


def test_nothing_is_shared_between_readings():
    read_page('<a href="/a">A</a>')

    assert read_page("") == PageReading()


@pytest.mark.parametrize(
    ("markup", "title"),
    [
        ("<h1>One</h1><h2>Two</h2>", "One"),
        ("<h2>Two</h2><h1>One</h1>", "Two"),
        ("<h3>Three</h3><h2> Two\n words </h2>", "Two words"),
        ("<h2><bdi>A &amp; B</bdi> &ndash; <em>C</em></h2>", "A & B – C"),
        ("<h2></h2><h2>Second</h2>", "Second"),
        ("<title>Tab</title><h2>Seen</h2>", "Seen"),
    ],
)
def test_title_is_the_first_heading_with_words(markup, title):
    assert read_page(markup).title == title


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>One</p><p>two</p>", "One two"),
        ("One&nbsp;&lt;two&gt; &#8364;", "One <two> €"),
        ("<title>No</title>Yes", "Yes"),
        ("<script>no()</script>Yes<style>.no {}</style>", "Yes"),
        ('<script type="application/json">"\\u003cp\\u003eno"</script>Yes', "Yes"),
        ("<script>if (a < b) {}</script>Yes", "Yes"),
        ("<p>One<br>two<img src=x>three", "One two three"),
        ("<ul><li>One<li>two</ul>three", "One two three"),
        ("<!-- no -->Yes", "Yes"),
    ],
)
def test_text_is_every_word_that_is_shown(markup, text):
    assert read_page(markup).text == text


@pytest.mark.parametrize(
    ("markup", "buttons"),
    [
        ('<button name="action" value="reject_all">Reject all</button>', [("reject_all", "Reject all")]),
        ('<button value="a" name="action"><span> A </span>\n<b>b</b></button>', [("a", "A b")]),
        ("<button name=action value=a>A</button><button name=action value=b>B</button>", [("a", "A"), ("b", "B")]),
        ('<button name="action">Bare</button>', [("", "Bare")]),
        ('<BUTTON NAME="action" VALUE="a">A</BUTTON>', [("a", "A")]),
        ('<button name="other" value="a">A</button><button>B</button>', []),
        ('<button name="action" value="&quot;a&quot;">&lt;A&gt;</button>', [('"a"', "<A>")]),
        ('<button name="action" value="a"><p>Unclosed<span>words</button>', [("a", "Unclosedwords")]),
        ('<!-- <button name="action" value="a">A</button> -->', []),
        ('<form><button name="action" value="a">A', [("a", "A")]),
    ],
)
def test_buttons_are_those_that_post_an_action(markup, buttons):
    assert read_page(markup).buttons == buttons


@pytest.mark.parametrize(
    ("markup", "links"),
    [
        ('<a href="/a?b=1&amp;c=2">A &amp; B</a>', [("/a?b=1&c=2", "A & B")]),
        ("<a>Nowhere</a>", [("", "Nowhere")]),
        ('<p><a href="/a">One<p>two</a>', [("/a", "Onetwo")]),
        ('<li><a href="/a">A</a><li><a href="/b">B</a>', [("/a", "A"), ("/b", "B")]),
        ('<a href="/a"><img src="x" alt="no">A</a>', [("/a", "A")]),
        ('<link href="/no">', []),
    ],
)
def test_links_have_address_and_words(markup, links):
    assert read_page(markup).links == links


@pytest.mark.parametrize(
    ("markup", "ticked"),
    [
        ('<input type="checkbox" name="granted" value="a" checked>', ["a"]),
        ('<input name=granted value=a checked="">', ["a"]),
        ('<input name="granted" value="a" CHECKED="checked"/>', ["a"]),
        ('<input name="granted" value="a">', []),
        ('<input name="newsletter" value="a" checked>', []),
        ('<input name="granted" value="a" data-checked>', []),
        ('<input name="granted" checked>', [""]),
        ('<input name="granted" value="b" checked><input name="granted" value="a" checked>', ["b", "a"]),
    ],
)
def test_ticked_are_the_switches_that_are_on(markup, ticked):
    assert read_page(markup).ticked == ticked


def test_focused_are_the_buttons_that_take_the_focus_by_themselves():
    markup = '<input autofocus><button value="a">A</button><button value="b" autofocus>B</button>'

    assert read_page(markup).focused == ["b"]


def test_end_tag_of_nothing_closes_nothing():
    assert read_page('<a href="/a">One</div></p> two</a>').links == [("/a", "One two")]


def test_deep_nesting_is_read():
    assert read_page("<div>" * 2000 + "words" + "</div>" * 2000).text == "words"
