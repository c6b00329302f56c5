"""Visit a page with foreign markup: refuse, come back as a new visitor, accept; and say what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from tests.browser.activation import ACCEPT, wait_for
from tests.browser.gadgets import GROUPS, Form
from tests.browser.policy_site import Policy, PolicySite
from tests.browser.watched_tab import WatchedTab, noted

REJECT: Final = ".pvc-banner [data-consent-action=reject_all]"
BANNER: Final = ".pvc-banner [data-consent-action]"
DIALOG: Final = "dialog.pvc-dialog[open]"
_ALERT: Final = ".pvc-live-alert"
_CHOICE: Final = "POST /privacy-choices/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a page's foreign markup."""

    attacks: frozenset[str]
    """Keys of the forms that ran, or asked the vendor for something."""

    early: frozenset[str]
    """Scripts of the site's own gate that ran before the choice, or after refusing."""

    opened: frozenset[str]
    """Those that ran after accepting."""

    strays: frozenset[str]
    """Other paths at the vendor's origin that the page was led to."""

    faults: Sequence[str]
    """Errors that nobody caught."""

    @classmethod
    def harmless(cls, policy: Policy) -> Self:
        """Return what is to come of every page: nothing of the foreign markup, and all of the site's own."""
        own = {"own", "end"} if policy == "self" else {"own", "own inline", "end"}
        return cls(attacks=frozenset(), early=frozenset(), opened=frozenset(own), strays=frozenset(), faults=())


def visit(tab: WatchedTab, site: PolicySite, policy: Policy, name: str, *, is_crippled: bool = False) -> Outcome:
    """Go through a page: look at it, press what tempts, refuse, and accept as a new visitor.

    Args:
        tab: Of a visitor who has chosen nothing.
        site: The site.
        policy: The content security policy.
        name: Of the page.
        is_crippled: Whether the page may be unable to post and to open by itself: then the browser does it.

    Raises:
        TimeoutError: If a choice does not arrive, or the site's own gate does not open.
    """
    site.forget()
    url = site.page_url(policy, name)
    tab.open(url)
    for form in GROUPS.get(name, ()):
        if form.press:
            _press(tab, form)
            if form.awaits != "nothing":
                tab.open(url)
    choose(tab, site, REJECT, is_crippled=is_crippled)
    tab.open(url)
    early = frozenset(noted(tab, "ran"))
    come_anew(tab, site, url)
    choose(tab, site, ACCEPT, is_crippled=is_crippled)
    if not is_crippled:
        finish(tab)
    # The server sends the site's own markup live now, and the foreign markup as it is.
    tab.open(url)
    finish(tab, times=1 if is_crippled else 2)
    return tell(tab, site, early=early)


def tell(tab: WatchedTab, site: PolicySite, *, early: frozenset[str] = frozenset()) -> Outcome:
    """Say what has come of it so far."""
    paths = site.vendor.sightings
    asked = {path.removeprefix("/attack/").partition(".")[0] for path in paths if path.startswith("/attack/")}
    return Outcome(
        attacks=frozenset(asked | set(noted(tab, "attack"))),
        early=early,
        opened=frozenset(noted(tab, "ran")),
        strays=frozenset(path for path in paths if not path.startswith(("/attack/", "/run/"))),
        faults=tuple(noted(tab, "uncaught")),
    )


def come_anew(tab: WatchedTab, site: PolicySite, url: str) -> None:
    """Open a page as someone who has chosen nothing."""
    tab.open(f"{site.url}/forget?next={url.removeprefix(site.url)}")
    tab.wait_until(lambda watched: watched.count(BANNER) > 0)


def choose(tab: WatchedTab, site: PolicySite, button: str, *, is_crippled: bool = False) -> None:
    """Press a button of the banner, and wait until the server has the choice and the banner is gone."""
    before = site.seen.count(_CHOICE)
    tab.click(button)
    if is_crippled:
        tab.wait_until(lambda watched: watched.count(BANNER) == 0 or watched.count(_ALERT) == 1)
        if tab.count(_ALERT):
            tab.click(button)
    tab.wait_until(lambda watched: site.seen.count(_CHOICE) > before and watched.count(BANNER) == 0)


def finish(tab: WatchedTab, *, times: int = 1) -> None:
    """Wait until the last of the site's own scripts has run."""
    wait_for(tab, ("end",), times=times)


def _press(tab: WatchedTab, form: Form) -> None:
    """Press what a form offers, and wait for what the library makes of it."""
    tab.click(form.press)
    if form.awaits == "dialog":
        tab.wait_until(lambda watched: watched.count(DIALOG) == 1)
    elif form.awaits == "page":
        tab.wait_until(lambda watched: watched.count(form.press) == 0)
