"""The library's own pages: preferences, cookie declaration, errors, and what a view without consent shows."""

from __future__ import annotations

import re

import html5lib
import pytest
from flask import Blueprint, render_template

import consent.testing
from consent import Purpose, Service, requires_consent
from consent.errors import SetupError, UnknownKeyError
from tests.runtime_tag import TAG

PREFERENCES = "/privacy-choices/"


def ticked(text):
    tree = html5lib.parse(text, treebuilder="etree", namespaceHTMLElements=False)
    return {
        str(each.get("value"))
        for each in tree.iter("input")
        if each.get("name") == "granted" and "checked" in each.attrib
    }


def switches(text):
    return re.findall(r'name="granted" value="([^"]+)"', text)


def hidden(text, name):
    found = re.search(rf'<input type="hidden" name="{name}" value="([^"]*)">', text)
    return found and found[1].replace("&amp;", "&")


def test_nothing_is_ticked_before_a_choice(client):
    text = client.get(PREFERENCES).text

    assert ticked(text) == set()
    assert sorted(switches(text)) == ["analytics", "google-analytics", "marketing", "preferences", "youtube"]


@pytest.mark.parametrize(
    ("granted", "shown"),
    [
        (("analytics",), {"analytics"}),
        (("youtube",), {"youtube"}),
        (("preferences", "google-analytics"), {"preferences", "google-analytics"}),
    ],
)
def test_what_was_granted_is_ticked(client, choose, granted, shown):
    choose(client, "save", *granted)

    assert ticked(client.get(PREFERENCES).text) == shown


@pytest.mark.parametrize(
    "granted", [(), ("analytics",), ("youtube",), ("preferences", "google-analytics"), ("marketing", "analytics")]
)
def test_saving_what_is_shown_changes_nothing(client, choose, granted):
    choose(client, "save", *granted)
    before = client.get(f"{PREFERENCES}state").json
    choose(client, "save", *ticked(client.get(PREFERENCES).text))
    after = client.get(f"{PREFERENCES}state").json

    assert (after["choices"], after["services"]) == (before["choices"], before["services"])


def test_necessary_has_no_switch(client):
    text = client.get(PREFERENCES).text

    assert "Always on" in text
    assert 'value="necessary"' not in text


def test_every_action_is_a_button_of_one_form(client, choose):
    choose(client, "accept_all")
    text = client.get(PREFERENCES).text

    assert re.findall(r'<button class="[^"]+" name="action" value="([a-z_]+)"', text) == [
        "save",
        "accept_all",
        "reject_all",
        "withdraw",
    ]
    assert text.count('<form class="pvc-form" method="post"') == text.count('method="post"') == 1


def test_withdrawing_is_offered_once_something_was_granted(client, choose):
    assert 'value="withdraw"' not in client.get(PREFERENCES).text
    choose(client, "reject_all")
    assert 'value="withdraw"' not in client.get(PREFERENCES).text
    choose(client, "save", "youtube")
    assert 'value="withdraw"' in client.get(PREFERENCES).text


def test_way_to_close_the_dialog_comes_first_and_is_hidden_on_the_page(client):
    text = client.get(PREFERENCES).text

    assert (
        'data-consent-ui="preferences"><form class="pvc-close" method="dialog" hidden>'
        '<button class="pvc-quiet-button">Close</button></form>\n  <h1 id="pvc-preferences-title">Privacy choices</h1>'
    ) in text


def test_preferences_share_no_id_with_a_page_that_they_are_shown_over(make_app):
    keys = ("title", "banner-title", "preferences-title")
    app = make_app(
        {
            "page.html": '{% from "consent/macros.html" import banner, cookie_table, embed, settings_link %}'
            "{{ banner() }}{{ embed('youtube', 'aqz-KE-bpKQ', title='T') }}{{ settings_link() }}{{ cookie_table() }}"
        },
        services=["youtube", *(Service(key, name=key, purposes=("analytics",)) for key in keys)],
    )
    app.add_url_rule("/page", "page", lambda: render_template("page.html"))
    client = app.test_client()
    ours, theirs = (re.findall(r' id="([^"]+)"', client.get(path).text) for path in (PREFERENCES, "/page"))

    assert len(ours) == len(set(ours)) > 5
    assert len(theirs) == len(set(theirs)) > 0
    assert set(ours) & set(theirs) == set()


