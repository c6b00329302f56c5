"""What an element makes a browser load, and what for."""

from __future__ import annotations

import pytest

from consent.core.declaration import HostUse
from consent.core.host_table import ANY_USE
from consent.wire.element_urls import TEXT, is_acted_on, is_hint, list_urls
from consent.wire.markup import Attribute, Element

URL = "//t.example/"


def make_element(name, *attributes, is_certain=True):
    """Return an element with attributes, which stand nowhere."""
    read = tuple(Attribute(key, value, 0, 0, 0) for key, value in attributes)
    return Element(name, 0, 0, 0, read, 0, 0, is_certain=is_certain)


@pytest.mark.parametrize(
    ("name", "attributes", "use"),
    [
        ("script", [("src", URL)], HostUse.SCRIPT),
        ("script", [("type", "module"), ("src", URL)], HostUse.SCRIPT),
        ("script", [("type", " Text/JavaScript "), ("src", URL)], HostUse.SCRIPT),
        ("script", [("href", URL)], HostUse.SCRIPT),
        ("iframe", [("src", URL)], HostUse.FRAME),
        ("frame", [("src", URL)], HostUse.FRAME),
        ("embed", [("src", URL)], HostUse.FRAME),
        ("object", [("data", URL)], HostUse.FRAME),
        ("img", [("src", URL)], HostUse.IMAGE),
        ("img", [("srcset", f"/a 1x, {URL} 2x")], HostUse.IMAGE),
        ("source", [("srcset", URL)], HostUse.IMAGE),
        ("source", [("src", URL)], HostUse.MEDIA),
        ("input", [("type", "image"), ("src", URL)], HostUse.IMAGE),
        ("video", [("poster", URL)], HostUse.IMAGE),
        ("video", [("src", URL)], HostUse.MEDIA),
        ("audio", [("src", URL)], HostUse.MEDIA),
        ("track", [("src", URL)], HostUse.MEDIA),
        ("body", [("background", URL)], HostUse.IMAGE),
        ("image", [("xlink:href", URL)], HostUse.IMAGE),
        ("use", [("href", URL)], HostUse.IMAGE),
        ("link", [("rel", "stylesheet"), ("href", URL)], HostUse.STYLE),
        ("link", [("rel", "Shortcut ICON"), ("href", URL)], HostUse.IMAGE),
        ("link", [("rel", "preconnect"), ("href", URL)], ANY_USE),
        ("link", [("rel", "compression-dictionary"), ("href", URL)], ANY_USE),
        ("link", [("rel", "preload"), ("imagesrcset", URL)], HostUse.IMAGE),
        ("link", [("rel", "manifest"), ("href", URL)], ANY_USE),
        ("base", [("href", URL)], ANY_USE),
        ("a", [("ping", f"/own {URL}")], ANY_USE),
        ("img", [("attributionsrc", URL)], ANY_USE),
        ("div", [("style", f"background:url({URL})")], ANY_USE),
        ("meta", [("http-equiv", "Refresh"), ("content", f"0; URL='{URL}'")], ANY_USE),
        ("meta", [("http-equiv", "refresh"), ("content", f"5,{URL}")], ANY_USE),
        ("meta", [("http-equiv", "refresh"), ("content", f"5 url={URL}")], ANY_USE),
    ],
)
def test_url_of_an_attribute(name, attributes, use):
    found = list_urls(make_element(name, *attributes), "")

    assert [(each.url, each.use) for each in found if "t.example" in each.url] == [(URL, use)]


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("a", [("href", URL)]),
        ("form", [("action", URL)]),
        ("link", [("rel", "canonical"), ("href", URL)]),
        ("link", [("href", URL)]),
        ("meta", [("property", "og:image"), ("content", URL)]),
        ("meta", [("http-equiv", "refresh"), ("content", "5")]),
        ("script", [("type", "application/ld+json"), ("src", URL)]),
        ("script", [("type", "text/plain"), ("src", URL)]),
        ("div", [("src", URL)]),
        ("div", [("data-src", URL)]),
        # Outside svg these mean nothing.
        ("div", [("fill", f"url({URL})")]),
    ],
)
def test_attribute_that_loads_nothing_by_itself(name, attributes):
    assert list_urls(make_element(name, *attributes), URL if name == "script" else "") == ()


def test_attributes_that_come_twice_count_both():
    found = list_urls(make_element("img", ("src", "/own"), ("src", URL)), "")

    assert [each.url for each in found] == ["/own", URL]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("values", f"#a;{URL}"),
        ("to", URL),
        ("filter", f"url({URL}#f)"),
        ("to", f"url({URL}#f)"),
        ("values", f"none;url('{URL}')"),
        ("by", f"background: url( {URL} )"),
    ],
)
def test_animation_and_filter_in_svg(name, value):
    found = list_urls(make_element("animate", (name, value), is_certain=False), "")

    assert any(each.url.startswith(URL) for each in found)


@pytest.mark.parametrize("kind", ["", "text/javascript", "module", "importmap", "application/x-ecmascript"])
def test_text_of_a_script(kind):
    found = list_urls(make_element("script", ("type", kind)), f"load('https:{URL}')")

    assert [(each.url, each.use, each.attribute, each.is_text) for each in found] == [(URL, HostUse.SCRIPT, TEXT, True)]


def test_text_of_speculation_rules_may_be_about_anything():
    found = list_urls(make_element("script", ("type", "speculationrules")), f'{{"prefetch":[{{"urls":["{URL}"]}}]}}')

    assert [each.use for each in found] == [ANY_USE]


def test_text_of_a_style():
    found = list_urls(make_element("style"), f"@import '{URL}'; a{{b:url({URL})}}")

    assert [(each.url, each.use) for each in found if each.url == URL] == [(URL, ANY_USE)] * 2


def test_document_in_a_data_url():
    found = list_urls(make_element("iframe", ("src", f"data:text/html,%3Cimg src={URL}%3E")), "")

    assert (URL, ANY_USE) in [(each.url, each.use) for each in found]


@pytest.mark.parametrize(
    ("rel", "is_one"), [("dns-prefetch", True), ("preload prefetch", True), ("preload stylesheet", False), ("", False)]
)
def test_hint(rel, is_one):
    assert is_hint(make_element("link", ("rel", rel))) is is_one
    assert not is_hint(make_element("a", ("rel", "prefetch")))


def test_script_of_a_type_that_nobody_acts_on():
    assert [is_acted_on(make_element("script", ("type", kind))) for kind in ("text/template", "text/x-handlebars")] == [
        False
    ] * 2


@pytest.mark.parametrize(
    ("kind", "is_one"), [("", True), ("TEXT/CSS", True), ("text/css; charset=x", True), ("text/plain", False)]
)
def test_style_of_a_type_that_nobody_acts_on_loads_nothing(kind, is_one):
    found = list_urls(make_element("style", ("type", kind)), f"@import '{URL}'")

    assert bool(found) is is_one


@pytest.mark.parametrize("name", ["script", "style"])
def test_script_that_does_nothing_may_be_shown_with_a_background(name):
    styled = make_element(name, ("type", "text/plain"), ("src", URL), ("style", f"display:block;background:url({URL})"))

    assert [each.attribute for each in list_urls(styled, f"url({URL})")] == ["style"]
