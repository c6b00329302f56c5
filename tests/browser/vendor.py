"""A vendor: scripts, images and frames that gates hold, and a log of who asked for them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final

from flask import Blueprint, Flask, Response, request

from tests.browser.serving import TIMEOUT_SECONDS

_PIXEL: Final = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00"
    b"\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)


class Vendor:
    """Answer under `/vendor`, on an origin of its own or as a part of a site."""

    def __init__(self) -> None:
        self._paths: list[str] = []
        self._notes: set[str] = set()
        self._changed = threading.Condition()

    @property
    def sightings(self) -> Sequence[str]:
        """Path of every request, oldest first, notes excepted."""
        with self._changed:
            return tuple(self._paths)

    def forget(self) -> None:
        """Empty the log and take all notes down."""
        with self._changed:
            self._paths.clear()
            self._notes.clear()

    def see(self, path: str) -> None:
        """Write a request down."""
        with self._changed:
            self._paths.append(path)

    def make_blueprint(self) -> Blueprint:
        """Return the vendor's views, to be registered under `/vendor`."""
        blueprint = Blueprint("vendor", __name__)
        blueprint.before_request(self._look)
        blueprint.after_request(_open_up)
        blueprint.add_url_rule("/run/<name>.js", view_func=self._run)
        blueprint.add_url_rule("/note/<note>", view_func=self._note)
        blueprint.add_url_rule("/missing", view_func=_missing)
        blueprint.add_url_rule("/mapped.js", view_func=_mapped)
        blueprint.add_url_rule("/attack/<path:form>", view_func=_attack)
        blueprint.add_url_rule("/style.css", view_func=_style)
        blueprint.add_url_rule("/pixel/<name>.gif", view_func=_pixel)
        blueprint.add_url_rule("/frame/<name>", view_func=_frame)
        return blueprint

    def _look(self) -> None:
        if "note" not in (request.view_args or {}):
            self.see(request.path.removeprefix("/vendor"))

    def _run(self, name: str) -> Response:
        """Answer a script that says its name, and where asked leaves a note; `after` one, or after some `pause`."""
        if "after" in request.args:
            self._wait_for_note(request.args["after"])
        # Late for certain: what does not wait for it has run by then.
        self._wait_for_note("never", timeout_seconds=float(request.args.get("pause", 0)))
        note = request.args.get("note")
        then = f'fetch("{request.host_url}vendor/note/{note}");' if note else ""
        return _script(f'console.log("ran {name}");{then}')

    def _note(self, note: str) -> str:
        with self._changed:
            self._notes.add(note)
            self._changed.notify_all()
        return ""

    def _wait_for_note(self, name: str, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        """Wait until a page has come to a certain point; go on without it in the end."""
        with self._changed:
            self._changed.wait_for(lambda: name in self._notes, timeout_seconds)


def make_vendor_app(vendor: Vendor) -> Flask:
    """Make the vendor's own origin."""
    app = Flask(__name__, static_folder=None)
    app.register_blueprint(vendor.make_blueprint(), url_prefix="/vendor")

    @app.errorhandler(404)
    def see_stray(_: Exception) -> tuple[str, int]:
        # Outside of the blueprint: only a page that was led astray asks for that.
        vendor.see(request.path)
        return "not here", 404

    return app


def _open_up(response: Response) -> Response:
    # Modules are asked for with CORS; and each page is to ask for all of its own.
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cache-Control"] = "no-store"
    return response


def _missing() -> tuple[str, int]:
    return "", 404


def _mapped() -> Response:
    return _script('export const name = "import map";')


def _attack(form: str) -> Response:
    return _script(f'console.log("attack {form.partition(".")[0]}");')


def _style() -> Response:
    return Response("#styled { color: rgb(1, 2, 3) }", mimetype="text/css")


def _pixel(name: str) -> Response:
    return Response(_PIXEL, mimetype="image/gif")


def _frame(name: str) -> str:
    return f"<!doctype html><title>{name}</title><p>{name}"


def _script(text: str) -> Response:
    return Response(text, mimetype="text/javascript")
