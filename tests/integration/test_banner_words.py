"""What the banner and the library's own pages say and link, and what they ask for: nothing but the choice."""

from __future__ import annotations

import re
from importlib.resources import files

import html5lib
import pytest
from flask import render_template_string

from consent import Document, Policy, Purpose
from consent.core.declaration import default_purposes
from tests.conftest import CONTROLLER
from tests.traveller import PREFERENCES, make_traveller

CHOOSE = ("/privacy-choices/", "Choose by purpose")
LIST = ("/privacy-choices/policy", "Cookie list")
PLACES = {"choice": "FR", "objection": "US-CA", "notice": "JP"}
KINDS = [*PLACES, "announcement"]
SCRIPTS = sorted(path.name for path in files("consent").joinpath("static/consent").iterdir() if path.name[-3:] == ".js")
SURVEY = Purpose("survey", title="Surveys", description="Ask what you think.")
TAG_MANAGER = (
    "{% from 'consent/macros.html' import script %}<!doctype html><body>"
    "{{ script('google-tag-manager', container_id='GTM-AB12CD3') }}"
)
CONTAINER = '<script async src="https://www.googletagmanager.com/gtm.js?id=GTM-AB12CD3">'
VIDEO = (
    "{% from 'consent/macros.html' import embed %}<!doctype html><body>"
    "{{ embed('youtube', 'aqz-KE-bpKQ', title='Big Buck Bunny') }}"
)


def parse(markup):
    return html5lib.parse(markup, treebuilder="etree", namespaceHTMLElements=False)


def look_at(kind):
    """Return the first page of a visitor who is shown a banner of this kind."""
    if kind != "announcement":
        return make_traveller(PLACES[kind]).look()
    visitor = make_traveller("FR")
    visitor.press("reject_all")
    return visitor.redeclare(documents=[Document("privacy", url="/privacy", version="2")]).look()


def fields_of(markup):
    """Return element, type and name of everything that a form can send."""
    tags = ("input", "button", "select", "textarea")
    return {(each.tag, each.get("type"), each.get("name")) for each in parse(markup).iter() if each.tag in tags}


# -- what is said


@pytest.mark.parametrize("place", ["FR", "GB", "CA-QC", "BR", "US-CA", None])
def test_banner_names_every_optional_purpose_and_no_other_and_leads_to_each(place):
    banner = make_traveller(place, purposes=[SURVEY]).look().banner

    titles = re.findall(r"<li><strong>([^<]*)</strong>", banner)
    assert titles == ["Preferences", "Analytics", "Marketing", "Surveys"]
    assert f'href="{CHOOSE[0]}"' in banner


@pytest.mark.parametrize("place", ["FR", "ES", "IT", "CA-QC", "BR", "CN", "IN", None])
def test_banner_offers_to_refuse_at_once_where_nothing_runs_unasked(place):
    sight = make_traveller(place).look()

    assert sight.buttons == [("accept_all", "Accept all"), ("reject_all", "Reject all")]
    assert (sight.runs, sight.waits) == ((), ())


def test_reason_stands_beside_a_necessary_service_which_has_no_switch(policy):
    text = make_traveller("FR", policy=policy).look(PREFERENCES).response.text
    item = re.search(r'<li class="pvc-service">(?:(?!</li>).)*<bdi>Login</bdi>.*?</li>', text, re.DOTALL)

    assert item
    assert "Always on" in item[0]
    assert "<p>Needed because: Keeps you signed in.</p>" in item[0]
    assert "<input" not in item[0]


def test_banner_says_who_asks_and_links_services_privacy_policy_and_way_back():
    policy = Policy(controller=CONTROLLER, policy_url="https://news.example/privacy")
    sight = make_traveller("FR", policy=policy).look()

    links = re.findall(r'<a class="pvc-link" href="([^"]+)"[^>]*>([^<]+)</a>', sight.banner)
    assert links == [CHOOSE, LIST, ("https://news.example/privacy", "Privacy policy")]
    assert f"{CONTROLLER} asks to store and read data on your device." in sight.words
    assert "Change it at any time: “Privacy choices” on every page." in sight.words


@pytest.mark.parametrize("path", [PREFERENCES, f"{PREFERENCES}policy"])
def test_row_of_a_cookie_gives_provider_purpose_duration_and_access(policy, path):
    table = parse(make_traveller("FR", policy=policy).look(path).response.text).iter("tr")
    rows = {row[0].findtext("code"): ["".join(cell.itertext()) for cell in row[1:]] for row in table}

    assert rows["_st"] == ["Stats Inc.", "Analytics", "13 months", "Cookie", "Yes"]
    assert rows["pl_id"] == ["Player BV", "Marketing", "30 days", "Cookie", "Yes"]
    assert rows["_px"] == [CONTROLLER, "Analytics and Marketing", "90 days", "Cookie", "No"]
    assert rows["consent"] == [CONTROLLER, "Necessary", "6 months", "Cookie", "No"]


