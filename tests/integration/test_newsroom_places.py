"""The newsroom seen from several places: in development by a switch, in production by nobody's word."""

from __future__ import annotations

import re

import pytest
from werkzeug.test import Client

from consent.cli import group
from consent.testing import refuse
from examples.newsroom.app import create_app, create_development_site
from examples.newsroom.development import PLACE_COOKIE, PLACES

# A port on which nothing answers.
CLOSED_PORT = 9
BAR = 'id="development"'
CHOICE, OPT_OUT, AGREE = "accept_all reject_all", "reject_all acknowledge", "acknowledge"
# Only a tracker that is open is in a page as live markup.
LIVE_TRACKER = '<script async src="http://stats.localhost'
_DOCUMENTS_IN_BANNER = re.compile(r'<li class="pvc-banner__lead"><a class="pvc-link" href="(.*?)">')


@pytest.fixture(scope="module")
def site():
    return create_development_site(tracker_port=CLOSED_PORT)


@pytest.fixture
def developer(site):
    return site.revised.test_client()


@pytest.fixture(scope="module")
def production():
    return create_app(tracker_port=CLOSED_PORT)


@pytest.fixture
def reader(production):
    return production.test_client()


def visit(client, place, path="/", **options):
    client.post("/development", data={"place": place})
    return client.get(path, **options).text


def banner_of(page):
    found = re.search(r'<section class="pvc-banner".*?</section>', page, re.DOTALL)
    return found[0] if found else ""


def buttons_of(page):
    return " ".join(re.findall(r'<button class="pvc-button" name="action" value="(\w+)"', banner_of(page)))


