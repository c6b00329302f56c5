"""The operator's dashboard: shut without a guard that says True, strict in what it is asked, readable without charts."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from datetime import timedelta
from functools import cache

import html5lib
import pytest
from flask import abort

from consent import Consent
from consent.core.tally import Counted, TallyKey
from consent.errors import ConfigError, LedgerError
from consent.ledger import MemoryLedger
from tests.conftest import NOW
from tests.counted_visits import LAST_DAY, count_visits, fill_ledger, make_counted_site
from tests.faulty_ledger import RETENTION

URL = "/privacy-choices/dashboard"
VISITS = count_visits()
XLINK = re.compile(r"https?:|//|xlink|url\(|@import", re.IGNORECASE)


@pytest.fixture(scope="module")
def site():
    return make_counted_site(VISITS)


@pytest.fixture
def guarded(bare_app):
    """Return a function that gives a client of a site with this guard."""

    def make(guard):
        app = bare_app(**RETENTION, CONSENT_LEDGER_DASHBOARD=guard)
        Consent(app, services=["youtube"], ledger=MemoryLedger())
        return app.test_client()

    return make


@pytest.fixture(scope="module")
def read_page(site):
    """Return a function that gives the page as a tree, without namespaces; it is read once and never changed."""

    @cache
    def read(query=""):
        answer = site.test_client().get(URL + query)
        assert answer.status_code == 200
        return html5lib.parse(answer.text, namespaceHTMLElements=False)

    return read


def read_text(element):
    return " ".join(" ".join(element.itertext()).split())


# -- who is let in: T20


def test_without_a_guard_there_is_no_such_page(bare_app):
    app = bare_app(**RETENTION)
    Consent(app, services=["youtube"], ledger=MemoryLedger())

    assert app.test_client().get(URL).status_code == 404


def test_true_opens_the_page(guarded):
    assert guarded(lambda: True).get(URL).status_code == 200


@pytest.mark.parametrize("answer", [False, None, 1, "True", "yes", [True], object(), float("nan")])
def test_whatever_is_not_true_shuts_the_page(guarded, answer):
    response = guarded(lambda: answer).get(URL)

    assert response.status_code == 403
    assert "Consent in numbers" not in response.text


@pytest.mark.parametrize(
    "failure",
    [lambda: 1 / 0, lambda: abort(404)],
    ids=["fault", "abort"],
)
def test_guard_that_fails_shuts_the_page_and_is_logged(guarded, failure, caplog):
    assert guarded(failure).get(URL).status_code == 403
    assert "The guard of the dashboard failed, so the page was refused." in caplog.text


def test_guard_that_is_nearly_true_is_told_what_to_return(guarded, caplog):
    guarded(lambda: "yes").get(URL)

    (told,) = [each.getMessage() for each in caplog.records if "guard" in each.getMessage()]
    assert told == (
        "The guard of the dashboard returned a str, so the page was refused. Only True opens it: let "
        "'CONSENT_LEDGER_DASHBOARD' return a bool."
    )


def test_plain_refusal_is_not_logged(guarded, caplog):
    with caplog.at_level(logging.WARNING):
        client = guarded(lambda: False)
        caplog.clear()
        client.get(URL)

    assert caplog.records == []


def test_guard_is_asked_for_each_request(guarded):
    answers = iter([True, False, True])
    client = guarded(lambda: next(answers))

    assert [client.get(URL).status_code for _ in range(3)] == [200, 403, 200]


def test_guard_comes_before_the_parameters(guarded):
    assert guarded(lambda: False).get(f"{URL}?days=nonsense").status_code == 403


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_page_changes_nothing(guarded, method):
    assert getattr(guarded(lambda: True), method)(URL).status_code == 405


# -- what it refuses to start with


def test_guard_without_a_ledger_is_an_error(bare_app):
    with pytest.raises(ConfigError, match="'CONSENT_LEDGER_DASHBOARD' is set, and there is no ledger") as caught:
        Consent(bare_app(CONSENT_LEDGER_DASHBOARD=lambda: True), services=["youtube"])

    assert caught.value.key == "CONSENT_LEDGER_DASHBOARD"


@pytest.mark.parametrize("guard", [True, "admin", 1])
def test_guard_that_is_no_function_is_an_error(bare_app, guard):
    with pytest.raises(ConfigError, match="'CONSENT_LEDGER_DASHBOARD' must be a function"):
        Consent(bare_app(**RETENTION, CONSENT_LEDGER_DASHBOARD=guard), services=["youtube"], ledger=MemoryLedger())


def test_missing_pygal_is_told_when_the_app_starts():
    script = """
