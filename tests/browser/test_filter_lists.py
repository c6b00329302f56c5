"""Cookie filter lists: nothing of ours has a name that they know; where a filter hides or blocks us all the same, the page
is usable and everything stays shut.

The filters run in a content blocker of their own: an extension with a user stylesheet and network rules.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest
from playwright.sync_api import BrowserContext, Page, Playwright, expect

from tests.browser import chromium
from tests.browser.newsroom import FILM_ARTICLE, MAP_ARTICLE, OTHER_ARTICLE, Newsroom, is_foreign
from tests.browser.plain_site import make_plain_site

RULES: Final = json.loads((Path(__file__).parent / "filter_rules.json").read_text(encoding="utf-8"))

_ASSETS: Final = "/privacy-choices/assets/"
_BANNER: Final = "[data-consent-ui=banner]"
_PREFERENCES: Final = "[data-consent-ui=preferences]"

_PAGES: Final = {
    "banner": "/links",
    "placeholder": "/embed",
    "cookie table": "/cookies",
    "preferences": "/privacy-choices/",
    "declaration": "/privacy-choices/policy",
    "refusal of a page": "/members",
}

_OTHER_NAMES: Final = """() => [...document.querySelectorAll("[class], [id]")]
  .flatMap((element) => [...element.classList, element.id])
  .filter((name) => name && !name.startsWith("pvc-"))"""

# What of the library lies on top of the page, seen at a hundred places of the window.
_COVERING: Final = """() => {
  const steps = [...Array(10).keys()].map((n) => (n + 0.5) / 10);
  return steps.flatMap((x) => steps.map((y) => document.elementFromPoint(x * innerWidth, y * innerHeight)))
    .filter((element) => element?.closest("[data-consent-ui], dialog")).length;
}"""


@dataclass(frozen=True)
class Filters:
    """What a visitor's content blocker does to pages."""

    hides: tuple[str, ...] = ()
    blocks: tuple[str, ...] = ()

    def write(self, folder: Path) -> None:
        """Write them as an extension that Chromium can load."""
        conditions = [{"urlFilter": word} for word in self.blocks]
        rules = [
            {"id": number, "action": {"type": "block"}, "condition": condition}
            for number, condition in enumerate(conditions, start=1)
        ]
        manifest = {
            "manifest_version": 3,
            "name": "Content blocker",
            "version": "1",
            "permissions": ["declarativeNetRequest"],
            "declarative_net_request": {"rule_resources": [{"id": "rules", "enabled": True, "path": "rules.json"}]},
            "content_scripts": [
                {"matches": ["<all_urls>"], "css": ["hidden.css"], "css_origin": "user", "run_at": "document_start"}
            ],
        }
        (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        (folder / "rules.json").write_text(json.dumps(rules), encoding="utf-8")
        (folder / "hidden.css").write_text(
            f":is({', '.join(self.hides) or 'none'}) {{ display: none !important }}", encoding="utf-8"
        )


HIDDEN: Final = Filters(hides=(_BANNER,))
BLOCKED: Final = Filters(blocks=(_ASSETS,))


@contextmanager
def blocking_visitor(playwright: Playwright, filters: Filters, *, javascript: bool) -> Iterator[BrowserContext]:
    """Run Chromium for one visitor whose content blocker has these filters."""
    with TemporaryDirectory(prefix="blocker-") as folder, TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        filters.write(Path(folder))
        visitor = playwright.chromium.launch_persistent_context(
            profile,
            executable_path=chromium.EXECUTABLE,
            args=[*chromium._ARGUMENTS, f"--disable-extensions-except={folder}", f"--load-extension={folder}"],
            ignore_default_args=["--disable-extensions"],
            java_script_enabled=javascript,
            # The newsroom scrolls smoothly, and each press and each look at its end would wait for that.
            reduced_motion="reduce",
        )
        try:
            yield visitor
        finally:
            visitor.close()


@pytest.fixture(scope="module")
def visitors(playwright: Playwright) -> Iterator[Mapping[tuple[Filters, bool], BrowserContext]]:
    """Filters, and whether scripts run, to a visitor with both; launched once for the tests of this file."""
    with ExitStack() as stack:
        yield {
            (filters, javascript): stack.enter_context(blocking_visitor(playwright, filters, javascript=javascript))
            for filters in (HIDDEN, BLOCKED)
            for javascript in (False, True)
        }


@pytest.fixture(
    params=[(HIDDEN, False), (HIDDEN, True), (BLOCKED, False), (BLOCKED, True)],
    ids=["hidden-no-js", "hidden-js", "blocked-no-js", "blocked-js"],
)
def reader(
    request: pytest.FixtureRequest, visitors: Mapping[tuple[Filters, bool], BrowserContext]
) -> Iterator[BrowserContext]:
    """A visitor with a content blocker that is after us, who has chosen nothing yet."""
    visitor = visitors[request.param]
    yield visitor
    visitor.clear_cookies()
    for page in visitor.pages:
        page.close()


@pytest.fixture
def errors(reader: BrowserContext) -> list[str]:
    """Collect what scripts of that visitor's pages throw and nobody catches."""
    found: list[str] = []
    reader.on("weberror", lambda error: found.append(str(error.error)))
    return found


def is_blocked(url: str) -> bool:
    """Whether one of the list's words is in an address."""
    return any(word in url.casefold() for word in RULES["blocked"])


@pytest.mark.parametrize("path", _PAGES.values(), ids=_PAGES)
def test_page_has_no_name_that_filter_lists_know(page: Page, plain_url: str, path: str) -> None:
    sent = chromium.record_requests(page.context)
    page.goto(f"{plain_url}{path}")

    assert page.locator(", ".join(RULES["hidden"])).count() == 0
    assert [url for url in sent if is_blocked(url)] == []
    # Nor will it have one tomorrow: the prefix is nobody else's.
    assert page.evaluate(_OTHER_NAMES) == []


def test_address_has_no_word_that_filter_lists_know() -> None:
    app = make_plain_site("en")
    routes = [rule.rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("consent.")]
    assets = [f"{_ASSETS}{name}" for name in app.extensions["consent"].assets_by_file_name]

    assert routes
    assert assets
    assert [address for address in (*routes, *assets) if is_blocked(address)] == []


def test_filters_take_effect(playwright: Playwright, newsroom: Newsroom) -> None:
    """Prove that the tests beside this one could fail, and that the filters of the lists spare us."""
    filters = Filters(hides=tuple(RULES["hidden"]), blocks=tuple(RULES["blocked"]))
    with blocking_visitor(playwright, filters, javascript=True) as reader:
        failed: list[str] = []
        reader.on("requestfailed", lambda request: failed.append(request.url))
        page = reader.new_page()
        page.goto(f"{newsroom.url}/")

        expect(page.locator(_BANNER)).to_be_visible()
        assert page.locator(_BANNER).evaluate("(banner) => getComputedStyle(banner).position") == "fixed"
        assert failed == []

        page.locator(_BANNER).evaluate("(banner) => banner.classList.add('privacy-banner')")
        expect(page.locator(_BANNER)).to_be_hidden()
        page.evaluate("fetch('/static/cookie-banner/site.css').catch(() => 0)")
        assert failed == [f"{newsroom.url}/static/cookie-banner/site.css"]


def test_page_scrolls_to_its_end_with_nothing_over_it(
    reader: BrowserContext, newsroom: Newsroom, errors: list[str]
) -> None:
    page = reader.new_page()
    page.goto(f"{newsroom.url}{FILM_ARTICLE}")

    page.mouse.move(400, 300)
    page.mouse.wheel(0, 20_000)

    expect(page.locator("footer [data-consent-action=settings]")).to_be_in_viewport()
    assert page.evaluate(_COVERING) == 0
    assert errors == []


def test_links_and_forms_of_the_page_work(reader: BrowserContext, newsroom: Newsroom, errors: list[str]) -> None:
    page = reader.new_page()
    page.goto(f"{newsroom.url}/")

    page.locator(f"main a[href='{MAP_ARTICLE}']").first.click()
    expect(page).to_have_url(f"{newsroom.url}{MAP_ARTICLE}")
    page.locator("input[name=q]").fill("ferry")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{newsroom.url}/search?q=ferry")
    page.locator("input[name=email]").fill("ada@example.com")
    page.locator("form.letter button").click()
    expect(page).to_have_url(f"{newsroom.url}/newsletter/thanks")
    assert errors == []


def test_keyboard_goes_through_the_whole_page(reader: BrowserContext, newsroom: Newsroom) -> None:
    page = reader.new_page()
    page.goto(f"{newsroom.url}{OTHER_ARTICLE}")
    stops = page.locator(":is(a[href], button, input:not([type=hidden])):visible").count()

    for _ in range(stops):
        page.keyboard.press("Tab")
        if page.locator("footer button:focus").count():
            break

    # The page's last button: what comes before it was passed.
    expect(page.locator("footer button")).to_be_focused()


def test_nothing_opens(reader: BrowserContext, newsroom: Newsroom, errors: list[str]) -> None:
    sent = chromium.record_requests(reader)
    page = reader.new_page()

    for path in (FILM_ARTICLE, MAP_ARTICLE, OTHER_ARTICLE):
        page.goto(f"{newsroom.url}{path}")
        page.locator("footer").last.scroll_into_view_if_needed()
    page.wait_for_load_state("networkidle")

    assert [url for url in sent if is_foreign(url)] == []
    assert newsroom.sightings == []
    assert newsroom.trackers.connections == 0
    assert reader.cookies() == []
    assert errors == []


def test_settings_link_leads_to_the_complete_preferences(
    reader: BrowserContext, newsroom: Newsroom, errors: list[str]
) -> None:
    page = reader.new_page()
    page.goto(f"{newsroom.url}{FILM_ARTICLE}")

    page.locator("footer [data-consent-action=settings]").click()

    expect_preferences_to_work(page, newsroom)
    assert errors == []


@pytest.mark.parametrize("word", [".css", "consent.", "preferences.*.js"])
def test_settings_link_works_when_a_part_is_blocked(playwright: Playwright, newsroom: Newsroom, word: str) -> None:
    with blocking_visitor(playwright, Filters(blocks=(f"{_ASSETS}*{word}",)), javascript=True) as reader:
        errors: list[str] = []
        reader.on("weberror", lambda error: errors.append(str(error.error)))
        page = reader.new_page()
        page.goto(f"{newsroom.url}{FILM_ARTICLE}")

        page.locator("footer [data-consent-action=settings]").click()

        expect_preferences_to_work(page, newsroom)
        assert errors == []


def test_withdrawal_reaches_another_tab_when_a_part_is_blocked(playwright: Playwright, plain_url: str) -> None:
    """The part would clear the storage that a service declared; what matters more is that the page becomes clean."""
    filters = Filters(blocks=(f"{_ASSETS}preferences.*.js",))
    with blocking_visitor(playwright, filters, javascript=True) as reader:
        page = reader.new_page()
        page.goto(f"{plain_url}/embed")
        page.locator(f"{_BANNER} [data-consent-action=accept_all]").click()
        expect(page.locator("iframe")).to_have_count(1)
        other = reader.new_page()
        other.goto(f"{plain_url}/privacy-choices/")

        other.locator("[data-consent-action=withdraw]").click()

        expect(page.locator("[data-consent-embed]")).to_be_visible()
        expect(page.locator("iframe")).to_have_count(0)


@pytest.mark.parametrize("reader", [(BLOCKED, True)], ids=["blocked-js"], indirect=True)
def test_banner_without_its_assets_refuses(reader: BrowserContext, newsroom: Newsroom) -> None:
    page = reader.new_page()
    page.goto(f"{newsroom.url}{FILM_ARTICLE}")

    page.locator(f"{_BANNER} [data-consent-action=reject_all]").click()

    expect(page.locator(_BANNER)).to_have_count(0)
    assert newsroom.sightings == []


def expect_preferences_to_work(page: Page, newsroom: Newsroom) -> None:
    """They offer every purpose and service, and a refusal made there counts."""
    policy = newsroom.app.extensions["consent"].engine.policy
    panel = page.locator(_PREFERENCES)
    expect(panel).to_be_visible()
    offered = panel.locator("input[name=granted]").evaluate_all("(switches) => switches.map(({ value }) => value)")
    asked = [service.key for service in policy.services if policy.optional_purposes_of(service)]
    assert set(offered) == {*asked, *(purpose.key for purpose in policy.optional_purposes)}

    panel.locator("[data-consent-action=reject_all]").click()
    expect(page.locator(f"{_BANNER}, dialog")).to_have_count(0)

    page.goto(f"{newsroom.url}{FILM_ARTICLE}")
    expect(page.locator(_BANNER)).to_have_count(0)
    assert newsroom.sightings == []
