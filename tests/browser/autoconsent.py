"""DuckDuckGo's autoconsent in a visitor's pages, with the test as the browser that answers it.

The content script is the npm package's own. It runs in the world of the page here, where a browser gives it one apart; it
sees the same document either way.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal, Self

from playwright.sync_api import BrowserContext, ConsoleMessage, Page

from tests.browser.serving import TIMEOUT_SECONDS

PACKAGE: Final = Path(__file__).parents[2] / "node_modules" / "@duckduckgo" / "autoconsent"
RULE_PATH: Final = Path(__file__).parents[2] / "docs" / "autoconsent.json"
RULE: Final[Mapping[str, object]] = json.loads(RULE_PATH.read_text(encoding="utf-8"))
RULE_NAME: Final = str(RULE["name"])

# Reports the script's messages and answers those that it waits for, as a browser does. Only the tab's own document counts.
_BACKGROUND: Final = """
if (self === top && location.protocol !== "about:") {
  const answers = { init: %s, autoconsentDone: { type: "selfTest" } };
  self.autoconsentSendMessage = async (message) => {
    console.debug("%s" + JSON.stringify(message));
    const answer = answers[message.type];
    if (answer) queueMicrotask(() => self.autoconsentReceiveMessage(answer));
  };
  %s
}
"""

# Before each message that the script reports on the console.
_PREFIX: Final = "autoconsent says "
# Between its looks the script waits for the page to change.
_STIR: Final = (
    "() => { window.stirring = setInterval(() => document.documentElement.toggleAttribute('data-stirred'), 20) }"
)
_REST: Final = "() => clearInterval(window.stirring)"

_OUTCOMES: Final = {"nothingDetected", "done", "optOutFailed", "optInFailed"}


class Autoconsent:
    """One visitor's autoconsent."""

    def __init__(self) -> None:
        self._messages: list[Mapping[str, object]] = []

    @classmethod
    def install(
        cls,
        context: BrowserContext,
        *,
        rules: Mapping[str, object] | None = None,
        action: Literal["optOut", "optIn"] = "optOut",
        heuristics: Literal["off", "reject", "tier1", "tier2"] = "off",
        retries: int = 1,
    ) -> Self:
        """Let it run in every page that the visitor opens from now on.

        Args:
            context: The visitor, whose browser runs scripts.
            rules: A bundle of rules: `{"autoconsent": [rule, …]}`, or `{"compact": …}` as encoded for browsers.
            action: What it does with a banner.
            heuristics: How far it goes where no rule fits: "tier2" even accepts when it finds nothing else to press.
            retries: How often it looks again; it takes the heuristics into account at every second look.
        """
        config = {
            "enabled": True,
            "autoAction": action,
            "enablePrehide": True,
            "enableHeuristicDetection": heuristics != "off",
            "heuristicMode": heuristics,
            "detectRetries": retries,
            # Shipped rules may ask for code to be run in the page; there is nobody else here to do so.
            "isMainWorld": True,
            "logs": {"lifecycle": True, "errors": True},
        }
        answer = {"type": "initResp", "config": config, "rules": {"autoconsent": [], **(rules or {})}}
        script = (PACKAGE / "dist" / "autoconsent.playwright.js").read_text(encoding="utf-8")
        helper = cls()
        context.on("console", helper._note)
        context.add_init_script(_BACKGROUND % (json.dumps(answer), _PREFIX, script))
        return helper

    def said(self, kind: str) -> Sequence[Mapping[str, object]]:
        """Return its messages of a kind, such as `popupFound`, oldest first."""
        return [message for message in self._messages if message["type"] == kind]

    def wait_for(self, page: Page, kind: str) -> Mapping[str, object]:
        """Wait until it says something of a kind, and return the first such message.

        Raises:
            playwright.sync_api.TimeoutError: If it does not.
        """
        self._wait_until(page, lambda: bool(self.said(kind)))
        return self.said(kind)[0]

    def wait_for_outcome(self, page: Page) -> object:
        """Wait until it is done with a page, one way or the other, and return how that went, such as "nothingDetected".

        Raises:
            playwright.sync_api.TimeoutError: If it goes on looking.
        """
        page.evaluate(_STIR)
        self._wait_until(page, lambda: self._read_lifecycle() in _OUTCOMES)
        page.evaluate(_REST)
        return self._read_lifecycle()

    def _wait_until(self, page: Page, is_so: Callable[[], bool]) -> None:
        # Nothing arrives between the question and the wait: Playwright hands over events only while it waits.
        if not is_so():
            page.context.wait_for_event("console", lambda _: is_so(), timeout=TIMEOUT_SECONDS * 1000)

    def _note(self, line: ConsoleMessage) -> None:
        if line.text.startswith(_PREFIX):
            self._messages.append(json.loads(line.text.removeprefix(_PREFIX)))

    def _read_lifecycle(self) -> object:
        reports = self.said("report")
        state = reports[-1]["state"] if reports else {}
        return state.get("lifecycle") if isinstance(state, Mapping) else None
