"""The newsroom's services: all of them used, and what a page costs a reader who has decided.

Measured by `pytest tests/integration/test_newsroom_services.py -k sizes -s` on 2026-11-23, in the English edition, for a reader who
accepted everything: 169 bytes for the link, 612 for the script in Google's own words that its tags read.
"""

from __future__ import annotations

import re

import pytest

from consent.catalogue import service_keys
from consent.testing import grant, refuse
from examples.newsroom.app import create_app, create_development_site
from examples.newsroom.edition import SECTIONS, load_editions
from examples.newsroom.trackers import create_tracker_app

# A port on which nothing answers.
CLOSED_PORT = 9
EDITIONS = {"en": "", "ar": "/ar"}
REPORT = "/what-the-trackers-saw"
IN_PAGES = {
    *("harbour-stats", "google-analytics", "harbour-video", "harbour-map"),
    *("youtube", "openstreetmap", "harbour-ads", "harbour-share"),
}
# In Japan a link to the list of what is sent where stands beside it.
_LINK = re.compile(r'<a class="pvc-settings-link"[^>]*>[^<]*</a>(?: <a class="pvc-list-link"[^>]*>[^<]*</a>)?')
_SIGNAL = re.compile(r'<script data-consent-told="(\w+)">.*?</script>', re.DOTALL)
# A provider's frame, and the cookie table that the site places in its cookie policy.
_PLACED = re.compile(r' class="pvc-embed"|<link[^>]*/cookie_table[^>]*>|<div class="pvc-cookies".*?</div>', re.DOTALL)
_OURS = re.compile(r"data-consent|pvc-|/privacy-choices/assets")


def list_pages():
    paths = [REPORT]
    for language, edition in load_editions().items():
        local = [
            *("/", "/search?q=a", "/newsletter", "/newsletter/thanks", "/reading-list", "/nowhere"),
            *("/privacy", "/cookies", "/terms"),
            *(f"/section/{key}" for key in SECTIONS),
            *(f"/article/{article.slug}" for article in edition.articles),
        ]
        paths += [EDITIONS[language] + path for path in local]
    return paths


PAGES = list_pages()


@pytest.fixture(scope="module")
def site():
    return create_app(tracker_port=CLOSED_PORT)


@pytest.fixture(scope="module")
def stranger(site):
    return site.test_client()


@pytest.fixture(scope="module")
def agreed(site):
    client = site.test_client()
    grant(client)
    return client


@pytest.fixture(scope="module")
def picked(site):
    """A reader who switched on each purpose and saved."""
    client = site.test_client()
    grant(client, "preferences", "analytics", "marketing")
    return client


@pytest.fixture(scope="module")
def refused(site):
    client = site.test_client()
    refuse(client)
    return client


