"""The `__gpp` API in pages: what readers hear, one that runs at once, one that is held, and one in a frame of another host."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final, Self
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from flask import Flask, Response, g, render_template_string
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from consent import Consent, Service
from tests.browser import chromium
from tests.browser.places import BANNER, SIGNAL_SCRIPT
from tests.browser.serving import serve, wait_until
from tests.browser.watched_tab import ENGINES, Engine, OpenTab, noted

OUT, OUT_SIGNAL = "DBABBg~BUUAAACA.QA", "DBABBg~BUUAAACA.YA"
IN, IN_SIGNAL = "DBABBg~BUoAAACA.QA", "DBABBg~BUoAAACA.YA"

_HOST: Final = "gpp.localhost"
_FRAME_HOST: Final = "frame.localhost"
_STATE: Final = "/privacy-choices/gpp"
# The first policy of docs/browser.md, and yet without 'strict-dynamic': nothing runs but what the server has marked.
_POLICY: Final = (
    "default-src 'none'; img-src data:; frame-src {frame}; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; require-trusted-types-for 'script'; "
    "trusted-types consent"
)
_PAGE: Final = """{% from "consent/macros.html" import gate, settings_link %}<!doctype html>
<html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,"><title>Shop</title></head>
<body><main><h1>Shop</h1>
{% call gate("checkout") %}<script nonce="{{ nonce }}">{{ reader("checkout")|safe }}</script>{% endcall %}
{% call gate("ads") %}<script nonce="{{ nonce }}">{{ reader("ads")|safe }}</script>{% endcall %}
<iframe src="{{ frame }}/ask" title="Asks"></iframe>
</main><footer>{{ settings_link() }}</footer></body></html>"""
# As a provider's script has it: what it hears goes to the console.
_READER: Final = """(() => {
  const say = (...what) => console.log("heard " + JSON.stringify(["NAME", ...what]));
  if (!window.__gpp) return say("nothing");
  const returned = __gpp("ping", (ping, ok) => say("ping", ping.cmpStatus, ping.signalStatus, ping.gppString, ok));
  if (returned !== undefined) say("returned");
  __gpp("addEventListener", ({ eventName, data, pingData }) => say(eventName, data, pingData.signalStatus, pingData.gppString));
})();"""
_FRAME: Final = """<!doctype html><title>Asks</title><script>
const say = (...what) => console.log("heard " + JSON.stringify(["frame", ...what]));
addEventListener("message", ({ data: { __gppReturn } }) => {
  const { callId, returnValue, success } = __gppReturn;
  say(callId, returnValue.eventName ?? "ping", (returnValue.pingData ?? returnValue).signalStatus, success);
});
const ask = () => {
  try {
    // A window of another host shows the names of its frames, and throws for anything else.
    parent.frames.__gppLocator.postMessage;
  } catch {
    say("nothing");
    // In Firefox, the process of a frame may learn late of the frames beside it.
    return setTimeout(ask, 500);
  }
  for (const command of ["ping", "addEventListener"]) {
    parent.postMessage({ __gppCall: { command, version: "1.1", callId: command } }, "*");
  }
};
ask();
</script>"""


class GppSite:
    """A shop whose visitors are where a test says, under a strict policy."""

    def __init__(self) -> None:
        self.place = "US-CA"
        self.drops_signal = False
        """Whether `Sec-GPC` is lost on its way, as behind some proxies."""

        self.seen: list[str] = []
        """Path and query of each request to the site that has to do with GPP, scripts excepted."""

        self.port = 0
        self._app = self._make_app()

    @classmethod
    @contextmanager
    def open(cls) -> Iterator[Self]:
        """Start it; stop it when the block ends."""
        site = cls()
        with serve(site) as server:
            site.port = server.port
            yield site

    @property
    def url(self) -> str:
        """Address of the one page."""
        return f"http://{_HOST}:{self.port}/"

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer as the site, or as the frame's host."""
        if environ["HTTP_HOST"].startswith(_FRAME_HOST):
            return Response(_FRAME, mimetype="text/html")(environ, start_response)
        if self.drops_signal:
            environ.pop("HTTP_SEC_GPC", None)
        if environ["PATH_INFO"] == _STATE:
            self.seen.append(f"{_STATE}?{environ['QUERY_STRING']}")
        return self._app(environ, start_response)

    def _make_app(self) -> Flask:
        app = Flask(__name__, static_folder=None)
        app.config.update(
            SECRET_KEY="a key that is long enough for every check",
            CONSENT_CONTROLLER="Shop Ltd",
            CONSENT_CSP_NONCE=lambda: g.nonce,
        )
        app.before_request(_begin)
        app.after_request(self._guard)
        checkout = Service(
            "checkout", name="Checkout", purposes=("necessary",), justification="Takes payments.", signals=("gpp",)
        )
        ads = Service("ads", name="Ads", purposes=("marketing",), signals=("gpp",))
        Consent(app, services=[checkout, ads], jurisdiction=lambda: self.place)

        @app.get("/")
        def show() -> str:
            return render_template_string(_PAGE, nonce=g.nonce, frame=self._frame_url, reader=_write_reader)

        return app

    def _guard(self, response: Response) -> Response:
        response.headers["Content-Security-Policy"] = _POLICY.format(frame=self._frame_url, nonce=g.nonce)
        return response

    @property
    def _frame_url(self) -> str:
        return f"http://{_FRAME_HOST}:{self.port}"


