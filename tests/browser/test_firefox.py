"""The core of the promises in Firefox, with JavaScript off."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.firefox import Firefox, Tab
from tests.browser.newsroom import FILM_ARTICLE, HOST, MAP_ARTICLE, OTHER_ARTICLE, TRACKERS, Newsroom, is_foreign
from tests.browser.serving import wait_until

_BANNER = "[data-consent-ui=banner]"


@pytest.fixture
def tab(fox: Firefox) -> Iterator[Tab]:
    """A new visitor's tab."""
    with fox.visitor() as opened:
        yield opened


def press(tab: Tab, action: str) -> None:
    tab.click_through(f'[data-consent-action="{action}"]')


def read_on(tab: Tab, newsroom: Newsroom) -> None:
    for path in (MAP_ARTICLE, OTHER_ARTICLE, FILM_ARTICLE):
        tab.open(f"{newsroom.url}{path}")


def foreign_requests(tab: Tab) -> list[str]:
    return [request.url for request in tab.requests if is_foreign(request.url)]


def cookie_names(tab: Tab) -> set[str]:
    return {f"{cookie.domain}:{cookie.name}" for cookie in tab.cookies()}


def focused(tab: Tab) -> str:
    return str(tab.evaluate("() => document.activeElement.textContent.trim()"))


def test_nothing_of_a_third_party_before_a_choice(tab: Tab, newsroom: Newsroom) -> None:
    tab.open(f"{newsroom.url}{FILM_ARTICLE}")
    read_on(tab, newsroom)

    assert foreign_requests(tab) == []
    assert newsroom.sightings == []
    assert newsroom.trackers.connections == 0
    assert cookie_names(tab) == set()
    assert tab.is_visible(_BANNER)


def test_nothing_of_a_third_party_after_rejecting(tab: Tab, newsroom: Newsroom) -> None:
    tab.open(f"{newsroom.url}{FILM_ARTICLE}")
    press(tab, "reject_all")
    read_on(tab, newsroom)

    assert foreign_requests(tab) == []
    assert newsroom.trackers.connections == 0
    assert cookie_names(tab) == {f"{HOST}:consent"}
    assert tab.count(_BANNER) == 0


def test_everything_arrives_after_accepting(tab: Tab, newsroom: Newsroom) -> None:
    tab.open(f"{newsroom.url}{FILM_ARTICLE}")
    press(tab, "accept_all")
    read_on(tab, newsroom)

    assert newsroom.hosts_reached == set(TRACKERS)
    assert f"{HOST}:hp_offers" in cookie_names(tab)


def test_nothing_of_a_third_party_after_withdrawing(tab: Tab, newsroom: Newsroom) -> None:
    tab.open(f"{newsroom.url}{FILM_ARTICLE}")
    press(tab, "accept_all")
    press(tab, "settings")
    tab.forget_requests()
    newsroom.forget()

    press(tab, "withdraw")
    read_on(tab, newsroom)

    assert foreign_requests(tab) == []
    assert newsroom.sightings == []
    assert {name for name in cookie_names(tab) if name.startswith(HOST)} == {f"{HOST}:consent"}
    assert tab.count(_BANNER) == 0


def test_back_button_shows_no_tracker_after_withdrawing(tab: Tab, newsroom: Newsroom) -> None:
    tab.open(f"{newsroom.url}{FILM_ARTICLE}")
    press(tab, "accept_all")
    press(tab, "settings")
    press(tab, "withdraw")
    newsroom.forget()

    tab.back()
    tab.back()

    assert tab.url == f"{newsroom.url}{FILM_ARTICLE}"
    assert tab.count("iframe") == 0
    assert newsroom.sightings == []


def test_embed_loads_once_or_always(tab: Tab, newsroom: Newsroom) -> None:
    tab.open(f"{newsroom.url}{FILM_ARTICLE}")
    press(tab, "once")
    assert newsroom.sightings == ["video.localhost/embed/first-crossing"]
    assert f"{HOST}:consent" not in cookie_names(tab)

    tab.open(f"{newsroom.url}{FILM_ARTICLE}")
    assert tab.count("iframe") == 0
    press(tab, "allow")

    assert tab.count("iframe") == 1
    assert newsroom.hosts_reached == {"video.localhost"}
    assert tab.is_visible(_BANNER)


def test_preferences_save_what_is_shown(tab: Tab, plain_url: str) -> None:
    tab.open(f"{plain_url}/privacy-choices/")
    assert tab.is_visible("#pvc-grant-matomo")
    tab.click("#pvc-grant-analytics")
    assert not tab.is_visible("#pvc-grant-matomo")
    tab.click("#pvc-grant-youtube")

    press(tab, "save")

    checked = "() => [...document.querySelectorAll('.pvc-switch:checked')].map((each) => each.value)"
    assert tab.evaluate(checked) == ["analytics", "youtube"]
    assert tab.is_visible("[role=status]")


def test_tab_meets_the_banner_first_and_leaves_it(tab: Tab, plain_url: str) -> None:
    tab.open(f"{plain_url}/links")
    met = []
    for _ in range(5):
        tab.press("Tab")
        met.append(focused(tab))

    assert met == ["Accept all", "Reject all", "Choose by purpose", "Cookie list", "Story 1"]


def test_keyboard_alone_rejects(tab: Tab, plain_url: str) -> None:
    tab.open(f"{plain_url}/links")
    tab.press("Tab", "Tab")

    tab.press_through("Enter")

    assert tab.count(_BANNER) == 0


def test_tampered_cookie_asks_again(tab: Tab, newsroom: Newsroom) -> None:
    tab.open(f"{newsroom.url}{FILM_ARTICLE}")
    press(tab, "accept_all")
    tab.replace_cookie("consent", host=HOST, value="AAAA.BBBB")
    newsroom.forget()

    tab.open(f"{newsroom.url}{FILM_ARTICLE}")

    assert tab.is_visible(_BANNER)
    assert newsroom.sightings == []


def test_accept_and_reject_are_equally_large_and_in_view(fox: Firefox, plain_url: str) -> None:
    with fox.visitor(viewport=(360, 640)) as tab:
        tab.open(f"{plain_url}/links")
        boxes = tab.evaluate("""() => ["accept_all", "reject_all"].map((action) => {
            const box = document.querySelector(`[data-consent-action=${action}]`).getBoundingClientRect();
            return [box.width, box.height, box.bottom];
        })""")

    assert boxes[0] == pytest.approx(boxes[1], abs=0.5)
    assert boxes[0][2] <= 640


def test_preconnect_would_be_seen(tab: Tab, newsroom: Newsroom, plain_url: str) -> None:
    """Prove that the count of connections notices what no request shows."""
    tab.open(f"{plain_url}/preconnect?origin=http://stats.localhost:{newsroom.trackers.port}")

    wait_until(lambda: newsroom.trackers.connections > 0)

    assert newsroom.sightings == []
