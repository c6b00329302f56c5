"""Whatever is held back comes out unchanged, and cannot get out by itself."""

from __future__ import annotations

import html
import json
import re
from html.parser import HTMLParser

from hypothesis import example, given, settings
from hypothesis import strategies as st

from consent.wire.held_markup import encode_attribute_json, encode_json, hold

often = settings(max_examples=400, deadline=None)

markup = st.lists(
    st.sampled_from(
        ["<script>", "</script>", "</SCRIPT ", "<!--", "-->", "<![CDATA[", "]]>", "&lt;", '"', "\\", "\u2028", "x"]
    )
    | st.text(max_size=5),
    max_size=12,
).map("".join)


class Reader(HTMLParser):
    """Collect the tags of a page and the text of its scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@often
@given(
    text=markup,
    keys=st.lists(st.text(max_size=6), min_size=1, max_size=3),
    page_key=st.text(max_size=8),
    nonce=st.text(max_size=8),
)
@example("</script><script>alert(1)</script>", ["a"], "k", "")
def test_block_is_one_inert_element_that_holds_the_text(text, keys, page_key, nonce):
    block = hold(text, keys=keys, page_key=page_key, nonce=nonce)
    matched = re.fullmatch(
        r'<script type="application/json" data-consent-gate="([^"<]*)" data-consent-key="([^"<]*)"(?: nonce="([^"<]+)")?>'
        r'("[^<>&\u2028\u2029]*")</script>',
        block,
    )

    assert matched is not None
    assert json.loads(matched[4]) == text
    assert [html.unescape(part or "") for part in matched.groups()[:3]] == [
        html.unescape(html.escape(part)) for part in (" ".join(keys), page_key, nonce)
    ]


@often
@given(text=markup)
def test_page_with_a_block_has_the_same_elements_whatever_is_held(text):
    page = f"<p>before</p>{hold(text, keys=('analytics',), page_key='k', nonce='n')}<p>after</p>"
    reader = Reader()
    reader.feed(page)

    assert [tag for tag, _ in reader.tags] == ["p", "script", "p"]
    assert reader.tags[1][1] == {
        "type": "application/json",
        "data-consent-gate": "analytics",
        "data-consent-key": "k",
        "nonce": "n",
    }
    assert reader.text.startswith("before")
    assert reader.text.endswith("after")
    assert json.loads(reader.text.removeprefix("before").removesuffix("after")) == text


@often
@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=6,
    )
)
def test_json_comes_back_and_holds_nothing_active(value):
    encoded = encode_json(value)

    assert json.loads(encoded) == value
    assert not set(encoded) & set("<>&\u2028\u2029")
    assert encoded.encode("utf-8")


# Without noncharacters: browsers read references to them, Python's `html.unescape` drops them.
assigned = st.text(st.characters(exclude_categories=["Cs", "Cn"]))


@often
@given(value=st.dictionaries(assigned, assigned | st.lists(assigned)))
@example({"": "'\x80&#39;"})
def test_attribute_comes_back_in_any_encoding_of_the_page(value):
    encoded = encode_attribute_json(value)

    assert not set(encoded) & set("'<>&")
    for encoding in ("ascii", "utf-8"):
        reader = Reader()
        reader.feed(f"<p data-page='{encoded}'>".encode(encoding, "xmlcharrefreplace").decode(encoding))
        ((tag, attributes),) = reader.tags
        assert (tag, json.loads(attributes["data-page"] or "")) == ("p", value)
