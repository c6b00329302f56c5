"""The built scripts and stylesheets as the package carries and serves them; that they are fresh is for `make lint`."""

from __future__ import annotations

import hashlib
import mimetypes
from importlib import resources

import pytest

from consent.web.site import load_assets

STATIC = resources.files("consent") / "static"
STYLESHEETS = sorted(entry.name for entry in (STATIC / "src" / "css").iterdir())
SCRIPTS = ("chosen.js", "consent.js", "gpp.js", "gpp_stub.js", "preferences.js", "signal.js")
TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8"}


@pytest.mark.parametrize("name", [*SCRIPTS, *STYLESHEETS])
def test_asset_is_served_as_what_it_is(app, name):
    asset = app.extensions["consent"].assets[name]
    response = app.test_client().get(f"/privacy-choices/assets/{asset.file_name}")

    assert response.data == (STATIC / "consent" / name).read_bytes()
    assert response.headers["Content-Type"] == TYPES[name.rpartition(".")[2]]
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("name", [*SCRIPTS, *STYLESHEETS])
def test_asset_is_named_for_its_content(name):
    asset = load_assets()[name]
    stem, _, ending = name.rpartition(".")

    assert asset.file_name == f"{stem}.{hashlib.sha256(asset.body).hexdigest()[:12]}.{ending}"


def test_content_types_do_not_depend_on_the_machine(monkeypatch):
    monkeypatch.setattr(mimetypes, "guess_type", lambda _: ("text/plain", None))

    assert {asset.content_type for asset in load_assets().values()} == set(TYPES.values())


def test_sources_are_not_served(client):
    names = [entry.name for folder in ("css", "js") for entry in (STATIC / "src" / folder).iterdir()]

    assert len(names) > len(load_assets())
    assert {client.get(f"/privacy-choices/assets/{name}").status_code for name in names} == {404}


def test_only_scripts_and_stylesheets_are_served():
    assert {name.rpartition(".")[2] for name in load_assets()} == {"css", "js"}
