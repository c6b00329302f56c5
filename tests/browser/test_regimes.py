"""What each place shows and lets run, in real browsers, as the table of `tests/browser/places.py` has it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import pytest
from playwright.sync_api import Browser

from tests.browser import firefox
from tests.browser.place_site import PlaceSite
from tests.browser.places import (
    SCENES,
    SIGNAL_PREFERENCES,
    Scene,
    Sight,
    Signal,
    look,
    print_table,
    visit_with_chromium,
    visit_with_firefox,
)

_ALL: Final = ("ads", "film", "stats", "weather")
_UNSOLD: Final = ("stats", "weather")
_LINK: Final = "Privacy choices"
_LEGAL_LINK: Final = "Do Not Sell or Share My Personal Information"

_CHOICE: Final = Sight(buttons=("Accept all", "Reject all"), link=_LINK, before=(), agreed=_ALL)
_EXEMPT: Final = Sight(buttons=("Accept all", "Reject all"), link=_LINK, before=_UNSOLD, agreed=_ALL)
_OBJECTION: Final = Sight(buttons=("Opt out", "OK"), link=_LEGAL_LINK, before=_ALL, agreed=_ALL)
_CLOSED: Final = Sight(buttons=("Opt out", "OK"), link=_LEGAL_LINK, before=_UNSOLD, agreed=_UNSOLD)
_HONOURED: Final = Sight(buttons=("Opt out", "OK"), link=_LEGAL_LINK, is_honoured=True, before=_UNSOLD, agreed=_UNSOLD)
_NOTICE: Final = Sight(buttons=("I agree",), link=_LINK, before=_ALL, agreed=_ALL)
_NOTICE_CLOSED: Final = Sight(buttons=("I agree",), link=_LINK, before=_UNSOLD, agreed=_UNSOLD)
# What the signal does there is for the law of the place to say; whoever answers the banner has it counted all the same.
_NOTICE_TOLD: Final = Sight(buttons=("I agree",), link=_LINK, before=_ALL, agreed=_UNSOLD)

_SIGHTS: Final[Mapping[tuple[str | None, Signal], Sight]] = {
    ("FR", "none"): _CHOICE,
    ("FR", "script"): _CHOICE,
    ("DE", "none"): _CHOICE,
    ("GB", "none"): _EXEMPT,
    ("US-CA", "none"): _OBJECTION,
    ("US-CA", "header"): _HONOURED,
    ("US-CA", "script"): _HONOURED,
    ("US-TX", "none"): _OBJECTION,
    ("US-TX", "script"): _CLOSED,
    ("JP", "none"): _NOTICE,
    ("JP", "header"): _NOTICE_CLOSED,
    ("JP", "script"): _NOTICE_TOLD,
    (None, "none"): _CHOICE,
}
# Without a script nobody can ask the browser, so what the signal would close stays shut.
_SIGHTS_WITHOUT_JAVASCRIPT: Final[Mapping[tuple[str | None, Signal], Sight]] = {
    **_SIGHTS,
    ("US-CA", "none"): _CLOSED,
}


def expect_sight(scene: Scene) -> Sight:
    sights = _SIGHTS if scene.javascript else _SIGHTS_WITHOUT_JAVASCRIPT
    return sights[scene.place, scene.signal]


def name(scene: Scene) -> str:
    return f"{scene.place}-{scene.signal}-{'js' if scene.javascript else 'no-js'}"


@pytest.fixture(scope="module")
def site() -> Iterator[PlaceSite]:
    with PlaceSite.open() as running:
        yield running


@pytest.mark.parametrize("scene", SCENES, ids=name)
def test_place_shows_and_runs_what_its_law_allows_in_chromium(browser: Browser, site: PlaceSite, scene: Scene) -> None:
    assert look(visit_with_chromium(browser, scene), site, scene) == expect_sight(scene)


@pytest.mark.parametrize("place", ["FR", "GB", "US-CA", "JP"])
def test_place_shows_and_runs_what_its_law_allows_in_firefox(
    scripting_fox: firefox.Firefox, site: PlaceSite, place: str
) -> None:
    scene = Scene(place=place)

    assert look(visit_with_firefox(scripting_fox), site, scene) == expect_sight(scene)


def test_place_is_the_same_in_firefox_without_javascript(fox: firefox.Firefox, site: PlaceSite) -> None:
    scene = Scene(place="US-CA", javascript=False)

    assert look(visit_with_firefox(fox), site, scene) == expect_sight(scene)


def test_signal_of_firefox_itself_counts_by_header_and_without(site: PlaceSite) -> None:
    scenes = [Scene(place="US-CA", signal="header"), Scene(place="US-CA", signal="script")]
    with firefox.launch(preferences=SIGNAL_PREFERENCES) as signalling_fox:
        sights = [look(visit_with_firefox(signalling_fox), site, scene) for scene in scenes]

    assert sights == [expect_sight(scene) for scene in scenes]


def test_table_has_a_line_for_each_scene(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("A browser", [(Scene(place=None), _CHOICE), (Scene(place="US-CA", signal="script"), _HONOURED)])

    assert capsys.readouterr().out.splitlines()[-2:] == [
        "| unknown | none | on | Accept all, Reject all | Privacy choices | – | none | none | ads, film, stats, weather |",
        f"| US-CA | script | on | Opt out, OK | {_LEGAL_LINK} | shown | stats, weather | none | stats, weather |",
    ]
