"""Every service of the catalogue in a real browser, under strict policies: nothing before the choice, everything after it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser

from tests.browser import chromium
from tests.browser.every_service import CARELESS, GROUPS, POLICIES, CatalogueSite, Policy, Visitor, list_urls

# So high that no frame of a page is too far below to be loaded.
_VIEWPORT = (1280, 15_000)


@pytest.fixture(scope="module")
def catalogues() -> Iterator[Mapping[Policy, CatalogueSite]]:
    with ExitStack() as stack:
        yield {policy: stack.enter_context(CatalogueSite.open(policy)) for policy in POLICIES}


@pytest.fixture
def visitor(browser: Browser) -> Iterator[Visitor]:
    with chromium.visitor(browser, javascript=True, viewport=_VIEWPORT) as context:
        yield Visitor(context)


# The policies take turns: both ask nearly the same of markup.
@pytest.mark.parametrize("number", range(len(GROUPS)), ids=lambda number: GROUPS[number][0])
def test_services_are_held_before_the_choice_and_live_after_it(
    catalogues: Mapping[Policy, CatalogueSite], visitor: Visitor, number: int
) -> None:
    catalogue = catalogues[POLICIES[number % len(POLICIES)]]
    urls = list_urls(GROUPS[number])
    visitor.page.goto(f"{catalogue.url}/group/{number}")
    assert visitor.asked == []

    visitor.page.click(".pvc-banner [data-consent-action=accept_all]")
    visitor.wait_for(urls)
    assert sorted(visitor.asked) == sorted(urls)
    assert visitor.errors == []

    visitor.page.reload()
    visitor.wait_for(urls)
    assert sorted(visitor.asked) == sorted(urls * 2)
    assert visitor.errors == []


@pytest.mark.parametrize("policy", POLICIES)
def test_careless_service_is_found(
    catalogues: Mapping[Policy, CatalogueSite], visitor: Visitor, policy: Policy
) -> None:
    """Prove that the test above could fail."""
    catalogue = catalogues[policy]
    visitor.page.goto(f"{catalogue.url}/{CARELESS}")

    visitor.page.click(".pvc-banner [data-consent-action=accept_all]")
    visitor.wait_for([])
    assert visitor.errors == ["careless is not defined"]

    # The runtime lends what was held the page's nonce; a parser does not.
    visitor.page.reload()
    visitor.wait_for([])
    assert [error for error in visitor.errors[1:] if "Content Security Policy" not in error] == []
    assert len(visitor.errors) == 3