@pytest.mark.parametrize("place", ["FR", "US-CA", "JP"])
def test_policy_page_tells_what_the_signal_does(place):
    text = make_traveller(place).look(f"{PREFERENCES}policy").response.text

    assert "<h2>Global Privacy Control</h2>" in text
    assert "While yours sends it, this stays off: Marketing." in text


def test_policy_page_tells_that_the_signal_does_nothing_where_nothing_is_sold():
    policy = Policy(controller=CONTROLLER, purposes=default_purposes()[:-1])
    text = make_traveller("US-CA", policy=policy).look(f"{PREFERENCES}policy").response.text

    assert "so the signal changes nothing here." in text


@pytest.mark.parametrize(("place", "is_linked"), [("JP", True), ("FR", False), ("US-CA", False)])
@pytest.mark.parametrize("label", [None, ""], ids=["injected", "placed"])
def test_list_of_what_is_sent_is_one_press_from_every_page_in_japan(place, is_linked, label):
    visitor = make_traveller(place, label=label)
    visitor.press("reject_all")
    text = visitor.look().response.text

    assert (f'<a class="pvc-list-link" href="{LIST[0]}">{LIST[1]}</a>' in text) is is_linked
    assert ("pvc-list-link" in text) is is_linked


# -- how it is marked up


@pytest.mark.parametrize("kind", KINDS)
def test_banner_is_a_region_named_by_its_one_heading(kind):
    (section,) = parse(look_at(kind).banner).iter("section")
    headings = [each for each in section.iter() if re.fullmatch("h[1-6]", each.tag)]

    assert [heading.tag for heading in headings] == ["h2"]
    # A <section> with a name has the role of a region.
    assert (section.get("role", "region"), section.get("aria-labelledby")) == ("region", headings[0].get("id"))
    assert "".join(headings[0].itertext()).strip()


@pytest.mark.parametrize("kind", KINDS)
def test_search_engines_are_told_to_quote_no_banner(kind):
    (section,) = parse(look_at(kind).banner).iter("section")

    assert "data-nosnippet" in section.attrib


@pytest.mark.parametrize("path", ["/", PREFERENCES, f"{PREFERENCES}policy", "/video"])
def test_nothing_of_ours_but_a_frame_has_a_tooltip(make_app, choose, path):
    app = make_app()
    app.add_url_rule("/video", "video", lambda: render_template_string(VIDEO))
    client = app.test_client()
    titled = {each.tag for each in parse(client.get(path).text).iter() if "title" in each.attrib}
    choose(client, "accept_all")

    assert titled == set()
    assert {each.tag for each in parse(client.get(path).text).iter() if "title" in each.attrib} <= {"iframe"}


@pytest.mark.parametrize("path", ["/", PREFERENCES, f"{PREFERENCES}policy", "/video"])
def test_control_is_called_what_is_written_on_it(make_app, path):
    app = make_app()
    app.add_url_rule("/video", "video", lambda: render_template_string(VIDEO))
    page = parse(app.test_client().get(path).text)
    labelled = [each.get("for") for each in page.iter("label")]
    controls = [each for each in page.iter() if each.tag in ("a", "button") or each.get("type") == "checkbox"]

    assert controls
    # With neither of these, the words of a link, a button or a label are its name.
    assert [each.attrib for each in controls if {"aria-label", "aria-labelledby"} & {*each.attrib}] == []
    assert [each.get("id") for each in controls if each.tag == "input"] == labelled
    assert all("".join(each.itertext()).strip() for each in controls if each.tag != "input")


# -- what is asked for


@pytest.mark.parametrize("kind", KINDS)
def test_banner_asks_for_nothing_but_the_choice(kind):
    assert fields_of(look_at(kind).banner) == {("input", "hidden", "next"), ("button", None, "action")}


@pytest.mark.parametrize("place", PLACES.values())
def test_preferences_ask_for_nothing_but_the_choice(place):
    assert fields_of(make_traveller(place).look(PREFERENCES).response.text) == {
        ("input", "hidden", "next"),
        ("input", "checkbox", "granted"),
        ("button", None, "action"),
        # It closes the dialog.
        ("button", None, None),
    }


# -- what is loaded


def test_tag_manager_itself_is_held_until_both_of_its_purposes_are_granted(make_app, choose):
    app = make_app(services=["google-tag-manager"])
    app.add_url_rule("/tagged", "tagged", lambda: render_template_string(TAG_MANAGER))
    client = app.test_client()
    texts = [client.get("/tagged").text]
    for granted in ("analytics", "marketing"), ():
        choose(client, "save", *granted)
        texts.append(client.get("/tagged").text)

    assert [CONTAINER in text for text in texts] == [False, True, False]
    assert ['data-consent-gate="google-tag-manager"' in text for text in texts] == [True, False, True]


@pytest.mark.parametrize("name", SCRIPTS)
def test_script_never_asks_the_browser_for_storage_access(name):
    script = files("consent").joinpath("static/consent", name).read_text("utf-8")

    assert script
    assert "requestStorageAccess" not in script
