"""The choice of a user who is logged in: kept by the site, with Flask-Login, and merged with that of the browser."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest
from flask import jsonify, request
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user

from consent import Consent, Service, consent_recorded, current_consent
from consent.core.policy import Policy
from consent.engine import Engine
from tests.engine_steps import choose as make_choice

ALL = {"analytics", "marketing", "preferences"}
STATE = "/privacy-choices/state"
GPC = {"Sec-GPC": "1"}
COLORADO = {"X-Place": "US-CO"}


@pytest.fixture
def site(bare_app):
    """Return a site that keeps its users' choices in `kept`, and whose functions fail when `fails` names them."""
    app = bare_app()
    privacy = Consent(
        services=["google-analytics", "youtube"], jurisdiction=lambda: request.headers.get("X-Place") or None
    )
    found = SimpleNamespace(app=app, privacy=privacy, kept={}, fails=set(), loads=[], saves=[])

    @privacy.load_choice
    def load():
        found.loads.append(request.path)
        if "load" in found.fails:
            raise RuntimeError("the users are down")
        return found.kept.get(current_user.id, "") if current_user.is_authenticated else None

    @privacy.save_choice
    def save(text):
        found.saves.append(text)
        if "save" in found.fails:
            raise RuntimeError("the users are down")
        found.kept[current_user.id] = text

    privacy.init_app(app)
    LoginManager(app).user_loader(make_user)
    app.add_url_rule("/sign-in/<name>", "sign_in", lambda name: jsonify(login_user(make_user(name))))
    app.add_url_rule("/sign-out", "sign_out", lambda: jsonify(logout_user()))
    app.add_url_rule("/plain", "plain", lambda: jsonify(1))
    return found


def make_user(name):
    user = UserMixin()
    user.id = name
    return user


@pytest.fixture
def device(site):
    """Return a function that makes a browser, with somebody logged in or nobody."""

    def make(name=None):
        client = site.app.test_client()
        if name:
            client.get(f"/sign-in/{name}")
        return client

    return make


def opened(client, **headers):
    choices = client.get(STATE, headers={name.replace("_", "-"): value for name, value in headers.items()}).json[
        "choices"
    ]
    return {key for key, choice in choices.items() if choice == "granted"} - {"necessary"}


def look(client, *headers):
    """Look at a page; a page, other than the state, is what people look at."""
    return client.get("/", headers={name: value for each in headers for name, value in each.items()})


# -- two devices


def test_grant_on_one_device_opens_on_a_fresh_one(device, choose):
    choose(device("ann"), "accept_all")

    assert opened(device("ann")) == ALL
    assert opened(device("bob")) == set()
    assert opened(device()) == set()


def test_fresh_device_is_not_asked_again_and_gets_no_cookie(device, choose):
    choose(device("ann"), "accept_all")
    fresh = device("ann")
    page = fresh.get("/")

    assert 'data-consent-ui="banner"' not in page.text
    assert "consent=" not in page.headers.get("Set-Cookie", "")


def test_refusal_on_one_device_closes_on_the_other(device, choose):
    first, second = device("ann"), device("ann")
    choose(first, "accept_all")
    choose(second, "accept_all")
    choose(second, "save", "preferences")

    assert opened(first) == {"preferences"}


def test_last_act_replaces_what_was_kept(device, choose):
    phone = device("ann")
    choose(phone, "reject_all")
    choose(phone, "accept_all")

    assert opened(device("ann")) == ALL


def test_device_that_refused_stays_shut_until_it_grants_itself(device, choose):
    first, second = device("ann"), device("ann")
    choose(first, "reject_all")
    choose(second, "accept_all")

    assert (opened(first), opened(second)) == (set(), ALL)
    choose(first, "accept_all")
    assert (opened(first), opened(device("ann"))) == (ALL, ALL)


# -- logging in and out


@pytest.mark.parametrize(("kept", "chosen"), [("reject_all", "accept_all"), ("accept_all", "reject_all")])
def test_stricter_wins_at_the_first_login(device, choose, kept, chosen):
    choose(device("ann"), kept)
    browser = device()
    choose(browser, chosen)
    browser.get("/sign-in/ann")

    assert opened(browser) == set()
    assert browser.get(STATE).json["needs_prompt"] is False