def test_service_names_its_purposes_by_number_however_many_there_are(make_app):
    purposes = [Purpose(f"p{number}", title="P", description="D.") for number in range(4, 16)]
    services = [
        Service("first", name="First", purposes=("preferences",)),
        Service("last", name="Last", purposes=("p15", "analytics")),
    ]
    text = make_app(purposes=purposes, services=services).test_client().get(PREFERENCES).text

    assert re.findall(r'value="([^"]+)"[^>]* data-pvc-number="(\d+)"', text) == [
        ("preferences", "1"),
        ("analytics", "2"),
        ("marketing", "3"),
        *((f"p{number}", str(number)) for number in range(4, 16)),
    ]
    assert re.findall(r'<li class="pvc-service" data-pvc-needs="([^"]+)"', text) == ["1", "15 2"]


def test_saving_comes_back_to_the_page_and_says_so(client, choose):
    text = client.get(f"{PREFERENCES}?back=/article?id=7").text
    response = choose(client, "save", "analytics", next=hidden(text, "next"))
    saved = client.get(response.headers["Location"])

    assert response.headers["Location"].startswith(f"{PREFERENCES}?saved=1")
    assert "Your choice is saved." in saved.text
    assert '<a class="pvc-link" href="/article?id=7">Back to the page</a>' in saved.text


def test_way_back_is_the_page_that_linked_here(client):
    text = client.get(PREFERENCES, headers={"Referer": "http://localhost/article?id=7"}).text

    assert '<a class="pvc-link" href="/article?id=7">Back to the page</a>' in text


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "https://evil.example/", "javascript:alert(1)", "/\\evil.example", "/a\tb", PREFERENCES, "x"],
)
def test_way_back_never_leads_elsewhere(client, target):
    by_query = client.get(PREFERENCES, query_string={"back": target}).text
    by_referer = client.get(PREFERENCES, headers={"Referer": f"https://evil.example{target}"}).text

    for text in (by_query, by_referer):
        assert '<a class="pvc-link" href="/">Back to the page</a>' in text
        assert "evil.example" not in text


def test_date_of_the_choice_is_told(client, choose):
    choose(client, "accept_all")
    times = re.findall(
        r'<time datetime="(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)">(\d+ [A-Z][a-z]+ \d{4})</time>',
        client.get(PREFERENCES).text,
    )

    assert len(times) == 2


def test_service_that_changed_is_asked_again_and_not_ticked(make_app, choose):
    def build(revision):
        return make_app(services=[Service("chat", name="Chat", purposes=("preferences",), revision=revision)])

    client = build(1).test_client()
    choose(client, "accept_all")
    later = build(2).test_client()
    later.set_cookie("consent", client.get_cookie("consent").value)
    text = later.get(PREFERENCES).text

    assert ticked(text) == {"analytics", "marketing"}
    assert "Something here changed after your choice." in text
    assert 'data-consent-ui="banner"' in later.get("/").text


def test_service_of_two_purposes_is_listed_once_and_needs_both(make_app, choose):
    service = Service("mixed", name="Mixed", purposes=("analytics", "marketing"))
    client = make_app(services=[service]).test_client()
    text = client.get(PREFERENCES).text
    choose(client, "save", "analytics")

    assert switches(text).count("mixed") == 1
    assert "On while Analytics and Marketing are on" in text
    assert client.get(f"{PREFERENCES}state").json["services"]["mixed"] == "denied"


def test_declaration_names_controller_services_and_cookies(client):
    response = client.get(f"{PREFERENCES}policy")

    assert response.status_code == 200
    for words in (
        "Example News Ltd",
        "Google Analytics",
        "YouTube",
        "_ga_*",
        "VISITOR_INFO1_LIVE",
        "Global Privacy Control",
    ):
        assert words in response.text


