"""A site to try the library on, and ways to ask it: by test client and over a real socket."""

from __future__ import annotations

import socket
import threading
from contextlib import closing

import html5lib
import pytest
from flask import Flask, Response
from jinja2 import DictLoader
from werkzeug.serving import make_server

from consent import Consent
from consent.ledger._sqlite_database import SQLiteDatabase
from consent.ledger._sqlite_file import SQLiteFile
from consent.ledger.relational import RelationalLedger
from tests.faulty_connection import Faults
from tests.faulty_ledger import FaultyLedger, listening
from tests.sealed_log import open_memory_log, open_sqlite_log
from tests.template_cache import compiling_once
from tests.toml_cache import parsing_once

PAGE = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>News</title></head>'
    "<body><p>Hello</p></body></html>"
)
SERVICES = ("google-analytics", "youtube")
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
_FIELDS = frozenset({"next", "service", "id", "gpc", "asked", "shown", "attempt"})


@pytest.fixture(autouse=True, scope="session")
def _files_read_once():
    with compiling_once(), parsing_once():
        yield


@pytest.fixture
def page():
    return PAGE


@pytest.fixture
def bare_app():
    """Return a function that makes an app without the library: one page, and templates by name."""

    def make(templates=None, **config):
        app = Flask("newspaper", static_folder=None)
        app.config.from_mapping({"SECRET_KEY": "k" * 32, "CONSENT_CONTROLLER": "Example News Ltd"} | config)
        app.jinja_loader = DictLoader(templates or {})
        app.add_url_rule("/", "index", lambda: PAGE)
        return app

    return make


@pytest.fixture
def make_app(bare_app):
    """Return a function that makes an app with the library, by `CONSENT_*` and other settings."""

    def make(
        templates=None,
        *,
        services=SERVICES,
        purposes=(),
        documents=(),
        policy=None,
        jurisdiction=None,
        ledger=None,
        **config,
    ):
        app = bare_app(templates, **config)
        if policy is not None:
            app.config.pop("CONSENT_CONTROLLER")
            services = ()
        Consent(
            app,
            services=services,
            purposes=purposes,
            documents=documents,
            policy=policy,
            jurisdiction=jurisdiction,
            ledger=ledger,
        )
        return app

    return make


@pytest.fixture
def app(make_app):
    return make_app()


@pytest.fixture
def ledger():
    """A ledger in memory that can be made to fail."""
    return FaultyLedger()


@pytest.fixture
def heard():
    """What receivers of consent events are told: `recorded` or `withdrawn`, and the record."""
    with listening() as told:
        yield told


@pytest.fixture
def client(app):
    return app.test_client()


@pytest.fixture
def choose():
    """Return a function that posts a choice as the site's own form does."""

    def post(client, action, *granted, headers=SAME_ORIGIN, json=False, **fields):
        url = f"{client.application.config.get('CONSENT_URL_PREFIX', '/privacy-choices')}/"
        body = {"action": action, "granted": list(granted)} | {
            name: value for name, value in fields.items() if name in _FIELDS
        }
        rest = {name: value for name, value in fields.items() if name not in body}
        return client.post(url, **{"json" if json else "data": body}, headers=headers, **rest)

    return post


@pytest.fixture
def add_page():
    """Return a function that adds a page made of a body, or a template, or a view."""

    def add(app, path, answer, **headers):
        def view():
            response = app.make_response(answer() if callable(answer) else answer)
            for name, value in headers.items():
                response.headers[name.replace("_", "-")] = value
            return response

        app.add_url_rule(path, path.strip("/").replace("/", "_") or "root", view)

    return add


@pytest.fixture
def render(make_app):
    """Return a function that renders a template of a site as one visitor gets it."""

    def get(source, *, app=None, granted=None, path="/page", choose_everything=False, **config):
        from flask import render_template_string

        import consent.testing

        site = app or make_app(CONSENT_INJECT=False, **config)
        site.add_url_rule("/page", f"page{len(site.view_functions)}", lambda: render_template_string(source))
        client = site.test_client()
        if choose_everything or granted:
            consent.testing.grant(client, *(granted or ()))
        return client.get(path)

    return get


@pytest.fixture
def serve():
    """Return a function that serves an app on a real socket and answers its port."""
    servers = []

    def start(app):
        server = make_server("127.0.0.1", 0, app, threaded=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        servers.append((server, thread))
        return server.server_port

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def exchange():
    """Return a function that sends raw bytes and returns the whole answer, split at its head."""

    def send(port, request):
        with closing(socket.create_connection(("127.0.0.1", port), timeout=10)) as connection:
            connection.sendall(request)
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
        head, _, body = answer.partition(b"\r\n\r\n")
        return head.decode("latin-1"), body

    return send


@pytest.fixture
def structure():
    """Return a function that lists the elements and attribute names of a page, in order, as a browser would see them."""

    def parse(markup):
        tree = html5lib.parse(markup, treebuilder="etree", namespaceHTMLElements=False)
        return [(str(element.tag), sorted(map(str, element.attrib))) for element in tree.iter()]

    return parse


@pytest.fixture
def set_cookies():
    """Return a function that lists the `Set-Cookie` values of a response."""

    def read(response: Response):
        return response.headers.getlist("Set-Cookie")

    return read


@pytest.fixture(params=["memory", "sqlite"])
def log(request, tmp_path):
    """A sealed log of twelve events, and two that wait for a seal."""
    log = open_memory_log() if request.param == "memory" else open_sqlite_log(tmp_path / "consent.db")
    log.fill()
    yield log
    log.ledger.close()


@pytest.fixture
def path(tmp_path):
    """Where the file of a SQLite ledger is to be."""
    return tmp_path / "consent.db"


@pytest.fixture
def faults():
    """What fails on the disk of `faulty`: nothing yet."""
    return Faults()


@pytest.fixture
def faulty(path, faults):
    """A SQLite ledger on a disk that fails when it is told to, and which is waited for however slow it is."""
    ledger = RelationalLedger(SQLiteDatabase(SQLiteFile(path=path, wait_seconds=60, connect=faults.connect)))
    ledger.prepare()
    ledger.close()
    faults.statements, faults.closed = [], 0
    yield ledger
    faults.statement = ""
    ledger.close()