def _begin() -> None:
    g.nonce = secrets.token_urlsafe(16)


def _write_reader(name: str) -> str:
    return _READER.replace("NAME", name)


class Heard:
    """What readers have heard, oldest first, each beginning with the reader's name."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._all: list[list[Any]] = []
        page.on("console", self._note)

    def _note(self, message: ConsoleMessage) -> None:
        if message.text.startswith("heard "):
            self._all.append(json.loads(message.text.removeprefix("heard ")))

    def of(self, name: str) -> list[list[Any]]:
        return [each[1:] for each in self._all if each[0] == name]

    def wait_for(self, name: str, *what: object) -> None:
        """Wait until this is what a reader has heard last."""
        self.wait_until(lambda: self.of(name)[-1:] == [list(what)])

    def wait_for_ready(self, name: str, string: str) -> None:
        """Wait until a reader, whenever it began, may go by a string."""
        self.wait_until(lambda: [each[2:] for each in self.of(name)[-1:]] == [["ready", string]])

    def wait_for_any(self, name: str) -> None:
        """Wait until a reader has heard anything."""
        self.wait_until(lambda: bool(self.of(name)))

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        """Wait for something that the console says."""

        def is_so_now() -> bool:
            # Playwright hands over what the console says while it waits for something.
            self._page.wait_for_timeout(1)
            return is_so()

        wait_until(is_so_now)

    def forget(self) -> None:
        self._all.clear()


@pytest.fixture(scope="module")
def running() -> Iterator[GppSite]:
    with GppSite.open() as site:
        yield site


@pytest.fixture
def site(running: GppSite) -> GppSite:
    """The shop in California."""
    running.place, running.drops_signal = "US-CA", False
    running.seen.clear()
    return running


@pytest.fixture
def page(reader: BrowserContext) -> Page:
    """A new visitor without the signal."""
    return reader.new_page()


@pytest.fixture
def signalling(browser: Browser) -> Iterator[Page]:
    """A new visitor whose browser sends the signal."""
    with chromium.visitor(browser, javascript=True, headers={"Sec-GPC": "1"}) as context:
        context.add_init_script(SIGNAL_SCRIPT)
        yield context.new_page()


@pytest.fixture
def safari(browser: Browser, site: GppSite) -> Iterator[Page]:
    """A new visitor whose browser tells the signal to scripts alone."""
    site.drops_signal = True
    with chromium.visitor(browser, javascript=True) as context:
        context.add_init_script(SIGNAL_SCRIPT)
        yield context.new_page()


def grant_all(page: Page) -> None:
    page.locator(".pvc-settings-link").click()
    page.locator("dialog[open] [value=accept_all]").click()


FIRST = [
    ["ping", "stub", "not ready", "", True],
    ["listenerRegistered", True, "not ready", ""],
]


def test_reader_hears_what_the_server_knows_once_the_api_has_loaded(signalling: Page, site: GppSite) -> None:
    heard = Heard(signalling)
    signalling.goto(site.url)
    heard.wait_for("checkout", "signalStatus", "ready", "ready", OUT_SIGNAL)

    assert heard.of("checkout") == [
        *FIRST,
        ["cmpStatus", "loaded", "not ready", OUT_SIGNAL],
        ["signalStatus", "ready", "ready", OUT_SIGNAL],
    ]
    assert (site.seen, heard.of("ads")) == ([], [])


def test_reader_hears_nothing_certain_before_the_browser_was_asked(page: Page, site: GppSite) -> None:
    heard = Heard(page)
    page.goto(site.url)
    heard.wait_for("checkout", "signalStatus", "ready", "ready", IN)

    assert heard.of("checkout") == [
        *FIRST,
        ["cmpStatus", "loaded", "not ready", ""],
        ["sectionChange", "usca", "not ready", IN],
        ["signalStatus", "ready", "ready", IN],
    ]
    assert site.seen == [f"{_STATE}?"]


def test_reader_that_was_held_hears_the_same_in_the_end(page: Page, site: GppSite) -> None:
    heard = Heard(page)
    page.goto(site.url)
    heard.wait_for_ready("ads", IN)

    assert {each[3] for each in heard.of("ads") if each[2] == "ready"} == {IN}
    assert site.seen == [f"{_STATE}?"]


def test_opt_out_begins_with_not_ready_and_ends_with_ready(page: Page, site: GppSite) -> None:
    heard = Heard(page)
    page.goto(site.url)
    for name in ("checkout", "ads"):
        heard.wait_for_ready(name, IN)
    heard.forget()
    page.locator(f"{BANNER} [value=reject_all]").click()
    heard.wait_for("checkout", "signalStatus", "ready", "ready", OUT)

    first, *others = heard.of("checkout")
    assert first == ["signalStatus", "not ready", "not ready", IN]
    # What runs is ended by loading the page again, before or after the new state has come.
    assert [each[3] for each in others if each[0] == "signalStatus"] in ([OUT], [OUT, OUT])
    assert heard.of("ads")[0] == first


def test_grant_in_spite_of_the_signal_is_heard_by_who_ran_and_who_was_held(signalling: Page, site: GppSite) -> None:
    heard = Heard(signalling)
    signalling.goto(site.url)
    heard.wait_for("checkout", "signalStatus", "ready", "ready", OUT_SIGNAL)
    heard.forget()
    grant_all(signalling)
    heard.wait_for("checkout", "signalStatus", "ready", "ready", IN_SIGNAL)
    heard.wait_for_ready("ads", IN_SIGNAL)

    assert heard.of("checkout") == [
        ["signalStatus", "not ready", "not ready", OUT_SIGNAL],
        ["sectionChange", "usca", "not ready", IN_SIGNAL],
        ["signalStatus", "ready", "ready", IN_SIGNAL],
    ]
    # It runs once the change has begun: it never hears that it could go by what was.
    assert all(each[3] == IN_SIGNAL for each in heard.of("ads") if each[2] == "ready")
    assert site.seen == [f"{_STATE}?gpc=1"]


def test_grant_is_known_to_the_next_page(signalling: Page, site: GppSite) -> None:
    heard = Heard(signalling)
    signalling.goto(site.url)
    grant_all(signalling)
    heard.wait_for_ready("ads", IN_SIGNAL)
    heard.forget()
    signalling.reload()
    heard.wait_for("ads", "signalStatus", "ready", "ready", IN_SIGNAL)

    assert heard.of("ads") == heard.of("checkout")
    assert heard.of("ads")[:2] == FIRST
    assert signalling.locator("script[data-consent-gpp]").count() == 1


def test_signal_for_scripts_alone_opts_out(safari: Page, site: GppSite) -> None:
    heard = Heard(safari)
    safari.goto(site.url)
    expect(safari.locator(".pvc-honoured")).to_have_count(1)
    heard.wait_for("checkout", "signalStatus", "ready", "ready", OUT_SIGNAL)

    assert {each[3] for each in heard.of("checkout") if each[2] == "ready"} == {OUT_SIGNAL}
    assert (set(site.seen), heard.of("ads")) == ({f"{_STATE}?gpc=1"}, [])


def test_signal_for_scripts_alone_is_told_where_all_was_refused(safari: Page, site: GppSite) -> None:
    heard = Heard(safari)
    safari.goto(site.url)
    expect(safari.locator(".pvc-honoured")).to_have_count(1)
    safari.locator(f"{BANNER} [value=reject_all]").click()
    expect(safari.locator(BANNER)).to_have_count(0)
    # As the browser forgets it with the session.
    safari.context.clear_cookies(name="consent-gpc")
    site.seen.clear()
    heard.forget()
    safari.reload()
    heard.wait_for("checkout", "signalStatus", "ready", "ready", OUT_SIGNAL)

    assert heard.of("checkout")[:3] == [*FIRST, ["cmpStatus", "loaded", "not ready", ""]]
    assert site.seen == [f"{_STATE}?gpc=1"]


def test_frame_of_another_host_finds_the_locator_and_is_answered(signalling: Page, site: GppSite) -> None:
    heard = Heard(signalling)
    signalling.goto(site.url)
    heard.wait_for("checkout", "signalStatus", "ready", "ready", OUT_SIGNAL)
    # Before that, it would hear nothing of what comes in between.
    heard.wait_until(lambda: ["addEventListener", "listenerRegistered"] in [each[:2] for each in heard.of("frame")])
    grant_all(signalling)
    heard.wait_for("frame", "addEventListener", "signalStatus", "ready", True)

    assert [each[:2] for each in heard.of("frame")][:2] == [
        ["ping", "ping"],
        ["addEventListener", "listenerRegistered"],
    ]
    assert [each[2] for each in heard.of("frame") if each[1] == "signalStatus"][-2:] == ["not ready", "ready"]
    expect(signalling.locator("iframe[name=__gppLocator]")).to_be_hidden()


@pytest.mark.parametrize("place", ["FR", "US-ID"])
def test_page_elsewhere_has_nothing_of_it(page: Page, site: GppSite, place: str) -> None:
    site.place = place
    heard = Heard(page)
    page.goto(site.url)
    page.locator(f"{BANNER} :is([value=accept_all], [value=acknowledge])").click()
    expect(page.locator(BANNER)).to_have_count(0)
    heard.wait_for("frame", "nothing")
    heard.wait_for_any("checkout")

    assert page.evaluate(
        "() => [typeof __gpp, typeof __gppLocator, document.querySelectorAll('[data-consent-gpp]').length]"
    ) == [*("undefined", "undefined", 0)]
    assert (heard.of("checkout")[0], site.seen) == (["nothing"], [])


@pytest.mark.parametrize("engine", ENGINES)
def test_policy_is_kept_and_nothing_fails(
    open_tab_of: Callable[[Engine], OpenTab], site: GppSite, engine: Engine
) -> None:
    with open_tab_of(engine)() as tab:
        tab.open(site.url)
        tab.wait_until(lambda tab: any(f'"ready","ready","{IN}"' in line for line in tab.lines))
        tab.wait_until(lambda tab: any('["frame","addEventListener"' in line for line in tab.lines))

        assert [noted(tab, kind) for kind in ("violation", "uncaught", "error")] == [[], [], []]
        assert tab.count("iframe[name=__gppLocator]") == 1
        assert not any("returned" in line for line in tab.lines)
