"""Tags that others wrote for another consent manager are never more than the tag that they stand for."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import html5lib
from hypothesis import given, settings
from hypothesis import strategies as st

from consent.wire.foreign_tag import Manager, read_mark, revive
from tests.foreign_markup import read_element

MANAGERS = st.sampled_from([Manager.COOKIEBOT, Manager.KLARO, Manager.ONETRUST, Manager.VANILLA])
MARKS = {
    Manager.COOKIEBOT: ' data-cookieconsent="necessary"',
    Manager.KLARO: ' data-name="a"',
    Manager.ONETRUST: ' class="optanon-category-C0001"',
    Manager.VANILLA: ' data-category="a"',
}
ADDRESSES = st.sampled_from(
    [
        *("https://a.example/x", "//a.example/", "/own", "javascript:alert(1)", "jAva&#x0A;script&colon;alert(1)", ""),
        *("data:text/html,<script>", "&#1;javascript:x", "java\tscript:x", "ja&Tab;vascript:x"),
    ]
)
KINDS = st.sampled_from(
    ["module", "text/plain", "importmap", "Text/JavaScript", "speculationrules", "application/json"]
)
TEXTS = st.text(st.characters(exclude_characters="\"'<>\r", codec="utf-8"), max_size=20)
PAIRS = st.one_of(
    st.tuples(st.sampled_from(["src", "SRC", "href", "data-href", "srcset"]), ADDRESSES | TEXTS),
    st.tuples(st.sampled_from(["data-src", "data-cookieblock-src", "Data-Src"]), ADDRESSES),
    st.tuples(st.sampled_from(["data-type", "type", "data-srcdoc"]), KINDS | TEXTS),
    st.tuples(st.sampled_from(["onload", "data-onload", "ONERROR", "style", "nonce", "async", "x\x00y"]), TEXTS),
)
ATTRIBUTES = st.lists(st.tuples(PAIRS, st.sampled_from(['{}="{}"', "{}='{}'", '{} = "{}"'])), max_size=5)


def read_tree(markup):
    body = html5lib.parse(markup, treebuilder="etree", namespaceHTMLElements=False, scripting=True)
    return [
        element
        for element in body.iter()
        if isinstance(element.tag, str) and element.tag not in ("html", "head", "body")
    ]


def is_harmless(address):
    read = address.strip("".join(map(chr, range(0x21)))).translate(str.maketrans("", "", "\t\n\r"))
    scheme = re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:", read)
    return scheme is None or urlsplit(read).scheme in ("http", "https")


@settings(max_examples=400, deadline=None)
@given(MANAGERS, st.sampled_from(["script", "iframe", "img", "link"]), ATTRIBUTES)
def test_living_tag_is_one_element_that_says_nothing_new(manager, name, attributes):
    said = "".join(f" {form.format(*pair)}" for pair, form in attributes)
    is_raw = name in ("script", "iframe")
    held = ' type="text/plain"' if name == "script" else ""
    page = f"<{name}{held}{MARKS[manager]}{said}>{f'a < b</{name}>' if is_raw else ''}".encode()
    element = read_element(page)
    mark = read_mark(element, manager)
    living = revive(element, page, manager) if mark and mark.is_inert else None
    if living is None:
        return
    (found,) = read_tree(living.markup.decode())
    before = {attribute.name: attribute.value for attribute in reversed(element.attributes)}

    assert found.tag == name
    assert set(found.attrib.values()) <= set(before.values())
    assert all(is_harmless(found.attrib[key]) for key in ("src", "href") if key in found.attrib)
    assert found.attrib.get("type", "").strip().lower() in ("", "module", "text/javascript") or name != "script"
    assert "srcdoc" not in found.attrib
    assert not any(key.startswith("on") and (name != "script" or key not in before) for key in found.attrib)
    assert [each.name for each in living.element.attributes] == list(dict.fromkeys(found.attrib))
    assert living.element.element_end == len(living.markup)