def test_choice_of_the_browser_holds_for_a_user_without_one(site, device, choose):
    browser = device()
    choose(browser, "save", "analytics")
    browser.get("/sign-in/ann")

    assert opened(browser) == {"analytics"}
    assert site.kept == {}


def test_logging_out_leaves_the_browser_its_own_choice(device, choose):
    browser = device()
    choose(browser, "accept_all")
    choose(device("ann"), "reject_all")
    browser.get("/sign-in/ann")
    browser.get("/sign-out")

    assert opened(browser) == ALL


def test_choice_of_nobody_is_not_kept(site, device, choose):
    choose(device(), "accept_all")

    assert site.saves == []


def test_page_of_a_known_user_is_theirs_alone(device):
    page = device("ann").get("/")

    assert page.headers["Cache-Control"] == "private"
    assert "Cookie" in page.headers["Vary"]


def test_site_is_asked_once_a_page_and_not_where_consent_is_not_read(site, device):
    browser = device("ann")
    site.loads.clear()
    browser.get("/")
    browser.get("/plain")

    assert site.loads == ["/"]


def test_loader_that_reads_consent_sees_the_choice_of_the_browser(bare_app, choose):
    seen = []
    app = bare_app()
    privacy = Consent(app)
    privacy.load_choice(lambda: seen.append(current_consent.allows("analytics")))
    client = app.test_client()
    choose(client, "accept_all")
    seen.clear()

    assert client.get("/").status_code == 200
    assert seen == [True]


# -- the text


def test_text_is_ascii_and_short_with_twenty_services(clock):
    services = tuple(Service(f"s{at}", name="S", purposes=("analytics",)) for at in range(20))
    engine = Engine(Policy(controller="Example", services=services), keys_oldest_first=[b"k" * 32], read_clock=clock)
    text = engine.encode_user(make_choice(engine, "accept_all"))

    assert text.isascii()
    assert len(text) < 300


def test_text_is_no_cookie_and_no_cookie_is_a_text(site, device, choose):
    choose(device("ann"), "accept_all")
    thief = device()
    thief.set_cookie("consent", site.kept["ann"])
    browser = device()
    choose(browser, "accept_all")
    site.kept["eve"] = browser.get_cookie("consent").value

    assert opened(thief) == set()
    assert opened(device("eve")) == set()


@pytest.mark.parametrize("end", ["!", " and more", "é"])
def test_text_that_cannot_be_read_counts_as_nothing(site, device, choose, caplog, end):
    caplog.set_level(logging.DEBUG, logger="consent")
    choose(device("ann"), "accept_all")
    # In the middle: of the last character, some bits mean nothing.
    middle = len(site.kept["ann"]) // 2
    site.kept["ann"] = site.kept["ann"][:middle] + end + site.kept["ann"][middle + 1 :]
    browser = device("ann")

    assert opened(browser) == set()
    assert browser.get(STATE).json["needs_prompt"] is True
    assert "The choice kept for a known user is not believed" in caplog.text


def test_text_padded_by_the_column_is_read(site, device, choose):
    choose(device("ann"), "accept_all")
    site.kept["ann"] = site.kept["ann"].ljust(300)

    assert opened(device("ann")) == ALL


# -- functions that fail


@pytest.mark.parametrize("place", ["FR", "US-CO", "JP"])
@pytest.mark.parametrize("action", ["accept_all", "reject_all"])
def test_nothing_is_open_and_nothing_asked_while_loading_fails(site, device, choose, caplog, action, place):
    browser = device("ann")
    choose(browser, action)
    site.fails.add("load")
    page = look(browser, {"X-Place": place})

    assert (page.status_code, "Set-Cookie" in page.headers) == (200, False)
    assert (opened(browser, **{"X-Place": place}), 'data-consent-ui="banner"' in page.text) == (set(), False)
    assert "The function given to 'load_choice' failed: nothing is granted on this page." in caplog.text
    site.fails.clear()
    assert opened(browser) == (ALL if action == "accept_all" else set())


def test_answer_that_is_no_text_counts_as_a_failure(site, device, caplog):
    site.kept["ann"] = b"bytes"

    assert opened(device("ann")) == set()
    assert "The answer is of type 'bytes'" in caplog.text


