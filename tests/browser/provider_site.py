"""Sites that use services whose providers are told, and this machine in the place of those providers' hosts.

Browsers are started so that every name outside of `localhost` leads to one server here, which answers HTTPS.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final, Literal, Self
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask, Response, render_template_string, request
from playwright.sync_api import Browser, Playwright

from consent import Consent
from consent.catalogue import load_service
from tests.browser import chromium, firefox
from tests.browser.serving import serve

Mode = Literal["basic", "advanced"]
MODES: Final[tuple[Mode, ...]] = ("basic", "advanced")

# Runs before anything of a page: says where one page ends and the next begins, and notes which scripts are done.
WATCH: Final = """
console.log("page");
window.done = new Set();
for (const kind of ["load", "error"]) document.addEventListener(kind, (event) => done.add(event.target), true);
"""

_PAGE: Final = """{% from "consent/macros.html" import script, settings_link %}<!doctype html>
<html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,"><title>Signals</title>
{% for key, values in services.items() %}{{ script(key, **values) }}{% endfor %}</head>
<body><main><h1>Signals</h1></main><footer>{{ settings_link() }}</footer></body></html>
"""


class ProviderHosts:
    """Every host that is not one of the sites."""

    def __init__(self, answers: Mapping[str, str]) -> None:
        """Name what each host answers: a script, whatever the path."""
        self._answers = answers
        self._asked: list[str] = []
        self._lock = threading.Lock()

    @property
    def asked(self) -> Sequence[str]:
        """Host of every request, oldest first."""
        with self._lock:
            return tuple(self._asked)

    def make_app(self) -> Flask:
        """Return the app that answers."""
        app = Flask(__name__, static_folder=None)

        @app.get("/", defaults={"_path": ""})
        @app.get("/<path:_path>")
        def answer(_path: str) -> Response:
            host = request.host.partition(":")[0]
            with self._lock:
                self._asked.append(host)
            status = 200 if host in self._answers else 404
            headers = {"Cache-Control": "no-store"}
            return Response(self._answers.get(host, ""), status, headers, mimetype="text/javascript")

        return app


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSites:
    """Sites by name, each in both modes, and the hosts of the providers; all running."""

    port: int
    hosts: ProviderHosts
    hosts_port: int

    @classmethod
    @contextmanager
    def open(
        cls, services: Mapping[str, Sequence[str]], answers: Mapping[str, str], *, declared: Sequence[str] = ()
    ) -> Iterator[Self]:
        """Start all; stop when the block ends.

        Args:
            services: Keys of the services whose tags each site has, by its name.
            answers: Script by host of a provider.
            declared: Keys of services that every site declares besides: their tags come another way.
        """
        hosts = ProviderHosts(answers)
        apps = {
            f"{name}-{mode}.localhost": _make_site(keys, mode, declared)
            for name, keys in services.items()
            for mode in MODES
        }
        with ExitStack() as stack:
            providers = stack.enter_context(serve(hosts.make_app(), is_secure=True))
            sites = stack.enter_context(serve(_choose_by_host(apps)))
            yield cls(port=sites.port, hosts=hosts, hosts_port=providers.port)

    def find_url(self, name: str, mode: Mode) -> str:
        """Address of a site's only page."""
        return f"http://{name}-{mode}.localhost:{self.port}/"

    @contextmanager
    def launch_chromium(self, playwright: Playwright) -> Iterator[Browser]:
        """Run a Chromium to which every other host is the providers' server."""
        rules = f"MAP * 127.0.0.1:{self.hosts_port}, EXCLUDE *.localhost, EXCLUDE 127.0.0.1"
        arguments = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
        browser = playwright.chromium.launch(
            executable_path=chromium.find_shell(), args=[*arguments, f"--host-resolver-rules={rules}"]
        )
        try:
            yield browser
        finally:
            browser.close()

    @contextmanager
    def launch_firefox(self) -> Iterator[firefox.Firefox]:
        """Run a Firefox to which every other host is the providers' server."""
        preferences: dict[str, bool | int | str] = {
            "network.proxy.type": 0,
            "network.dns.forceResolve": "127.0.0.1",
            "network.socket.forcePort": f"443={self.hosts_port}",
        }
        with firefox.launch(preferences=preferences) as launched:
            yield launched


def _make_site(keys: Sequence[str], mode: Mode, declared: Sequence[str]) -> Flask:
    app = Flask(__name__, static_folder=None)
    app.config.update(SECRET_KEY="a key that is long enough for every check", CONSENT_CONTROLLER="Signals Ltd")
    app.config["CONSENT_ADVANCED"] = list(keys) if mode == "advanced" else []
    Consent(app, services=[*keys, *declared])
    services = {key: _read_examples(key) for key in keys}

    @app.get("/")
    def show() -> str:
        return render_template_string(_PAGE, services=services)

    return app


def _read_examples(key: str) -> Mapping[str, str]:
    return {each.name: each.example for each in load_service(key).parameters if each.required}


def _choose_by_host(apps: Mapping[str, WSGIApplication]) -> WSGIApplication:
    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return apps[environ["HTTP_HOST"].partition(":")[0]](environ, start_response)

    return answer
