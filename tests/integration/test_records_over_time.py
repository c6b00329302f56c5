"""A record that is over, in another language, or from another app is not taken for one in force."""

from __future__ import annotations

import gc
import re
import weakref
from datetime import UTC, datetime, timedelta

import pytest
from flask import Response, current_app, g
from markupsafe import escape

from consent import Purpose, Service, consent_recorded, testing
from consent.errors import ConfigError

GERMAN = '<!doctype html><html lang="de"><title>Seite</title><body><p>Hallo</p></body></html>'


def travel(app, **distance):
    app.extensions["consent"].engine.read_clock = lambda: datetime.now(UTC) + timedelta(**distance)


def test_record_that_is_over_is_not_shown(app, choose):
    client = app.test_client()
    choose(client, "accept_all")
    travel(app, days=300)
    page, state = client.get("/privacy-choices/").text, client.get("/privacy-choices/state").json

    assert (state["decided_at"], state["needs_prompt"]) == (None, True)
    assert 'value="withdraw"' not in page
    assert "Something here changed after your choice" not in page


def test_next_record_names_the_one_that_is_over(app, choose):
    heard = []
    client = app.test_client()
    with consent_recorded.connected_to(lambda _, record, previous: heard.append((record, previous))):
        choose(client, "accept_all")
        travel(app, days=300)
        choose(client, "reject_all")
    (first, _), (second, previous) = heard

    assert previous is None
    assert second.account.previous_id == first.record_id


def test_record_names_the_language_the_visitor_was_asked_in(app, add_page):
    heard = []
    add_page(app, "/de", GERMAN)
    client = app.test_client()
    (action,) = set(re.findall(r'<form[^>]* action="([^"]+)"', client.get("/de").text))
    with consent_recorded.connected_to(lambda _, record, **_rest: heard.append(record.account.notice.language)):
        client.post(action, data={"action": "accept_all"}, headers={"Sec-Fetch-Site": "same-origin"})

    assert (action, heard) == ("/privacy-choices/?lang=de", ["de"])


def test_refused_post_answers_in_the_language_of_its_page(app):
    answer = app.test_client().post("/privacy-choices/?lang=de", data={"action": "nonsense"})

    assert '<html lang="de"' in answer.text


def test_app_is_not_kept_alive(make_app):
    app = make_app()
    app.test_client().get("/")
    gone = weakref.ref(app)
    del app
    gc.collect()

    assert gone() is None


@pytest.mark.parametrize("path", ["/privacy-choices/", "/privacy-choices/state", "/privacy-choices/policy"])
def test_own_page_is_never_stored_whatever_a_hook_says(app, path):
    @app.after_request
    def cache(response):
        response.headers["Cache-Control"] = "public, max-age=300"
        return response

    assert app.test_client().get(path).headers["Cache-Control"] == "no-store"


def test_error_page_after_a_failing_hook_is_private(app):
    @app.after_request
    def fail(response):
        if not g.get("has_failed"):
            g.has_failed = True
            raise LookupError("of the site")
        return response

    app.testing = False
    app.register_error_handler(500, lambda _: Response(GERMAN, 500, {"Cache-Control": "public"}, mimetype="text/html"))
    answer = app.test_client().get("/")

    assert (answer.status_code, answer.headers["Cache-Control"]) == (500, "private")
    assert answer.headers["Vary"] == "Cookie, Sec-GPC"


def test_choice_can_be_saved_wherever_the_visitor_came_from(app, choose):
    client = app.test_client()
    referer = "http://localhost/" + "%E4%BD%A0" * 220
    page = client.get("/privacy-choices/", headers={"Referer": referer}).text
    (target,) = re.findall(r'name="next" value="([^"]+)"', page)
    answer = choose(client, "save", next=target.replace("&amp;", "&"))

    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/privacy-choices/?saved=1")


def test_path_too_long_to_come_back_to_is_left_out(app, add_page):
    add_page(app, "/<path:rest>", GERMAN)

    assert 'name="next"' not in app.test_client().get("/" + "%E4%BD%A0" * 400).text


@pytest.mark.parametrize("purpose", [Purpose("support"), Purpose("support", title="Support")])
def test_own_purpose_without_words_is_refused(make_app, purpose):
    with pytest.raises(ConfigError, match="Purpose 'support' has no"):
        make_app(purposes=[purpose])


def test_service_added_after_the_choice_is_not_ticked(make_app):
    services = ("google-analytics", Service("tags", name="Tags", purposes=("analytics", "marketing")))
    before, after = make_app(services=services[:1]), make_app(services=services)
    first, second = before.test_client(), after.test_client()
    testing.grant(first)
    second.set_cookie("consent", first.get_cookie("consent").value)
    ticked = re.findall(r'name="granted" value="([^"]+)" checked', second.get("/privacy-choices/").text)

    assert second.get("/privacy-choices/state").json["services"]["tags"] == "denied"
    assert set(ticked) == {"preferences", "google-analytics", "marketing"}


def test_prefix_cannot_lead_to_another_host(app):
    answer = app.test_client().post(
        "/privacy-choices/", data={"action": "reject_all"}, environ_overrides={"SCRIPT_NAME": "//evil.example"}
    )

    assert answer.headers["Location"] == "/evil.example/"


def test_page_with_a_placed_word_keeps_to_one_language(make_app):
    app = make_app(
        {
            "page.html": GERMAN.replace(
                "<p>", "{% from 'consent/macros.html' import settings_link %}{{ settings_link() }}<p>"
            )
        }
    )
    app.add_url_rule("/page", "page", lambda: current_app.jinja_env.get_template("page.html").render())
    text = app.test_client().get("/page").text

    assert str(escape("Accept all")) in text
    assert "Alle akzeptieren" not in text
