"""With JavaScript the switches of purposes and services follow each other, in the dialog and on the page alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import parse_qs

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from consent import Consent, Purpose, Service
from tests.browser import chromium
from tests.browser.choosing import record_errors
from tests.browser.plain_site import make_plain_site
from tests.browser.serving import serve
from tests.browser.test_appearance import WHOLE

PANEL: Final = "[data-consent-ui=preferences]"

# What a visitor sees of each switch. The words beside it are written by the stylesheet.
_PICTURE: Final = """(panel) => Object.fromEntries([...panel.querySelectorAll(".pvc-switch")].map((each) => [
  each.value,
  getComputedStyle(each.nextElementSibling, "::before").content.replace(/"/g, ""),
]))"""
# Where the thumb is, from 0 at the beginning of its way to 1 at the end.
_THUMB: Final = """(input) => {
  const [thumb, whole] = [getComputedStyle(input, "::before"), getComputedStyle(input)];
  const room = input.clientWidth - parseFloat(whole.paddingInlineStart) - parseFloat(whole.paddingInlineEnd);
  return parseFloat(thumb.marginInlineStart) / (room - parseFloat(thumb.inlineSize));
}"""


@pytest.fixture(params=["dialog", "page"])
def page(request: pytest.FixtureRequest, browser: Browser, plain_url: str) -> Iterator[Page]:
    """A new visitor's tab with the preferences open, in a dialog and as a page."""
    with chromium.visitor(browser, javascript=True) as visitor:
        opened = visitor.new_page()
        if request.param == "dialog":
            opened.goto(f"{plain_url}/links")
            opened.click("[data-consent-action=settings]")
        else:
            opened.goto(f"{plain_url}/privacy-choices/")
        opened.wait_for_function("() => document.querySelectorAll('[data-pvc-linked]').length === 5")
        yield opened


def toggle(page: Page, *keys: str) -> None:
    """Press switches, as a keyboard does."""
    for key in keys:
        page.locator(f"#pvc-grant-{key}").focus()
        page.keyboard.press("Space")


def save(page: Page) -> None:
    """Press the button, and wait for the page or the dialog to have done it."""
    page.click(f"{PANEL} [data-consent-action=save]")
    expect(page.locator("[role=status]")).to_have_text("Your choice is saved.")


def picture_of(page: Page) -> dict[str, str]:
    picture: dict[str, str] = page.locator(PANEL).evaluate(_PICTURE)
    return picture


def not_off(page: Page) -> dict[str, str]:
    return {key: word for key, word in picture_of(page).items() if word != "Off"}


def test_all_are_off_at_first(page: Page) -> None:
    assert set(picture_of(page).values()) == {"Off"}


def test_purpose_takes_its_services_along(page: Page) -> None:
    toggle(page, "analytics")
    assert not_off(page) == {"analytics": "On", "google-analytics": "On", "matomo": "On"}

    toggle(page, "analytics")
    assert not_off(page) == {}


def test_one_service_off_makes_its_purpose_mixed(page: Page) -> None:
    toggle(page, "analytics", "matomo")

    assert not_off(page) == {"analytics": "Some", "google-analytics": "On"}


def test_services_on_one_by_one_make_their_purpose_on(page: Page) -> None:
    toggle(page, "meta-pixel")
    assert not_off(page) == {"marketing": "Some", "meta-pixel": "On"}

    toggle(page, "youtube", "reader-panel")
    assert not_off(page) == {
        "marketing": "On",
        "meta-pixel": "On",
        "youtube": "On",
        "reader-panel": "On",
        "analytics": "Some",
    }


def test_service_of_two_purposes_follows_both(page: Page) -> None:
    toggle(page, "analytics")
    assert picture_of(page)["reader-panel"] == "Off"
    toggle(page, "marketing")
    assert picture_of(page)["reader-panel"] == "On"

    toggle(page, "reader-panel")

    assert not_off(page) == {
        **dict.fromkeys(("analytics", "marketing"), "Some"),
        **dict.fromkeys(("google-analytics", "matomo", "meta-pixel", "youtube"), "On"),
    }


def test_click_on_a_mixed_purpose_switches_it_on(page: Page) -> None:
    toggle(page, "matomo")

    page.get_by_label("Analytics", exact=True).click()

    assert not_off(page) == {"analytics": "On", "google-analytics": "On", "matomo": "On"}


@pytest.mark.parametrize(
    "presses",
    [
        ("analytics",),
        ("analytics", "matomo"),
        ("analytics", "marketing"),
        ("analytics", "marketing", "reader-panel"),
        ("reader-panel", "youtube", "preferences"),
    ],
    ids=" ".join,
)
def test_what_is_granted_is_what_is_shown(page: Page, presses: tuple[str, ...]) -> None:
    toggle(page, *presses)
    shown = not_off(page)
    bodies: list[str] = []
    page.on("request", lambda request: bodies.append(request.post_data or "") if request.method == "POST" else None)

    save(page)
    state = page.evaluate("() => fetch('/privacy-choices/state').then((answer) => answer.json())")

    on = {key for key, word in shown.items() if word == "On"}
    assert set(parse_qs(bodies[0])["granted"]) == on
    granted = {key for key, choice in {**state["choices"], **state["services"]}.items() if choice == "granted"}
    assert granted - {"necessary", "sign-in"} == on


def test_stored_part_of_a_purpose_is_shown_as_mixed(page: Page) -> None:
    toggle(page, "matomo")
    save(page)

    page.goto(f"{page.evaluate('() => location.origin')}/privacy-choices/")

    expect(page.locator("[data-pvc-linked]")).to_have_count(5)
    assert not_off(page) == {"analytics": "Some", "matomo": "On"}


def test_thumb_of_a_mixed_switch_stands_in_the_middle(page: Page) -> None:
    # Motion would take a moment.
    page.emulate_media(reduced_motion="reduce")
    toggle(page, "matomo", "marketing")

    thumbs = [page.locator(f"#pvc-grant-{key}").evaluate(_THUMB) for key in ("preferences", "analytics", "marketing")]

    assert thumbs == pytest.approx([0, 0.5, 1], abs=0.05)


def test_mixed_state_is_told_to_assistive_technology(page: Page) -> None:
    toggle(page, "matomo", "marketing")

    tree = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")

    assert _checked_states(tree) == {"Preferences": "false", "Analytics": "mixed", "Marketing": "true"}


def _checked_states(tree: Mapping[str, Any]) -> dict[str, str]:
    """State by name of the purposes' checkboxes, as Chromium tells screen readers."""
    states = {}
    for node in tree["nodes"]:
        if node.get("role", {}).get("value") == "checkbox":
            (checked,) = (each["value"]["value"] for each in node["properties"] if each["name"] == "checked")
            states[node["name"]["value"]] = checked
    return {name: states[name] for name in ("Preferences", "Analytics", "Marketing")}


def test_focus_stays_on_each_switch_that_is_pressed(page: Page) -> None:
    for key in ("analytics", "matomo", "google-analytics", "reader-panel", "marketing", "youtube", "analytics"):
        toggle(page, key)

        expect(page.locator(f"#pvc-grant-{key}")).to_be_focused()
        expect(page.locator(f"#pvc-grant-{key}")).to_be_in_viewport(ratio=WHOLE)


def test_words_beside_a_service_are_for_those_of_several_purposes(page: Page) -> None:
    words = page.locator(f"{PANEL} .pvc-with:visible")

    assert words.all_inner_texts() == ["On while Analytics and Marketing are on"]


def test_switch_stays_where_it_is_while_its_words_change(page: Page) -> None:
    switch = page.locator("#pvc-grant-analytics")
    places = [switch.bounding_box()]
    for key in ("matomo", "google-analytics", "analytics"):
        toggle(page, key)
        places.append(switch.bounding_box())

    assert [place and place["x"] for place in places] == [places[0] and places[0]["x"]] * 4


@pytest.fixture
def crowded_url() -> Iterator[str]:
    """Address of a site with more purposes than the stylesheet can count, whose template has lost one."""
    app = Flask(__name__)
    app.config.update(SECRET_KEY="a key that is long enough for every check", CONSENT_CONTROLLER="Crowd Ltd")
    purposes = [Purpose(f"p{number}", title=f"P{number}", description="Something.") for number in range(13)]
    services = [
        Service(f"s{number}", name=f"S{number}", purposes=(f"p{number}",), provider="S", provider_country="FR")
        for number in range(13)
    ]
    Consent(app, purposes=purposes, services=services)
    with serve(app) as server:
        yield f"http://crowd.localhost:{server.port}/privacy-choices/"


@pytest.mark.parametrize("javascript", [False, True])
def test_service_of_the_last_of_many_purposes_can_be_switched(
    browser: Browser, crowded_url: str, *, javascript: bool
) -> None:
    with chromium.visitor(browser, javascript=javascript) as visitor:
        page = visitor.new_page()
        page.goto(crowded_url)

        page.check("#pvc-grant-s12")

        expect(page.locator("#pvc-grant-s12")).to_be_checked()


def test_service_whose_purpose_a_template_left_out_stays_shut(browser: Browser, plain_url: str) -> None:
    """It must not count as one all of whose purposes are on."""
    with chromium.visitor(browser, javascript=True) as visitor:
        errors = record_errors(visitor)
        page = visitor.new_page()
        body = (
            make_plain_site("en").test_client().get("/privacy-choices/").text.replace("data-pvc-number", "data-other")
        )
        page.route("**/privacy-choices/", lambda route: route.fulfill(body=body, content_type="text/html"))
        page.goto(f"{plain_url}/links")
        page.click("[data-consent-action=settings]")
        expect(page.locator("dialog")).to_be_visible()

        assert page.locator(".pvc-switch:checked").count() == 0
        assert errors == []