import sys
sys.modules["pygal"] = None
from flask import Flask
from consent import Consent
from consent.errors import MissingExtraError
from consent.ledger import MemoryLedger

def make(**config):
    app = Flask("paper")
    app.config.update(SECRET_KEY=32 * "k", CONSENT_CONTROLLER="Paper", CONSENT_LEDGER_RETENTION_MONTHS=36, **config)
    Consent(app, services=["youtube"], ledger=MemoryLedger())

make()
try:
    make(CONSENT_LEDGER_DASHBOARD=lambda: True)
except MissingExtraError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout == (
        "'CONSENT_LEDGER_DASHBOARD' needs pygal, which is not installed. Run: pip install 'flask-cookie-consent[dashboard]'\n"
    )


# -- what it is asked: T41


@pytest.mark.parametrize(
    "query",
    [
        *("days=1;DROP", "days=-1", "days=1e9", "days=NaN", "days=", "days=31", "days=%00", "days=030", "days=٣٠"),
        *("days=7&days=30", "days=7&days=7", "page=1", "sort=day", "filter=x", "days=7&x=1", "Days=7"),
    ],
)
def test_parameters_that_no_link_has_are_refused(site, query):
    assert site.test_client().get(f"{URL}?{query}").status_code == 400


@pytest.mark.parametrize(("query", "since"), [("", 30), ("?days=7", 7), ("?days=90", 90), ("?days=365", 365)])
def test_range_is_marked_among_its_links(read_page, query, since):
    page = read_page(query)
    links = {link.get("href"): link.get("aria-current") for link in page.iter("a")}

    assert links == {f"?days={days}": "page" if days == since else None for days in (7, 30, 90, 365)}


# -- how it is sent


def test_page_is_kept_from_caches_frames_and_search_engines(site):
    headers = site.test_client().get(URL).headers

    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Robots-Tag"] == "noindex"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in headers


def test_page_has_no_script_no_style_and_nothing_from_elsewhere(site):
    text = site.test_client().get(URL).text
    page = html5lib.parse(text, namespaceHTMLElements=False)

    assert [
        each for each in page.iter() if each.tag in {"script", "style", "image", "iframe", "use", "foreignObject"}
    ] == []
    names = {name for each in page.iter() for name in each.attrib}
    assert [name for name in names if name == "style" or str(name).startswith("on")] == []
    assert XLINK.findall(text) == []


def test_stylesheets_carry_the_nonce_of_the_site():
    answer = make_counted_site({}, CONSENT_CSP_NONCE=lambda: "r4nd0m").test_client().get(URL)

    assert re.findall(r'assets/(\w+)\.\w+\.css" nonce="r4nd0m"', answer.text) == ["banner", "preferences", "dashboard"]


def test_visitors_pages_never_load_its_stylesheet(site):
    client = site.test_client()

    for path in ("/privacy-choices/", "/privacy-choices/policy"):
        assert "dashboard" not in client.get(path).text


def test_looking_at_it_is_not_counted(site):
    site.test_client().get(URL)
    site.extensions["consent"].tallying.flush()

    assert site.extensions["consent"].ledger.tallies.read() == VISITS


def test_elements_have_ids_of_their_own(read_page):
    ids = [each.get("id") for each in read_page().iter() if each.get("id")]

    assert len(ids) == len(set(ids)) > 10


# -- what it says


def add(counted, number, *, ago=0, **members):
    return {TallyKey(day=LAST_DAY - timedelta(days=ago), counted=counted, **members): number}


def read_figures(page):
    figures = [each for each in page.iter("div") if each.get("class") == "pvc-figure"]
    return {read_text(each.find("dt")): read_text(each.find("dd")) for each in figures}


def test_figures_are_of_the_days_and_compared_with_those_before():
    tallies = {
        **add(Counted.PROMPT, 2000),
        **add(Counted.ANSWERED, 500, source="banner"),
        **add(Counted.ACCEPTED, 100, ago=29),
        **add(Counted.REFUSED, 300),
        **add(Counted.WITHDRAWN, 12),
        **add(Counted.PROMPT, 70, ago=30),
        **add(Counted.ACCEPTED, 5, ago=59),
        **add(Counted.ACCEPTED, 1_000_000, ago=60),
    }
    page = html5lib.parse(make_counted_site(tallies).test_client().get(URL).text, namespaceHTMLElements=False)

    assert read_figures(page) == {
        "Prompts shown": "2,000 25% were answered 30 days before: 70",
        "Consent rate": "25% accepted everything 30 days before: 100%",
        "Refusal rate": "75% refused everything 30 days before: 0%",
        "Withdrawals": "12 took a consent back 30 days before: 0",
        "Opt-outs": "0 objected to what ran 30 days before: 0",
        "Privacy signals": "0 times honoured 30 days before: 0",
    }