def facts_of(page):
    (text,) = re.findall(r'<dl class="bench__facts">.*?</dl>', page, re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", "", text).split())


def test_reader_gets_neither_bar_nor_route(reader):
    page = reader.get("/").text

    assert BAR not in page
    assert "/development" not in page
    assert reader.post("/development", data={"place": "JP"}).status_code == 404


@pytest.mark.parametrize("place", [*PLACES, "jp", "XX", ""])
def test_cookie_of_a_reader_relaxes_nothing_in_production(reader, place):
    stranger = reader.get("/article/night-tram").text
    reader.set_cookie(PLACE_COOKIE, place)
    page = reader.get("/article/night-tram").text

    assert buttons_of(page) == buttons_of(stranger) == CHOICE
    assert LIVE_TRACKER not in page


def test_header_of_a_reader_relaxes_nothing_in_production(reader):
    page = reader.get("/", headers={"CF-IPCountry": "JP", "X-Country": "JP"}).text

    assert buttons_of(page) == CHOICE


@pytest.mark.parametrize("app", [{"is_revised": False}, {"is_revised": True}], ids=["earlier", "revised"])
def test_production_has_no_function_that_says_where_readers_are(app):
    assert create_app(tracker_port=CLOSED_PORT, **app).extensions["consent"].find_place is None


@pytest.mark.parametrize(
    ("place", "buttons"),
    [
        *(("FR", CHOICE), ("DE", CHOICE), ("GB", CHOICE), ("unknown", CHOICE)),
        *(("US-CA", OPT_OUT), ("US-TX", OPT_OUT), ("JP", AGREE)),
    ],
)
def test_place_has_its_banner(developer, place, buttons):
    assert buttons_of(visit(developer, place)) == buttons


@pytest.mark.parametrize("place", ["FR", "DE", "unknown"])
def test_tracker_waits_where_the_law_asks_for_a_choice(developer, place):
    assert LIVE_TRACKER not in visit(developer, place)


def test_tracker_runs_where_telling_is_enough(developer):
    assert LIVE_TRACKER in visit(developer, "JP")


def test_bar_says_which_rules_hold(developer):
    facts = facts_of(visit(developer, "GB"))

    assert facts.startswith(
        "Regime opt_in except Preferences opt_out, Analytics opt_out Rules of GB@2026-02-05 United Kingdom"
    )


def test_bar_names_the_command_that_explains(developer):
    facts = facts_of(visit(developer, "US-CA", headers={"Sec-GPC": "1"}))

    assert facts.endswith("flask --app examples.newsroom consent explain --country US --region CA --gpc")


@pytest.mark.parametrize("place", [*PLACES, "unknown"])
def test_command_of_the_bar_says_the_same_regime(developer, production, place):
    facts = facts_of(visit(developer, place))
    arguments = facts.partition("consent explain")[2].split()
    result = production.test_cli_runner().invoke(group, ["explain", *arguments])

    assert result.exit_code == 0
    assert re.findall(r"^regime +(\w+)$", result.output, re.MULTILINE) == [facts.split()[1]]


def test_bar_marks_the_place_that_was_chosen(developer):
    page = visit(developer, "JP")

    assert re.findall(r'name="place" value="([\w-]+)" aria-pressed="true"', page) == ["JP"]


def test_bar_leads_back_to_the_page(developer):
    page = developer.get("/search?q=a%26b").text

    assert '<input type="hidden" name="next" value="/search?q=a%26b">' in page[page.index(BAR) :]
    answer = developer.post("/development", data={"place": "DE", "next": "/search?q=a%26b"})
    assert answer.status_code == 303
    assert answer.location == "/search?q=a%26b#development"


@pytest.mark.parametrize(
    "path", ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:x", "/a b", ""]
)
def test_bar_leads_to_no_other_site(developer, path):
    assert developer.post("/development", data={"place": "DE", "next": path}).location == "/#development"


@pytest.mark.parametrize("place", ["XX", "unknown", "<b>", ""])
def test_place_that_is_not_offered_is_unknown(developer, place):
    visit(developer, "JP")
    page = visit(developer, place)

    assert developer.get_cookie(PLACE_COOKIE) is None
    assert buttons_of(page) == CHOICE


def test_bar_is_on_the_arabic_and_the_library_pages(developer):
    for path in ("/ar/", "/privacy-choices/", "/privacy-choices/policy", "/nowhere", "/what-the-trackers-saw"):
        assert BAR in developer.get(path).text
    assert "الزيارة من" in developer.get("/ar/").text


def test_starting_over_forgets_the_choice(developer):
    refuse(developer)
    assert buttons_of(developer.get("/").text) == ""
    developer.post("/development", data={"start_over": "1"})

    assert buttons_of(developer.get("/").text) == CHOICE


def test_notice_names_the_documents_and_marks_the_revised_one(developer):
    banner = banner_of(visit(developer, "JP"))

    assert ">Privacy policy, Cookie policy and Terms of use</h2>" in banner
    assert _DOCUMENTS_IN_BANNER.findall(banner) == ["/privacy", "/cookies", "/terms"]
    assert "(<strong>revised</strong>, in force from 16 November 2026)" in banner
    assert "Letters to the editor are now deleted after one year" in banner


def test_choice_of_a_stranger_links_the_revised_document(developer):
    banner = banner_of(visit(developer, "FR"))

    assert '<a class="pvc-link" href="/privacy">Privacy policy (revised)</a>' in banner
    assert _DOCUMENTS_IN_BANNER.findall(banner) == []


def test_revised_document_is_announced_to_who_noted_the_earlier_one(site):
    before, after = site.earlier.test_client(), site.revised.test_client()
    refuse(before)
    after.set_cookie("consent", before.get_cookie("consent").value)
    banner = banner_of(after.get("/").text)

    assert ">Revised: Privacy policy</h2>" in banner
    assert buttons_of(banner) == AGREE
    assert "(in force from 16 November 2026)" in banner


@pytest.mark.parametrize(("chosen", "version"), [("earlier", 3), ("revised", 4), ("none", 4)])
def test_developer_switches_between_the_versions(site, chosen, version):
    client = Client(site)
    client.post("/development", data={"version": chosen})

    assert f"Version {version}, in force since" in client.get("/privacy").text


def test_both_versions_share_the_log_of_choices(site):
    refuse(site.earlier.test_client())
    refuse(site.revised.test_client())
    logs = [app.extensions["newsroom"].timeline for app in (site.earlier, site.revised)]

    assert logs[0] is logs[1]
    assert len(logs[0].choices) >= 2


@pytest.mark.parametrize("edition", ["", "/ar"])
@pytest.mark.parametrize("key", ["privacy", "cookies", "terms"])
def test_document_has_its_page(reader, edition, key):
    response = reader.get(f"{edition}/{key}")

    assert response.status_code == 200
    assert response.text.count("<h1") == 1
    assert f'href="{edition}/{key}" aria-current="page"' in response.text


def test_privacy_policy_shows_what_is_new(site):
    revised = site.revised.test_client().get("/privacy").text
    earlier = site.earlier.test_client().get("/privacy").text

    assert "New in this version" in revised
    assert "for one year" in revised
    assert "for two years" not in revised
    assert "New in this version" not in earlier
    assert "for two years" in earlier


def test_cookie_policy_lists_the_cookies(reader):
    assert '<table class="pvc-table">' in reader.get("/cookies").text


@pytest.mark.parametrize("came_from", ["/ar/", "/ar/article/night-tram", "/privacy-choices/?lang=ar"])
def test_banner_link_leads_an_arabic_reader_to_the_arabic_page(reader, came_from):
    answer = reader.get("/privacy", headers={"Referer": f"http://localhost{came_from}"})

    assert answer.location == "/ar/privacy"