@pytest.fixture(scope="module")
def informed():
    """A reader in Japan, who noted what runs."""
    client = create_development_site(tracker_port=CLOSED_PORT).revised.test_client()
    client.post("/development", data={"place": "JP"})
    answer = client.post("/privacy-choices/", data={"action": "acknowledge"}, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 303
    return client


@pytest.fixture(params=["agreed", "picked", "informed"])
def decided(request):
    return request.getfixturevalue(request.param)


def used_in(page):
    held = re.findall(r'data-consent-gate="([\w-]+)"', page)
    return {*held, *re.findall(r'data-consent-embed="([\w-]+)"', page)}


def told_in(page):
    return re.findall(r'"(default|update)", (\{.*?\})', page)


def test_eight_services_stand_in_pages_and_two_more_keep_cookies(site, stranger):
    used = set().union(*(used_in(stranger.get(path).text) for path in PAGES))
    declared = site.extensions["consent"].engine.policy.services_by_key.keys()

    assert used == IN_PAGES
    assert declared == IN_PAGES | {"reading-list", "subscription-offers"}


@pytest.mark.parametrize("edition", EDITIONS.values(), ids=EDITIONS)
def test_shipped_services_stand_in_both_editions(stranger, edition):
    used = used_in(stranger.get(f"{edition}/article/dark-sky").text)

    assert used & {*service_keys()} == {"google-analytics", "openstreetmap"}


def test_folder_of_its_own_declares_services(site):
    services = site.extensions["consent"].engine.policy.services_by_key

    assert services["harbour-ads"].signals == ("google",)
    assert services["harbour-share"].provider == "Harbour Social Ltd"
    assert {"harbour-ads", "harbour-share"}.isdisjoint(service_keys())


@pytest.mark.parametrize("path", PAGES)
def test_reader_who_has_decided_gets_the_link_and_nothing_else_of_ours(decided, path):
    page = decided.get(path).text

    assert _LINK.search(page)
    assert _OURS.findall(_PLACED.sub("", _SIGNAL.sub("", _LINK.sub("", page)))) == []


@pytest.mark.parametrize("path", PAGES)
def test_signal_script_is_googles_and_stands_once(agreed, path):
    page = agreed.get(path).text

    assert _SIGNAL.findall(page) == ([] if path == REPORT else ["google"])
    assert len(told_in(page)) == (path != REPORT)


def _find(pattern, page):
    found = pattern.search(page)
    assert found
    return found[0]


def test_sizes_for_a_reader_who_accepted_everything(agreed):
    page = agreed.get("/article/night-tram").text
    sizes = {name: len(_find(pattern, page).encode()) for name, pattern in (("link", _LINK), ("signal", _SIGNAL))}

    print(sizes)
    assert sizes["link"] <= 300
    assert sizes["signal"] <= 700


@pytest.mark.parametrize("path", ["/", "/article/night-tram", "/section/city"])
def test_reader_who_refused_gets_the_script_for_what_is_held_and_no_style(refused, path):
    page = refused.get(path).text

    assert re.findall(r"/privacy-choices/assets/(\w+)\.\w+\.(\w+)", page.split("data-consent-page")[0]) == [
        ("consent", "js")
    ]
    assert 'rel="stylesheet" href="/privacy-choices' not in page
    assert _SIGNAL.search(page) is None


def test_default_is_what_the_reader_chose(site):
    client = site.test_client()
    grant(client, "analytics")
    ((command, states),) = told_in(client.get("/").text)

    assert command == "default"
    assert '"analytics_storage": "granted"' in states
    assert '"ad_storage": "denied"' in states


@pytest.mark.parametrize("edition", EDITIONS.values(), ids=EDITIONS)
def test_real_embeds_say_where_they_come_from(stranger, edition):
    assert "\u2066www.openstreetmap.org\u2069" in stranger.get(f"{edition}/article/dark-sky").text
    assert "<figcaption>" in stranger.get(f"{edition}/article/electric-ferry").text
    assert "<small>" not in stranger.get(f"{edition}/article/electric-ferry").text


def test_bar_shows_what_google_is_told():
    client = create_development_site(tracker_port=CLOSED_PORT).revised.test_client()
    grant(client, "analytics")
    (facts,) = re.findall(r"<dt>Google’s tags are told</dt>(.*?)</div>", client.get("/").text, re.DOTALL)
    denied, granted = (re.sub(r"<[^>]*>", "", line).split() for line in facts.split("</dd>")[:2])

    assert denied[0] == "denied"
    assert "ad_storage" in denied
    assert granted == ["granted", "analytics_storage", "security_storage"]


@pytest.fixture
def report(serve):
    """A function that lets a tag say what it was told, and returns what the report makes of that."""
    trackers = create_tracker_app()
    reader = create_app(tracker_port=serve(trackers)).test_client()

    def show(*told):
        trackers.test_client().get("/ad", query_string={"told": told}, base_url="http://ads.localhost")
        return reader.get(REPORT).text

    return show


def test_report_shows_what_the_tag_was_told_the_latest_on_top(report):
    page = report("default ad_storage:denied security_storage:granted", "update ad_storage:granted")
    rows = re.findall(r"<strong>(\w+)</strong></td><td>(.*?)</td><td>(.*?)</td>", page)

    assert rows == [
        ("update", "<code>ad_storage</code> ", "–"),
        ("default", "<code>security_storage</code> ", "<code>ad_storage</code> "),
    ]


@pytest.mark.parametrize("told", ["", " ", "<b>", "<b> <b>:granted", ":::", "default a:<b>"])
def test_report_stands_whatever_the_tag_says(report, told):
    page = report(told)

    assert "What the tag of Harbour Ads was told" in page
    assert "<b>" not in page


def test_report_has_no_such_table_while_nothing_was_told(report):
    assert "What the tag of Harbour Ads was told" not in report()