def test_empty_ledger_has_a_page_too():
    answer = make_counted_site({}).test_client().get(URL)

    assert answer.status_code == 200
    assert answer.text.count("No choices in these days.") == 2
    assert "Nothing was counted in these days." in answer.text


@pytest.mark.parametrize(("query", "rows"), [("?days=7", 7), ("", 30), ("?days=90", 90), ("?days=365", 53)])
def test_table_below_the_trend_has_every_column_of_it(read_page, query, rows):
    table = next(each for each in read_page(query).iter("table"))

    assert len(table.findall("tbody/tr")) == rows


def test_tables_add_up_to_the_figures(read_page):
    page = read_page("?days=365")
    shown = read_figures(page)["Prompts shown"].split()[0]
    tables = [table for table in page.iter("table") if "Partly" in read_text(table)]
    sums = [
        sum(int(read_text(row.find("td")).replace(",", "")) for row in table.findall("tbody/tr")) for table in tables
    ]

    assert [f"{each:,}" for each in sums] == [shown] * 3


def test_charts_say_what_they_show(read_page):
    charts = [each for each in read_page().iter() if each.get("role") == "img"]

    assert len(charts) == 7
    for chart in charts:
        title, description = chart[0], chart[1]
        assert chart.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
        assert read_text(title).startswith("Choices ")
        assert re.search(r"\d+%? (accepted|refused)", read_text(description))


def test_version_that_began_in_these_days_is_marked(read_page):
    marks = [read_text(each) for each in read_page().iter() if each.get("class") == "pvc-chart__mark" and len(each)]

    assert marks == ["9 Nov: policy version e41f9a0b6c2d8375"] * 3


@pytest.mark.parametrize(
    ("number", "words", "effect"), [(1, "1 refusal", "It took effect"), (3, "3 refusals", "They took effect")]
)
def test_unrecorded_refusals_are_pointed_out(number, words, effect):
    tallies = add(Counted.UNRECORDED, number)
    text = make_counted_site(tallies).test_client().get(URL).text

    assert f"<strong>{words} could not be recorded</strong> while the ledger was away. {effect}" in text


def test_words_of_the_site_are_escaped():
    app = make_counted_site({}, CONSENT_CONTROLLER="<script>alert(1)</script>")

    text = app.test_client().get(URL).text
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_values_of_tallies_are_escaped():
    odd = "<b onclick='x'>&"
    tallies = add(Counted.ACCEPTED, 3, jurisdiction=odd, language=odd, policy_version=odd)

    text = make_counted_site(tallies).test_client().get(URL).text
    assert "<b " not in text
    assert text.count("&lt;b onclick=") >= 4


# -- the ledger


def read_facts(text):
    page = html5lib.parse(text, namespaceHTMLElements=False)
    (facts,) = [each for each in page.iter("dl") if each.get("class") == "pvc-board__facts"]
    return {read_text(each.find("dt")): read_text(each.find("dd")) for each in facts}


def test_health_of_a_ledger_without_a_seal(site):
    facts = read_facts(site.test_client().get(URL).text)

    assert facts == {
        "State": "Works memory",
        "Recorded choices": "0",
        "Of these erased": "0",
        "Not sealed yet": "0",
        "Last seal": "None: run flask consent ledger seal",
    }


def test_events_and_last_seal_are_told():
    app = make_counted_site({})
    fill_ledger(app, sealed=1200, unsealed=3)
    ledger = app.extensions["consent"].ledger
    ledger.erase(ledger.scan()[0].event.subject_id, reason="request", at=NOW)

    facts = read_facts(app.test_client().get(URL).text)
    # What says that some were erased has no seal yet, and is no choice.
    assert [facts[name] for name in ("Recorded choices", "Not sealed yet")] == ["1,203", "4"]
    assert facts["Last seal"] == "23 Nov 2026, 06:00 , number 2 over 1,200"


def test_ledger_that_is_away_is_told_with_503(monkeypatch):
    app = make_counted_site({})

    def fail(*_, **__):
        raise LedgerError("The ledger's database does not answer.")

    monkeypatch.setattr(app.extensions["consent"].ledger.database, "read", fail)
    answer = app.test_client().get(URL)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    assert answer.text.count("The ledger&#39;s database does not answer.") == 2
    assert "Nothing can be recorded now, so nothing is granted." in answer.text
