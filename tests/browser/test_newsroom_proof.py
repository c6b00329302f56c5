"""What the newsroom's ledger keeps is what its readers saw, chose and can show; and without a ledger nothing is granted."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from flask.cli import ScriptInfo
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from consent.cli import group
from consent.core.ledger import StoredEvent
from tests.browser import chromium
from tests.browser.choosing import ALERT, BANNER, accept_and_load, button_of, press, press_native
from tests.browser.firefox import Firefox
from tests.browser.newsroom import FILM_ARTICLE, Newsroom
from tests.command_runner import make_runner
from tests.faulty_ledger import FaultyLedger

PREFERENCES: Final = "[data-consent-ui=preferences]"
DIALOG: Final = "dialog[open] [data-consent-ui=preferences]"
FILM: Final = "[data-consent-embed=harbour-video]"
EDITIONS: Final = {"en": "", "ar": "/ar"}
ReadKept = Callable[..., list[str]]
RECEIPT: Final = "/privacy-choices/receipt"

# The visible words, and those that only screen readers say.
READ: Final = """(element) => [
  element.innerText,
  ...Array.from(element.querySelectorAll("[aria-label], [title]"), (each) => each.ariaLabel ?? each.title),
]"""
# Puts the kept markup in the place of what is shown, where the same stylesheet holds. What it brings does not run.
PUT: Final = """(element, [markup, selector]) => {
  const kept = new DOMParser().parseFromString(markup, "text/html").querySelector(selector);
  element.replaceWith(document.adoptNode(kept));
}"""


@pytest.fixture(params=[False, True], ids=["no-js", "js"])
def visitor(request: pytest.FixtureRequest, browser: Browser) -> Iterator[BrowserContext]:
    """A new visitor, without and with JavaScript."""
    with chromium.visitor(browser, javascript=request.param) as new:
        yield new


@pytest.fixture
def read_kept(browser: Browser) -> ReadKept:
    """Return a function that gives the words of kept markup, as somebody else's page shows it in its place."""

    def read(address: str, markup: str, *, shown: str, kept: str = "", opens: str = "") -> list[str]:
        with chromium.visitor(browser, javascript=bool(opens)) as somebody:
            page = somebody.new_page()
            page.goto(address)
            if opens:
                press(page, opens)
            page.locator(shown).evaluate(PUT, [markup, kept or shown])
            return words_of(page.locator(shown))

    return read


def words_of(element: Locator) -> list[str]:
    words: list[str] = element.evaluate(READ)
    return words


def lines_of(words: list[str]) -> list[str]:
    return [line for each in words for line in each.splitlines() if line]


def rows_after(newsroom: Newsroom, count: int) -> tuple[StoredEvent, ...]:
    """What the ledger keeps beyond its first rows."""
    return newsroom.ledger.scan()[count:]


def only_record(newsroom: Newsroom, count: int) -> tuple[dict[str, Any], str]:
    """Return the one record beyond the first ones, and the markup that it points to."""
    (row,) = rows_after(newsroom, count)
    assert row.event is not None
    record: dict[str, Any] = json.loads(row.event.payload)
    kept = newsroom.ledger.notices.read(record["notice"]["ui_sha256"])
    assert kept is not None
    assert kept.sha256 == record["notice"]["ui_sha256"]
    return record, kept.body


def said_of(record: dict[str, Any]) -> list[object]:
    """What a record says of the notice: where it was, in which language, and whether it is what was shown."""
    return [record["source"], record["notice"]["layer"], record["language"], record["notice"]["is_as_shown"]]


@pytest.mark.parametrize(
    ("is_scripting", "language", "action"),
    [(False, "en", "accept_all"), (False, "ar", "reject_all"), (True, "ar", "accept_all"), (True, "en", "reject_all")],
)
def test_record_holds_the_very_words_of_the_banner(
    browser: Browser, newsroom: Newsroom, read_kept: ReadKept, *, is_scripting: bool, language: str, action: str
) -> None:
    count, url = len(newsroom.ledger.scan()), f"{newsroom.url}{EDITIONS[language]}/"
    with chromium.visitor(browser, javascript=is_scripting) as visitor:
        page = visitor.new_page()
        page.goto(url)
        words = words_of(page.locator(BANNER))
        press(page, action)
    record, markup = only_record(newsroom, count)

    assert said_of(record) == ["banner", 1, language, True]
    assert record["action"] == action
    assert read_kept(url, markup, shown=BANNER) == words
    assert len(words[0]) > 500


