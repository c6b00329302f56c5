"""A container of Tag Manager, simulated: what it loads, and when, as the real one decides it.

Usage: python -m tests.browser.tag_container (prints which hosts were asked, step by step, in both modes)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from playwright.sync_api import sync_playwright

from tests.browser.provider_site import MODES, ProviderSites
from tests.browser.signal_order import Journey, Open, open_with
from tests.browser.watched_tab import watch_chromium

SITE: Final = "tags"
SERVICES: Final[Mapping[str, Sequence[str]]] = {SITE: ("google-tag-manager",)}
# What is in the container is declared as well, as docs/signals.md asks.
DECLARED: Final = ("google-analytics", "google-ads")

CONTAINER: Final = "www.googletagmanager.com"
ANALYTICS: Final = "analytics-tag.example"
ADS: Final = "ads-tag.example"
EVENT: Final = "event-tag.example"

# The consent states come from commands, which are `arguments` objects; events come from plain ones and fire triggers. A tag
# fires once, on one of its triggers, if the types that it needs are granted by then. The third asks for no type: its
# trigger reads what the event itself says.
_CONTAINER: Final = f"""(() => {{
  const events = ["gtm.js", "consent_ready", "consent_change"];
  const tags = [
    {{ host: "{ANALYTICS}", fits: () => isGranted("analytics_storage") }},
    {{ host: "{ADS}", fits: () => isGranted("ad_storage", "ad_user_data", "ad_personalization") }},
    {{ host: "{EVENT}", fits: (item) => item.consent?.marketing === "granted" }},
  ];
  const states = {{}};
  const isGranted = (...types) => types.every((type) => states[type] === "granted");
  const read = (item) => {{
    const isCommand = Object.prototype.toString.call(item) === "[object Arguments]";
    if (isCommand && item[0] === "consent") Object.assign(states, item[2]);
    if (isCommand || !events.includes(item.event)) return;
    for (const tag of tags) {{
      if (tag.isFired || !tag.fits(item)) continue;
      tag.isFired = true;
      document.head.append(Object.assign(document.createElement("script"), {{ src: `https://${{tag.host}}/tag.js` }}));
    }}
  }};
  const layer = window.dataLayer;
  layer.forEach(read);
  layer.push = (...items) => items.forEach(read);
}})();"""
ANSWERS: Final[Mapping[str, str]] = {CONTAINER: _CONTAINER, ANALYTICS: "", ADS: "", EVENT: ""}


def visit_container(open_tab: Open, url: str) -> Mapping[str, frozenset[str]]:
    """Lead one visitor through the page; hosts that the browser asked, by step."""
    with open_tab() as tab:
        journey = Journey(tab)
        steps = {
            "first visit": journey.open(url),
            "analytics only": journey.grant("analytics"),
            "accepted": journey.grant("marketing", "preferences"),
        }
        _, steps["withdrawn"] = journey.withdraw()
    return {name: sight.asked for name, sight in steps.items()}


def main() -> None:
    """Print a table."""
    with (
        ProviderSites.open(SERVICES, ANSWERS, declared=DECLARED) as sites,
        sync_playwright() as playwright,
        sites.launch_chromium(playwright) as browser,
    ):
        found = {
            mode: visit_container(open_with(watch_chromium, browser), sites.find_url(SITE, mode)) for mode in MODES
        }
    print(f"\n| step | {' | '.join(f'{mode} mode' for mode in MODES)} |\n|---|{'---|' * len(MODES)}")
    for step in found["basic"]:
        print(f"| {step} | {' | '.join(', '.join(sorted(found[mode][step])) or 'nothing' for mode in MODES)} |")


if __name__ == "__main__":
    main()
