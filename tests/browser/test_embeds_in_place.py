"""With JavaScript an embed opens where it stands: once or always, in its size, and focus goes on in the frame."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest
from flask import Flask, render_template
from jinja2 import DictLoader
from playwright.sync_api import Browser, BrowserContext, Page, expect

from consent import Consent, Embed, Service
from tests.browser import chromium, firefox, layout_shift
from tests.browser.choosing import BANNER, choose, record_errors
from tests.browser.newsroom import FILM_ARTICLE, HOST, Newsroom, is_foreign
from tests.browser.serving import serve, wait_until

_PAGE: Final = """{% from "consent/macros.html" import embed, settings_link %}<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Films</title><link rel="icon" href="data:,"></head>
<body><main><h1>Films</h1>
<p><a id="before" href="#before">Before</a></p>
<div>{{ embed("film", "one", title="Film one") }}</div>
<p><a id="between" href="#between">Between</a></p>
<div>{{ embed("film", "two", title="Film two", width=480, height=360) }}</div>
<div>{{ embed("talk", "three", title="Talk") }}</div>
<p><a id="after" href="#after">After</a></p>
</main><footer>{{ settings_link() }}</footer></body></html>
"""
_FILM: Final = "[data-consent-embed=film]"
# Places of what is around the embeds, counted from the page's beginning: scrolling does not count.
_AROUND: Final = """() => [...document.querySelectorAll("h1, a[id], footer")].map((each) => {
  const box = each.getBoundingClientRect();
  return [box.x + scrollX, box.y + scrollY, box.width, box.height];
})"""
_STATE: Final = "() => fetch('/privacy-choices/state').then((answer) => answer.json())"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Address of a page with two films and a talk."""
    app = Flask(__name__, static_folder=None)
    app.config.update(SECRET_KEY="a key that is long enough for every check", CONSENT_CONTROLLER="Films Ltd")
    app.jinja_loader = DictLoader({"page.html": _PAGE})
    Consent(app, services=[_make_service("film", "Film"), _make_service("talk", "Talk")])

    @app.get("/")
    def show() -> str:
        return render_template("page.html")

    @app.get("/frame/<name>")
    def frame(name: str) -> str:
        return f"<!doctype html><title>{name}</title><p>{name}</p><button>Play</button>"

    with serve(app) as server:
        yield f"http://films.localhost:{server.port}/"


def _make_service(key: str, name: str) -> Service:
    return Service(
        key,
        name=name,
        purposes=("marketing",),
        hosts=("films.localhost",),
        provider=f"{name} Ltd",
        provider_country="IE",
        embed=Embed(url="/frame/{id}", source_url="https://films.example/{id}", id_pattern="[a-z]+", id_example="one"),
    )


@pytest.fixture
def reader(browser: Browser) -> Iterator[BrowserContext]:
    """A new visitor with JavaScript on, whose pages note what shifts."""
    with chromium.visitor(browser, javascript=True) as visitor:
        visitor.add_init_script(layout_shift.NOTE_SHIFTS)
        yield visitor


@pytest.fixture
def page(reader: BrowserContext, url: str) -> Page:
    opened = reader.new_page()
    opened.goto(url)
    return opened


def press(page: Page, action: str, *, number: int = 0) -> None:
    """Press the button of a placeholder, and wait for its frame."""
    placeholder = page.locator("[data-consent-embed]").nth(number)
    title = (placeholder.get_attribute("aria-label") or "").removeprefix("Embedded content: ")
    placeholder.locator(f"[data-consent-action={action}]").click()
    expect(page.locator(f"iframe[title='{title}']")).to_have_count(1)


def frames_of(page: Page) -> list[str]:
    titles: list[str] = page.locator("iframe").evaluate_all("(frames) => frames.map((each) => each.title)")
    return titles


# -- once


def test_once_opens_one_embed_and_stores_nothing(page: Page) -> None:
    posts: list[str] = []
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)

    press(page, "once")

    assert frames_of(page) == ["Film one"]
    expect(page.locator("[data-consent-embed]")).to_have_count(2)
    expect(page.locator(BANNER)).to_be_visible()
    state = page.evaluate(_STATE)
    assert (state["decided_at"], state["services"]["film"], state["needs_prompt"]) == (None, "denied", True)
    assert (posts, page.context.cookies()) == ([], [])


def test_once_ends_with_the_page(page: Page) -> None:
    press(page, "once")

    page.reload()

    assert frames_of(page) == []
    expect(page.locator("[data-consent-embed]")).to_have_count(3)


def test_once_works_for_one_after_another(page: Page) -> None:
    for number, title in ((1, "Film two"), (1, "Talk"), (0, "Film one")):
        press(page, "once", number=number)
        expect(page.locator(f"iframe[title='{title}']")).to_be_focused()

    assert frames_of(page) == ["Film one", "Film two", "Talk"]
    assert page.context.cookies() == []


# -- always


def test_always_opens_every_embed_of_the_service_and_no_other(page: Page) -> None:
    press(page, "allow")

    assert frames_of(page) == ["Film one", "Film two"]
    assert page.locator("[data-consent-embed]").evaluate_all("all => all.map(each => each.dataset.consentEmbed)") == [
        "talk"
    ]
    state = page.evaluate(_STATE)
    assert (state["services"], state["choices"]["marketing"]) == ({"film": "granted", "talk": "denied"}, "denied")


def test_banner_stays_where_nothing_was_decided_before(page: Page) -> None:
    press(page, "allow")

    expect(page.locator(BANNER)).to_be_visible()
    page.reload()
    expect(page.locator(BANNER)).to_be_visible()
    assert frames_of(page) == ["Film one", "Film two"]