@pytest.mark.parametrize("language", EDITIONS)
def test_record_holds_the_very_words_of_the_preferences_page(
    page: Page, newsroom: Newsroom, read_kept: ReadKept, language: str
) -> None:
    count = len(newsroom.ledger.scan())
    page.goto(f"{newsroom.url}{EDITIONS[language]}/")
    press_native(page, "settings")
    url, words = page.url, words_of(page.locator(PREFERENCES))
    page.check("#pvc-grant-analytics")
    press_native(page, "save")
    record, markup = only_record(newsroom, count)

    assert said_of(record) == ["preferences", 2, language, True]
    assert read_kept(url, markup, shown=PREFERENCES) == words


@pytest.mark.parametrize("language", EDITIONS)
def test_record_holds_the_very_words_of_the_dialog(
    tab: Page, newsroom: Newsroom, read_kept: ReadKept, language: str
) -> None:
    count, url = len(newsroom.ledger.scan()), f"{newsroom.url}{EDITIONS[language]}/"
    tab.goto(url)
    press(tab, "settings")
    words, close = words_of(tab.locator(DIALOG)), tab.locator(f"{DIALOG} .pvc-close").inner_text()
    press(tab, "save")
    record, markup = only_record(newsroom, count)

    assert said_of(record) == ["preferences", 2, language, True]
    # The dialog is made of the kept page: it puts the buttons last, and shows one more, which closes it.
    kept = read_kept(url, markup, shown=DIALOG, kept=PREFERENCES, opens="settings")
    assert sorted([*lines_of(kept), close]) == sorted(lines_of(words))


@pytest.mark.parametrize("language", EDITIONS)
def test_record_holds_the_very_words_of_a_placeholder(
    page: Page, newsroom: Newsroom, read_kept: ReadKept, language: str
) -> None:
    count, url = len(newsroom.ledger.scan()), f"{newsroom.url}{EDITIONS[language]}{FILM_ARTICLE}"
    page.goto(url)
    words = words_of(page.locator(FILM))
    title = page.locator(f"{FILM} .pvc-embed__title").inner_text()
    press(page, "allow")
    record, markup = only_record(newsroom, count)

    assert said_of(record) == ["embed", 0, language, True]
    # A notice is one for all films: the title of this one is blank in it.
    nameless = [each.replace(title, "Harbour Video") for each in words]
    assert read_kept(url, markup, shown=FILM) == nameless != words


def test_record_holds_the_very_words_that_firefox_shows(fox: Firefox, newsroom: Newsroom) -> None:
    count = len(newsroom.ledger.scan())
    with fox.visitor() as tab:
        tab.open(f"{newsroom.url}/ar/")
        words = tab.text(BANNER)
        tab.click_through('[data-consent-action="accept_all"]')
    record, markup = only_record(newsroom, count)
    with fox.visitor() as tab:
        tab.open(f"{newsroom.url}/ar/")
        tab.evaluate(
            f"(selector, markup) => ({PUT})(document.querySelector(selector), [markup, selector])", BANNER, markup
        )

        assert tab.text(BANNER) == words
    assert said_of(record) == ["banner", 1, "ar", True]


def test_withdrawing_appends_and_changes_nothing_of_before(tab: Page, newsroom: Newsroom) -> None:
    count = len(newsroom.ledger.scan())
    tab.goto(f"{newsroom.url}/")
    press(tab, "accept_all")
    before = newsroom.ledger.scan()
    tab.goto(f"{newsroom.url}/privacy-choices/")
    press(tab, "withdraw")

    assert newsroom.ledger.scan()[:-1] == before
    first, second = (json.loads(row.event.payload) for row in rows_after(newsroom, count) if row.event)
    assert (first["event"], second["event"]) == ("choice", "withdrawal")
    assert (second["previous"], second["subject_id"], second["revision"]) == (
        first["record_id"],
        first["subject_id"],
        2,
    )


