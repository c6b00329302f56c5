"""Where a page brings the `__gpp` API, what it is told there, and where nothing of it stands."""

from __future__ import annotations

import json
import re

import html5lib
import pytest

from consent import current_consent
from consent.testing import grant
from consent.wire.gpp_page import read_gpp_stub
from tests.gpp_site import MACROS, NOWHERE, STATE, TRACE, make_visitor, read_state
from tests.traveller import GPC


def read_scripts(text):
    """Return attributes and text of each script that a browser would run, in their order."""
    tree = html5lib.parse(text, treebuilder="etree", namespaceHTMLElements=False)
    scripts = [(dict(each.attrib), each.text or "") for each in tree.iter("script")]
    return [each for each in scripts if each[0].get("type") != "application/json"]


def find_told(text):
    """Return what each tag of the API is told."""
    return [json.loads(each["data-consent-gpp"]) for each, _ in read_scripts(text) if "data-consent-gpp" in each]


def find_held(text):
    return [json.loads(held) for held in re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', text)]


def test_stub_and_api_stand_in_front_of_the_first_reader_that_runs_once_a_page():
    text = make_visitor().look(**GPC).response.text
    scripts = [each for each in read_scripts(text) if "data-consent-page" not in each[0]]
    stub, (api, api_text), (reader, _), *others = scripts

    assert stub == ({}, read_gpp_stub())
    assert re.fullmatch(r"/privacy-choices/assets/gpp\.[0-9a-f]{12}\.js", api["src"])
    assert (set(api), api_text) == ({"src", "defer", "data-consent-gpp"}, "")
    assert reader["src"] == "https://stats.example/tag.js"
    assert stub not in others
    assert len(find_told(text)) == 1


def test_api_is_served():
    visitor = make_visitor()
    api = next(each for each, _ in read_scripts(visitor.look().response.text) if "data-consent-gpp" in each)

    assert visitor.client.get(api["src"]).mimetype == "text/javascript"


@pytest.mark.parametrize("headers", [{}, GPC])
def test_page_tells_what_the_server_knows(headers):
    visitor = make_visitor()
    visitor.press("save", "analytics")

    assert find_told(visitor.look(**headers).response.text) == [
        {"url": STATE, "gpp": read_state(visitor, headers=headers)}
    ]


@pytest.mark.parametrize("choose", [grant, None])
def test_page_tells_nothing_while_the_browser_is_still_to_be_asked(choose):
    visitor = make_visitor()
    if choose:
        choose(visitor.client)

    assert find_told(visitor.look().response.text) == [{"url": STATE, "gpp": None}]


def test_held_tag_brings_its_own_which_ask_when_it_opens():
    visitor = make_visitor()
    (held,) = find_held(visitor.look(**GPC).response.text)

    assert find_told(held) == [{"url": STATE, "gpp": None}]
    assert held.index(read_gpp_stub()) < held.index("data-consent-gpp") < held.index("https://ads.example")


def test_reader_within_a_held_block_tells_nobody_outside_of_it():
    inner = '{% call gate("shop") %}{{ script("stats") }}{% endcall %}{{ script("widget") }}'
    text = make_visitor(page=MACROS + inner).look(**GPC).response.text

    assert [len(find_told(each)) for each in (text, *find_held(text))] == [1, 1]


def test_markup_of_the_sites_own_is_told_of_too_where_its_service_is_named():
    page = (
        MACROS
        + '{% call gate("analytics") %}<p>purpose</p>{% endcall %}{% call gate("stats") %}<p>own</p>{% endcall %}'
    )
    text = make_visitor(page=page).look(**GPC).response.text

    assert text.index("<p>purpose</p>") < text.index(read_gpp_stub()) < text.index("<p>own</p>")


def test_tags_carry_the_nonce():
    visitor = make_visitor(CONSENT_CSP_NONCE=lambda: "n0nce")
    text = visitor.look(**GPC).response.text
    (held,) = find_held(text)

    assert {
        each.get("nonce") for part in (text, held) for each, _ in read_scripts(part) if "://" not in each.get("src", "")
    } == {"n0nce"}


@pytest.mark.parametrize("place", NOWHERE)
def test_page_elsewhere_has_nothing_of_it(place):
    visitor = make_visitor(place)
    first = visitor.look().response.text
    grant(visitor.client)
    texts = (first, visitor.look().response.text, visitor.look("/privacy-choices/").response.text)

    assert not TRACE.search("".join(texts))


@pytest.mark.parametrize(
    "page", [MACROS + '{{ script("shop") }}', MACROS, MACROS + '{% call gate("analytics") %}a{% endcall %}']
)
def test_page_without_a_reader_has_nothing_of_it(page):
    visitor = make_visitor(page=page)
    visitor.press("accept_all", headers=GPC)

    assert not TRACE.search(visitor.look(**GPC).response.text)


def test_address_follows_the_sites_prefix():
    visitor = make_visitor(CONSENT_URL_PREFIX="/choices")

    assert find_told(visitor.look(**GPC).response.text)[0]["url"] == "/choices/gpp"
    assert json.loads(visitor.client.get("/choices/gpp").text)["sectionList"] == [8]


@pytest.mark.parametrize("place", ["US-TX", "US-ID", "US"])
def test_cached_page_of_another_section_is_not_given_out(place):
    visitor = make_visitor()
    visitor.app.add_url_rule("/key", "key", lambda: current_consent.cache_key)
    keys = {visitor.go(each).client.get("/key", headers=GPC).text for each in (place, "US-CA")}

    assert len(keys) == 2