def test_declaration_needs_no_purpose_with_services(make_app):
    client = make_app(services=(), purposes=[Purpose("social", title="Social", description="Share.")]).test_client()

    assert client.get(f"{PREFERENCES}policy").status_code == 200
    assert client.get(PREFERENCES).status_code == 200


@pytest.mark.parametrize("path", ["", "policy", "state"])
def test_own_page_is_not_stored_and_has_no_trailing_variant(client, path):
    response = client.get(f"{PREFERENCES}{path}")

    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["receipt", "admin", "config", "records", "ledger", "state/", "assets/"])
def test_there_is_no_other_route(client, path):
    assert client.get(f"{PREFERENCES}{path}").status_code == 404


def test_own_page_has_no_script_but_the_runtime_and_no_inline_style(client):
    for path in (PREFERENCES, f"{PREFERENCES}policy"):
        text = TAG.sub("", client.get(path).text)

        assert not re.search(r"<script|<style| style=| on\w+=", text)
        assert text.startswith("<!doctype html>")


def test_own_pages_name_one_main_heading(client):
    for path in (PREFERENCES, f"{PREFERENCES}policy"):
        assert client.get(path).text.count("<h1") == 1


# --- views that need consent ---


@pytest.fixture
def guarded(app):
    """Return a function that adds a guarded view and answers a client for it."""

    def add(*keys, otherwise=None):
        @app.get("/guarded/<name>")
        @requires_consent(*keys, otherwise=otherwise)
        def view(name):
            return f"for {name}"

        return app.test_client()

    return add


def test_view_without_consent_is_403_and_leads_to_the_choice(guarded):
    response = guarded("analytics", "youtube").get("/guarded/ann")

    assert response.status_code == 403
    assert "<p>It works only when this is switched on: Analytics and YouTube.</p>" in response.text
    assert '<a class="pvc-button" href="/privacy-choices/" data-consent-action="settings">' in response.text
    assert "for ann" not in response.text


def test_view_with_consent_runs(guarded):
    client = guarded("analytics", "youtube")
    consent.testing.grant(client, "analytics", "youtube")
    response = client.get("/guarded/ann")

    assert response.text == "for ann"
    assert response.headers["Vary"] == "Cookie, Sec-GPC"
    assert response.headers["Cache-Control"] == "private"


def test_what_is_missing_alone_is_named(guarded):
    client = guarded("analytics", "marketing")
    consent.testing.grant(client, "analytics")

    assert "switched on: Marketing." in client.get("/guarded/ann").text


def test_other_view_runs_instead_with_the_same_arguments(guarded):
    client = guarded("analytics", otherwise=lambda name: (f"not for {name}", 451))
    response = client.get("/guarded/ann")

    assert (response.status_code, response.text) == (451, "not for ann")
    assert response.headers["Vary"] == "Cookie, Sec-GPC"


def test_own_handler_of_403_is_heeded(app, guarded):
    app.register_error_handler(403, lambda _error: ("our own page", 403))

    assert guarded("analytics").get("/guarded/ann").text == "our own page"


def test_async_view_is_guarded(app):
    @app.get("/guarded")
    @requires_consent("analytics")
    async def view():
        return "live"

    client = app.test_client()

    assert client.get("/guarded").status_code == 403
    consent.testing.grant(client, "analytics")
    assert client.get("/guarded").text == "live"


def test_view_of_a_blueprint_is_guarded(app):
    part = Blueprint("part", "part")
    part.add_url_rule("/guarded", "view", requires_consent("analytics")(lambda: "live"))
    app.register_blueprint(part)

    assert app.test_client().get("/guarded").status_code == 403


def test_guard_without_a_key_is_refused():
    with pytest.raises(SetupError) as caught:
        requires_consent()

    assert str(caught.value) == "requires_consent() needs at least one key, such as @requires_consent('analytics')."


def test_guard_with_an_unknown_key_names_the_view(app, guarded):
    app.testing = True

    with pytest.raises(UnknownKeyError, match=r"'analitics' \(@requires_consent on .*view\)"):
        guarded("analitics").get("/guarded/ann")