def test_always_after_refusing_keeps_the_refusal_of_the_rest(page: Page) -> None:
    choose(page, "reject_all")

    press(page, "allow")

    state = page.evaluate(_STATE)
    assert {key for key, choice in {**state["choices"], **state["services"]}.items() if choice == "granted"} == {
        "necessary",
        "film",
    }
    expect(page.locator(BANNER)).to_have_count(0)


# -- focus, order, size


@pytest.mark.parametrize("action", ["once", "allow"])
def test_focus_goes_on_in_the_frame(page: Page, action: str) -> None:
    placeholder = page.locator(_FILM).first
    placeholder.locator(f"[data-consent-action={action}]").focus()

    page.keyboard.press("Enter")

    frame = page.locator("iframe[title='Film one']")
    expect(frame).to_be_focused()
    play = page.frame_locator("iframe[title='Film one']").get_by_role("button", name="Play")
    expect(play).to_be_visible()
    page.keyboard.press("Tab")
    expect(play).to_be_focused()


def test_always_of_another_embed_leaves_the_focus_where_it_is(page: Page) -> None:
    press(page, "allow", number=1)

    expect(page.locator("iframe[title='Film two']")).to_be_focused()
    assert frames_of(page) == ["Film one", "Film two"]


def test_tab_meets_once_then_always_then_the_source(page: Page) -> None:
    page.locator("#before").focus()
    met = []
    for _ in range(4):
        page.keyboard.press("Tab")
        met.append(page.evaluate("() => document.activeElement.textContent.trim()"))

    assert met == ["Load this once", "Always allow Film", "Open it at Film", "Between"]


def test_placeholder_says_what_loading_means(page: Page) -> None:
    group = page.get_by_role("group", name="Embedded content: Film one")

    expect(group).to_contain_text("Loading this content gives Film Ltd your IP address")
    assert [each.inner_text() for each in group.get_by_role("button").all()] == ["Load this once", "Always allow Film"]
    assert group.get_by_role("link").get_attribute("href") == "https://films.example/one"


@pytest.mark.parametrize("action", ["once", "allow"])
@pytest.mark.parametrize("number", [0, 1], ids=["usual-size", "own-size"])
def test_nothing_shifts(page: Page, action: str, number: int) -> None:
    held = page.locator(_FILM).nth(number)
    around, size = page.evaluate(_AROUND), _size(held.bounding_box())
    layout_shift.begin(page)
    title = ["Film one", "Film two"][number]

    press(page, action, number=number)

    assert _size(page.locator(f"iframe[title='{title}']").bounding_box()) == size
    assert page.evaluate(_AROUND) == around
    assert layout_shift.shifts_of(page) == []


@pytest.mark.parametrize("edition", ["", "/ar"])
def test_nothing_shifts_in_a_site_with_styles_for_frames(
    reader: BrowserContext, newsroom: Newsroom, edition: str
) -> None:
    page = reader.new_page()
    page.goto(f"{newsroom.url}{edition}{FILM_ARTICLE}")
    page.evaluate("() => document.fonts.ready")
    around, size = page.evaluate(_AROUND), _size(page.locator("[data-consent-embed]").bounding_box())
    layout_shift.begin(page)

    choose(page, "once")

    assert _size(page.locator("iframe[src*='video.localhost']").bounding_box()) == size
    assert page.evaluate(_AROUND) == around
    assert layout_shift.shifts_of(page) == []


def _size(box: Any) -> tuple[float, float]:
    return box["width"], box["height"]


# -- the third party


def test_placeholder_takes_nothing_from_the_third_party(reader: BrowserContext, newsroom: Newsroom) -> None:
    sent = chromium.record_requests(reader)
    page = reader.new_page()
    page.goto(f"{newsroom.url}{FILM_ARTICLE}")
    page.locator("[data-consent-embed]").scroll_into_view_if_needed()
    page.wait_for_load_state("networkidle")

    assert [url for url in sent if is_foreign(url)] == []
    assert newsroom.trackers.connections == 0


def test_once_brings_that_frame_and_no_other_tracker(reader: BrowserContext, newsroom: Newsroom) -> None:
    errors = record_errors(reader)
    page = reader.new_page()
    page.goto(f"{newsroom.url}{FILM_ARTICLE}")

    choose(page, "once")

    wait_until(lambda: "video.localhost/embed/first-crossing" in newsroom.sightings)
    page.wait_for_load_state("networkidle")
    assert newsroom.hosts_reached == {"video.localhost"}
    assert f"{HOST}:consent" not in {f"{cookie['domain']}:{cookie['name']}" for cookie in reader.cookies()}
    assert errors == []


# -- Firefox


@pytest.mark.parametrize(("action", "opened"), [("once", ["Film one"]), ("allow", ["Film one", "Film two"])])
def test_firefox_opens_it_in_place(scripting_fox: firefox.Firefox, url: str, action: str, opened: list[str]) -> None:
    with scripting_fox.visitor() as tab:
        tab.open(url)
        around = tab.evaluate(_AROUND)
        box = "(css) => { const b = document.querySelector(css).getBoundingClientRect(); return [b.width, b.height] }"
        size = tab.evaluate(box, _FILM)

        tab.click(f"{_FILM} [data-consent-action={action}]")
        wait_until(lambda: tab.count("iframe") == len(opened))

        assert tab.evaluate("() => [...document.querySelectorAll('iframe')].map((each) => each.title)") == opened
        assert tab.evaluate("() => document.activeElement.title") == "Film one"
        assert tab.evaluate(box, "iframe") == size
        assert tab.evaluate(_AROUND) == around
        assert tab.count(BANNER) == 1
        assert [cookie.name for cookie in tab.cookies()] == ([] if action == "once" else ["consent"])
