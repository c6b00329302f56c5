"""Firefox, driven over WebDriver BiDi without geckodriver.

Playwright cannot drive a distribution's Firefox, and geckodriver is not in Debian; but every Firefox speaks BiDi on a
local websocket when started with `--remote-debugging-port`. The calls here are the few that the tests need. All of
them work with the page's JavaScript off too: Firefox still evaluates what BiDi sends into a sandbox of its own.

Source: https://www.w3.org/TR/webdriver-bidi/
"""

from __future__ import annotations

import base64
import json
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from websockets.sync.client import connect

from tests.browser.bidi import TIMEOUT_SECONDS, BidiError, Connection, Message, Request

EXECUTABLE: Final = "/usr/bin/firefox-esr"

# Code points that WebDriver gives to keys without a character: https://www.w3.org/TR/webdriver2/#keyboard-actions
KEYS: Final[Mapping[str, str]] = {
    "Shift": "\ue008",
    "Tab": "\ue004",
    "Enter": "\ue007",
    "Escape": "\ue00c",
    "Space": " ",
    "ArrowUp": "\ue013",
    "ArrowDown": "\ue015",
}

_QUIET_PREFERENCES: Final[Mapping[str, bool | int | str]] = {
    # Firefox's own traffic would mix with the requests that the tests count.
    "app.normandy.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    # Pages may name real third parties: a proxy that nobody runs keeps their requests on this machine. Names under
    # localhost need none.
    "network.proxy.type": 1,
    "network.proxy.http": "127.0.0.1",
    "network.proxy.http_port": 9,
    "network.proxy.ssl": "127.0.0.1",
    "network.proxy.ssl_port": 9,
    # A tracker under `*.localhost` is meant to be reached: only consent may hold it back.
    "privacy.trackingprotection.enabled": False,
    # Else the machine's memory decides how many pages the back/forward cache keeps.
    "browser.sessionhistory.max_total_viewers": 8,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookie:
    """One cookie of the visitor's jar."""

    name: str
    value: str
    domain: str
    path: str
    http_only: bool
    secure: bool
    same_site: str
    expires_at: int | None
    """Seconds since the epoch; None for a session cookie."""


class Tab:
    """A visitor's only tab. Selectors are CSS; the first match is meant where one is needed."""

    def __init__(self, connection: Connection, *, context: str, user_context: str) -> None:
        """Name the browsing context and the jar it belongs to."""
        self._connection = connection
        self._context = context
        self._partition = {"type": "storageKey", "userContext": user_context}

    @property
    def url(self) -> str:
        """Address of the page."""
        return str(self.evaluate("() => location.href"))

    @property
    def requests(self) -> Sequence[Request]:
        """Requests sent since the visit began or `forget_requests()`, frames included."""
        # Events come before the answer of a later command, so one command brings the list up to date.
        self._connection.send("session.status")
        return tuple(self._connection.requests)

    def forget_requests(self) -> None:
        """Start counting requests afresh."""
        self._connection.send("session.status")
        self._connection.requests.clear()

    @property
    def messages(self) -> Sequence[Message]:
        """What the console says since the visit began, frames included, oldest first."""
        self._connection.send("session.status")
        return tuple(self._connection.messages)

    def open(self, url: str, *, wait: Literal["none", "complete"] = "complete") -> None:
        """Go to `url` and wait for its load event, or for nothing where a page leads on before it has one."""
        self._connection.send("browsingContext.navigate", context=self._context, url=url, wait=wait)

    def reload(self) -> None:
        """Load the page again, as the reload button does."""
        self._connection.send("browsingContext.reload", context=self._context, wait="complete")

    def back(self, steps: int = 1) -> None:
        """Go back in history, as the back button does (the back/forward cache is on)."""
        with self._page_change():
            self._connection.send("browsingContext.traverseHistory", context=self._context, delta=-steps)

    def click(self, selector: str) -> None:
        """Click the middle of an element with a real mouse event."""
        origin = {"type": "element", "element": {"sharedId": self._locate(selector)}}
        self.evaluate(
            "(css) => document.querySelector(css).scrollIntoView({block: 'center', behavior: 'instant'})", selector
        )
        steps = [
            {"type": "pointerMove", "x": 0, "y": 0, "origin": origin},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        self._perform({"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": steps})

    def click_through(self, selector: str) -> None:
        """Click a link or submit button and wait for the page behind it, redirects included."""
        with self._page_change():
            self.click(selector)

    def press(self, *keys: str) -> None:
        """Press keys one after another: names of `KEYS`, single characters, or `Shift+Tab`."""
        steps = [step for key in keys for step in _key_steps(key)]
        self._perform({"type": "key", "id": "keyboard", "actions": steps})

    def press_through(self, *keys: str) -> None:
        """Press keys and wait for the page that they lead to."""
        with self._page_change():
            self.press(*keys)

    def count(self, selector: str) -> int:
        """Count the elements in the DOM."""
        return int(self.evaluate("(css) => document.querySelectorAll(css).length", selector))

    def is_visible(self, selector: str) -> bool:
        """Whether an element exists and is rendered."""
        function = "(css) => document.querySelector(css)?.checkVisibility({visibilityProperty: true}) ?? false"
        return bool(self.evaluate(function, selector))

    def text(self, selector: str = "body") -> str:
        """Text of the element as rendered; raises BidiError if there is none."""
        return str(self.evaluate("(css) => document.querySelector(css).innerText", selector))

    def attribute(self, selector: str, name: str) -> str | None:
        """Value of an attribute; None if it is absent."""
        value = self.evaluate("(css, name) => document.querySelector(css).getAttribute(name)", selector, name)
        return None if value is None else str(value)

    def evaluate(self, function: str, *arguments: str) -> Any:
        """Call a JavaScript function in a sandbox of the page, also when the page's own JavaScript is off.

        Args:
            function: Source of a function whose result JSON can hold.
            arguments: Strings to pass.
        """
        # No promise: with the page's JavaScript off, none is ever kept.
        declaration = f"(...words) => JSON.stringify(({function})(...words) ?? null)"
        return self._call(declaration, arguments, target={"context": self._context, "sandbox": "tests"})

    def evaluate_in_page(self, function: str, *arguments: str) -> Any:
        """Call a function among the page's own scripts, which may have changed what the language offers.

        Args:
            function: Source of a function whose result, or the result of whose promise, JSON can hold.
            arguments: Strings to pass.
        """
        declaration = f"async (...words) => JSON.stringify((await ({function})(...words)) ?? null)"
        return self._call(declaration, arguments, target={"context": self._context})

    def _call(self, declaration: str, arguments: Sequence[str], *, target: Mapping[str, str]) -> Any:
        answer = self._connection.send(
            "script.callFunction",
            functionDeclaration=declaration,
            arguments=[{"type": "string", "value": argument} for argument in arguments],
            target=target,
            awaitPromise=True,
        )
        if answer["type"] == "exception":
            raise BidiError("script.callFunction", "javascript error", answer["exceptionDetails"]["text"])
        return json.loads(answer["result"]["value"])

    def cookies(self) -> Sequence[Cookie]:
        """Every cookie of the visitor, of all hosts, HttpOnly ones included."""
        cookies = self._connection.send("storage.getCookies", partition=self._partition)["cookies"]
        return tuple(map(_read_cookie, cookies))

    def replace_cookie(self, name: str, *, host: str, value: str) -> None:
        """Give a cookie of the jar another value, as someone with access to the device can."""
        cookie = {"name": name, "value": {"type": "string", "value": value}, "domain": host}
        self._connection.send("storage.setCookie", cookie=cookie | {"path": "/"}, partition=self._partition)

    def screenshot(self, path: Path | None = None) -> bytes:
        """PNG of the viewport, also written to `path` if one is given."""
        answer = self._connection.send("browsingContext.captureScreenshot", context=self._context)
        image = base64.b64decode(answer["data"])
        if path is not None:
            path.write_bytes(image)
        return image

    @contextmanager
    def _page_change(self) -> Iterator[None]:
        """Run the block, then wait until another document is there and complete.

        Firefox sends no load event for a page revived from the back/forward cache, so the document itself is asked:
        the instant at which it began tells one from another, at the same address too.
        """
        before = self._document_birth()
        yield
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while self._document_birth() in {before, None}:
            if time.monotonic() > deadline:
                raise TimeoutError(f"No other page within {TIMEOUT_SECONDS:.0f} s; still at {self.url}.")
            time.sleep(0.02)

    def _document_birth(self) -> float | None:
        """Instant at which the current document began; None while there is no complete one."""
        # In between two documents, Firefox answers with one of several errors, or shows an empty one that is complete.
        with suppress(BidiError):
            birth = self.evaluate(
                "() => document.readyState === 'complete' && document.URL !== 'about:blank' ? performance.timeOrigin : null"
            )
            return None if birth is None else float(birth)
        return None

    def _locate(self, selector: str) -> str:
        locator = {"type": "css", "value": selector}
        answer = self._connection.send("browsingContext.locateNodes", context=self._context, locator=locator)
        if not answer["nodes"]:
            raise BidiError("browsingContext.locateNodes", "no such element", f"Nothing matches {selector!r}.")
        return str(answer["nodes"][0]["sharedId"])

    def _perform(self, source: Mapping[str, object]) -> None:
        self._connection.send("input.performActions", context=self._context, actions=[source])


class Firefox:
    """A running Firefox; each visitor has a cookie jar of their own, one visitor at a time."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @contextmanager
    def visitor(
        self,
        *,
        viewport: tuple[int, int] = (1280, 800),
        locale: str = "en-US",
        headers: Mapping[str, str] | None = None,
        init_script: str = "",
    ) -> Iterator[Tab]:
        """Open a tab for a new visitor, and forget cookies and cache of the visit afterwards.

        Args:
            viewport: Width and height in CSS pixels.
            locale: Language tag for `navigator.language`; `Accept-Language` follows it.
            headers: Sent with every request, such as `{"Sec-GPC": "1"}`.
            init_script: Runs in each page and frame before any script of theirs.
        """
        user_context = self._connection.send("browser.createUserContext")["userContext"]
        context = self._connection.send("browsingContext.create", type="tab", userContext=user_context)["context"]
        width, height = viewport
        self._connection.send(
            "browsingContext.setViewport", context=context, viewport={"width": width, "height": height}
        )
        self._connection.send("emulation.setLocaleOverride", contexts=[context], locale=locale)
        self._send_headers(context, headers or {})
        if init_script:
            self._connection.send(
                "script.addPreloadScript", functionDeclaration=f"() => {{ {init_script} }}", contexts=[context]
            )
        self._connection.requests.clear()
        self._connection.messages.clear()
        try:
            yield Tab(self._connection, context=context, user_context=user_context)
        finally:
            self._connection.send("browser.removeUserContext", userContext=user_context)

    def _send_headers(self, context: str, headers: Mapping[str, str]) -> None:
        wire = [{"name": name, "value": {"type": "string", "value": value}} for name, value in headers.items()]
        self._connection.send("network.setExtraHeaders", contexts=[context], headers=wire)


@contextmanager
def launch(*, javascript: bool = True, preferences: Mapping[str, bool | int | str] | None = None) -> Iterator[Firefox]:
    """Run Firefox headless on a throw-away profile, and end it afterwards.

    Args:
        javascript: Whether pages may run scripts; a setting of the whole process.
        preferences: More `about:config` values, such as `{"ui.systemUsesDarkTheme": 1}`.
    """
    chosen = {**_QUIET_PREFERENCES, "javascript.enabled": javascript, **(preferences or {})}
    # Firefox may still write to its profile while it ends.
    with tempfile.TemporaryDirectory(prefix="firefox-", ignore_cleanup_errors=True) as folder:
        profile = Path(folder)
        (profile / "user.js").write_text(_user_js(chosen), encoding="utf-8")
        with _process(profile) as process, connect(_await_address(profile, process), max_size=None) as socket:
            connection = Connection(socket)
            _begin_session(connection)
            yield Firefox(connection)
            with suppress(BidiError):
                connection.send("browser.close")


@contextmanager
def _process(profile: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [EXECUTABLE, "--headless", "--remote-debugging-port=0", "--profile", str(profile)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
            process.wait(TIMEOUT_SECONDS)
        finally:
            process.kill()


def _await_address(profile: Path, process: subprocess.Popen[bytes]) -> str:
    """Wait for the file in which Firefox names its port, and give the address of a new session."""
    file = profile / "WebDriverBiDiServer.json"
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        # The file may be there before its content is.
        with suppress(FileNotFoundError, json.JSONDecodeError):
            server = json.loads(file.read_text(encoding="utf-8"))
            return f"ws://{server['ws_host']}:{server['ws_port']}/session"
        time.sleep(0.05)
    raise TimeoutError(f"Firefox offered no BiDi port within {TIMEOUT_SECONDS:.0f} s.")


def _begin_session(connection: Connection) -> None:
    connection.send("session.new", capabilities={"alwaysMatch": {"acceptInsecureCerts": True}})
    connection.send("session.subscribe", events=["network.beforeRequestSent", "log.entryAdded"])


def _user_js(preferences: Mapping[str, bool | int | str]) -> str:
    return "".join(f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in preferences.items())


def _key_steps(key: str) -> list[dict[str, str]]:
    values = [KEYS.get(name, name) for name in (key.split("+") if len(key) > 1 else [key])]
    downs = [{"type": "keyDown", "value": value} for value in values]
    ups = [{"type": "keyUp", "value": value} for value in reversed(values)]
    return downs + ups


def _read_cookie(item: Mapping[str, Any]) -> Cookie:
    return Cookie(
        name=item["name"],
        value=item["value"].get("value", ""),
        domain=item["domain"],
        path=item["path"],
        http_only=item["httpOnly"],
        secure=item["secure"],
        same_site=item["sameSite"],
        expires_at=item.get("expiry"),
    )
