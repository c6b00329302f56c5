"""Tabs of Chromium that may render pages ahead, driven over the DevTools protocol.

Chromium refuses to prerender for a tab whose pages a debugger attached to one by one, as Playwright does. Attached to the
tab as a whole, it prerenders as in a visitor's browser.

Source: https://chromedevtools.github.io/devtools-protocol/tot/Target/
"""

from __future__ import annotations

import itertools
import json
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from websockets.sync.client import ClientConnection, connect

from tests.browser import chromium
from tests.browser.serving import TIMEOUT_SECONDS, wait_until

_ADD_RULE: Final = """(path) => {
    const rules = document.createElement("script");
    rules.type = "speculationrules";
    rules.text = JSON.stringify({ prerender: [{ urls: [path], eagerness: "immediate" }] });
    document.head.append(rules);
}"""


class DevToolsError(RuntimeError):
    """A command that Chromium refused."""


class Connection:
    """The browser: commands out, answers in, and which pages its tabs hold."""

    def __init__(self, socket: ClientConnection) -> None:
        self.pages: dict[str, dict[str, bool]] = {}
        """Session of a tab to those of its pages, and whether each was rendered ahead; oldest first."""

        self._socket = socket
        self._ids = itertools.count(1)

    def send(self, method: str, session: str = "", **params: object) -> Any:
        """Send one command and wait for its answer.

        Raises:
            DevToolsError: If Chromium refuses the command.
            TimeoutError: If no answer comes in time.
        """
        command_id = next(self._ids)
        command = {"id": command_id, "method": method, "params": params}
        self._socket.send(json.dumps(command | ({"sessionId": session} if session else {})))
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while True:
            message: Mapping[str, Any] = json.loads(self._socket.recv(timeout=max(0.0, deadline - time.monotonic())))
            if message.get("id") == command_id:
                break
            self._note(message)
        if "error" in message:
            raise DevToolsError(f"{method} failed: {message['error']}")
        return message["result"]

    def _note(self, event: Mapping[str, Any]) -> None:
        pages = self.pages.setdefault(event.get("sessionId", ""), {})
        if event["method"] == "Target.attachedToTarget" and event["params"]["targetInfo"]["type"] == "page":
            pages[event["params"]["sessionId"]] = event["params"]["targetInfo"].get("subtype") == "prerender"
        if event["method"] == "Target.detachedFromTarget":
            pages.pop(event["params"]["sessionId"], None)


class Tab:
    """A tab with a page that is shown and, at times, one that is not yet."""

    def __init__(self, connection: Connection, *, session: str) -> None:
        """Attach to the pages of the tab."""
        self._connection = connection
        self._session = session
        connection.send("Target.setAutoAttach", session, autoAttach=True, waitForDebuggerOnStart=False, flatten=True)

    def open(self, url: str) -> None:
        """Go to `url` and wait until it is complete."""
        self._connection.send("Page.navigate", self._find(is_ahead=False), url=url)
        wait_until(lambda: self.evaluate("() => [location.href, document.readyState]") == [url, "complete"])

    def prerender(self, path: str) -> None:
        """Let the page have another one rendered ahead, and wait until that is complete."""
        self.evaluate(_ADD_RULE, path)
        ask = "() => [location.pathname, document.readyState, document.prerendering]"
        wait_until(lambda: self.evaluate_ahead(ask) == [path, "complete", True])

    def show(self, path: str) -> None:
        """Go to the page that was rendered ahead."""
        ahead = self._find(is_ahead=True)
        self.evaluate("(path) => { location.assign(path) }", path)
        wait_until(lambda: self._evaluate(ahead, "() => document.prerendering") is False)
        self._connection.pages[self._session] = {ahead: False}

    def evaluate(self, function: str, *arguments: object) -> Any:
        """Call a function in the page that is shown; None while there is none."""
        return self._evaluate(self._find(is_ahead=False), function, *arguments)

    def evaluate_ahead(self, function: str, *arguments: object) -> Any:
        """Call a function in the page that is rendered ahead; None while there is none."""
        return self._evaluate(self._find(is_ahead=True), function, *arguments)

    def _find(self, *, is_ahead: bool) -> str:
        # Events come before the answer of a later command, so one command brings the list up to date.
        self._connection.send("Target.getTargets")
        pages = self._connection.pages.get(self._session, {})
        return next((session for session, is_one in pages.items() if is_one is is_ahead), "")

    def _evaluate(self, session: str, function: str, *arguments: object) -> Any:
        call = f"({function})({', '.join(map(json.dumps, arguments))})"
        # Between two documents there is nothing to ask.
        with suppress(DevToolsError):
            answer = self._connection.send(
                "Runtime.evaluate", session, expression=call, returnByValue=True, awaitPromise=True
            )
            return answer["result"].get("value")
        return None


class Visitor:
    """Someone with a cookie jar of their own and any number of tabs."""

    def __init__(self, connection: Connection, *, browser_context: str) -> None:
        self._connection = connection
        self._browser_context = browser_context

    def open(self, url: str) -> Tab:
        """Open a page in a new tab."""
        target = self._connection.send(
            "Target.createTarget", url="about:blank", browserContextId=self._browser_context, forTab=True
        )
        attached = self._connection.send("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        tab = Tab(self._connection, session=attached["sessionId"])
        tab.open(url)
        return tab


@contextmanager
def visitor(connection: Connection) -> Iterator[Visitor]:
    """Begin a new visitor, and forget them afterwards."""
    browser_context = connection.send("Target.createBrowserContext")["browserContextId"]
    try:
        yield Visitor(connection, browser_context=browser_context)
    finally:
        connection.send("Target.disposeBrowserContext", browserContextId=browser_context)


@contextmanager
def launch() -> Iterator[Connection]:
    """Run Chromium headless on a throw-away profile, and end it afterwards."""
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as folder:
        options = ("--headless", "--remote-debugging-port=0", f"--user-data-dir={folder}")
        command = [chromium.EXECUTABLE, *options, *chromium._ARGUMENTS, "about:blank"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                with connect(_await_address(Path(folder)), max_size=None) as socket:
                    yield Connection(socket)
            finally:
                process.terminate()


def _await_address(profile: Path) -> str:
    """Wait for the file in which Chromium names its port, and give its address."""
    file = profile / "DevToolsActivePort"
    wait_until(lambda: file.exists() and len(file.read_text(encoding="ascii").splitlines()) == 2)
    port, path = file.read_text(encoding="ascii").splitlines()
    return f"ws://127.0.0.1:{port}{path}"