def test_grant_that_cannot_be_kept_is_no_grant(site, device, choose, caplog):
    browser = device("ann")
    site.fails.add("save")
    answer = choose(browser, "accept_all", json=True)

    assert (answer.status_code, answer.json["error"]) == (503, "not_recorded")
    assert "Set-Cookie" not in answer.headers
    assert opened(browser) == set()
    assert "The function given to 'save_choice' failed" in caplog.text


def test_refusal_that_cannot_be_kept_still_closes(site, device, choose):
    browser = device("ann")
    choose(browser, "accept_all")
    site.fails.add("save")

    assert choose(browser, "withdraw").status_code == 303
    assert opened(browser) == set()


def test_what_a_grant_closes_is_closed_even_if_it_cannot_be_kept(site, device, choose):
    browser = device("ann")
    choose(browser, "save", "analytics", "preferences")
    site.fails.add("save")

    assert choose(browser, "save", "marketing", "preferences").status_code == 503
    assert opened(browser) == {"preferences"}


def test_grant_that_a_receiver_did_not_take_is_not_kept_and_what_it_closes_is(site, device, choose):
    browser = device("ann")
    choose(browser, "save", "analytics")

    def fail(_app, **_rest):
        raise RuntimeError("the ledger is down")

    with consent_recorded.connected_to(fail):
        choose(browser, "save", "marketing")

    assert opened(device("ann")) == set()


# -- Global Privacy Control reaches the user's own choice


def test_signal_reaches_the_other_device_of_the_user(site, device):
    browser, other = device("ann"), device("ann")
    assert "marketing" in opened(other, **{"X-Place": "US-CO"})
    answer = look(browser, COLORADO, GPC)

    assert "Set-Cookie" not in answer.headers
    assert opened(other, **{"X-Place": "US-CO"}) == ALL - {"marketing"}
    assert opened(device("bob"), **{"X-Place": "US-CO"}) == ALL


def test_signal_that_a_script_has_seen_reaches_the_user_with_the_next_page(site, device):
    browser = device("ann")
    browser.post("/privacy-choices/gpc", headers={"Sec-Fetch-Site": "same-origin"} | COLORADO)
    look(browser, COLORADO)

    assert opened(device("ann"), **{"X-Place": "US-CO"}) == ALL - {"marketing"}


def test_signal_is_kept_once(site, device):
    browser = device("ann")
    for _ in range(3):
        look(browser, COLORADO, GPC)

    assert len(site.saves) == 1


def test_signal_takes_back_only_what_it_speaks_of(site, device, choose):
    choose(device("ann"), "accept_all")
    look(device("ann"), COLORADO, GPC)

    assert opened(device("ann")) == ALL - {"marketing"}


def test_grant_in_spite_of_the_signal_stands(site, device, choose):
    browser = device()
    choose(browser, "accept_all", headers={"Sec-Fetch-Site": "same-origin", **COLORADO, **GPC})
    browser.get("/sign-in/ann")
    look(browser, COLORADO, GPC)

    assert site.saves == []
    assert opened(browser, **{"X-Place": "US-CO", "Sec-GPC": "1"}) == ALL


@pytest.mark.parametrize(
    "headers",
    [
        COLORADO,
        GPC,
        GPC | {"X-Place": "FR"},
        GPC | {"X-Place": "JP"},
        GPC | COLORADO | {"Sec-Purpose": "prefetch"},
        GPC | COLORADO | {"Sec-Purpose": "prefetch;prerender"},
    ],
    ids=["no signal", "unknown place", "opt-in", "notice", "prefetch", "prerender"],
)
def test_nothing_is_kept_for_a_page_that(site, device, headers):
    look(device("ann"), headers)

    assert site.saves == []


def test_signal_of_nobody_is_not_kept(site, device):
    look(device(), COLORADO, GPC)

    assert site.saves == []


def test_signal_never_costs_the_page(site, device):
    site.fails.add("save")
    answer = look(device("ann"), COLORADO, GPC)

    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "private"


def test_signal_does_not_write_over_a_choice_made_meanwhile(site, device, choose):
    choose(device("ann"), "accept_all")
    older = site.kept["ann"]
    choose(device("ann"), "reject_all")
    newer = site.kept["ann"]
    texts = [older, newer]
    site.privacy._users.load = lambda: texts.pop(0)
    look(device("ann"), COLORADO, GPC)

    assert site.kept["ann"] == newer