def test_receipt_shows_what_was_chosen_and_is_genuine(page: Page, newsroom: Newsroom, tmp_path: Path) -> None:
    page.goto(f"{newsroom.url}/ar/")
    press_native(page, "settings")
    page.check("#pvc-grant-analytics")
    press_native(page, "save")
    page.locator(f"a[href^='{RECEIPT}']").click()

    expect(page.locator("html")).to_have_attribute("lang", "ar")
    states = page.locator(".pvc-receipt__choices > li > .pvc-verdict > [data-pvc-state]")
    assert [each.get_attribute("data-pvc-state") for each in states.all()] == ["refused", "granted", "refused"]
    with page.expect_download() as begun:
        page.locator("a[href*='format=json']").click()
    begun.value.save_as(tmp_path / "receipt.json")
    site = ScriptInfo(create_app=lambda: newsroom.app)
    result = make_runner().invoke(group, ["receipt", "verify", str(tmp_path / "receipt.json")], obj=site)
    assert (result.exit_code, result.stderr) == (0, "")


@pytest.fixture(scope="module")
def unsteady() -> Iterator[tuple[Newsroom, FaultyLedger]]:
    """A newsroom whose ledger can be away."""
    ledger = FaultyLedger()
    with Newsroom.open(ledger=ledger) as running:
        yield running, ledger


@pytest.fixture
def bereft(unsteady: tuple[Newsroom, FaultyLedger]) -> Iterator[Newsroom]:
    """That newsroom, whose ledger is away, and whose trackers have seen nobody yet."""
    running, ledger = unsteady
    running.forget()
    ledger.is_away = True
    yield running
    ledger.is_away = False


@pytest.mark.parametrize(
    ("language", "title"), [("en", "Your choice could not be recorded"), ("ar", "تعذّر تسجيل اختيارك")]
)
def test_without_ledger_the_visitor_reads_that_nothing_was_granted(
    page: Page, bereft: Newsroom, language: str, title: str
) -> None:
    page.goto(f"{bereft.url}{EDITIONS[language]}{FILM_ARTICLE}")
    with page.expect_response(lambda answer: answer.request.method == "POST") as answered:
        press_native(page, "accept_all")

    assert (answered.value.status, answered.value.header_value("retry-after")) == (503, "30")
    expect(page.locator("main h1")).to_have_text(title)
    expect(page.locator("html")).to_have_attribute("lang", language)
    page.goto(f"{bereft.url}{EDITIONS[language]}{FILM_ARTICLE}")
    expect(page.locator(BANNER)).to_be_visible()
    assert (bereft.sightings, page.context.cookies()) == ([], [])


def test_without_ledger_the_visitor_is_told_in_place(tab: Page, errors: list[str], bereft: Newsroom) -> None:
    tab.goto(f"{bereft.url}{FILM_ARTICLE}")
    button_of(tab, "accept_all").click()

    expect(tab.locator(ALERT)).to_have_text("Your choice could not be saved. Nothing was changed. Please try again.")
    expect(tab.locator(BANNER)).to_be_visible()
    assert (bereft.sightings, tab.context.cookies(), errors) == ([], [], [])


def test_without_ledger_refusing_takes_effect(visitor: BrowserContext, bereft: Newsroom) -> None:
    before, page = bereft.ledger.scan(), visitor.new_page()
    page.goto(f"{bereft.url}{FILM_ARTICLE}")
    press(page, "reject_all")
    page.goto(f"{bereft.url}{FILM_ARTICLE}")

    expect(page.locator(BANNER)).to_have_count(0)
    expect(page.locator("article h1")).to_be_visible()
    assert (bereft.sightings, bereft.ledger.scan()) == ([], before)


def test_trackers_start_once_the_ledger_is_back(
    tab: Page, bereft: Newsroom, unsteady: tuple[Newsroom, FaultyLedger]
) -> None:
    count = len(bereft.ledger.scan())
    tab.goto(f"{bereft.url}{FILM_ARTICLE}")
    button_of(tab, "accept_all").click()
    tab.locator(ALERT).wait_for()
    assert bereft.sightings == []
    unsteady[1].is_away = False

    accept_and_load(tab, bereft)

    assert [record["action"] for record in unsteady[1].records[count:]] == ["accept_all"]
