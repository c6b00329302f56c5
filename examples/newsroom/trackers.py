"""The third parties: one small server under several names, which logs whatever reaches it.

It knows nothing of the library. Its host names end in `.localhost`, so that browsers find them on this machine.
"""

from __future__ import annotations

import base64
import secrets
import time
from collections import deque

from flask import Flask, Response, abort, jsonify, make_response, render_template, request

LOG_SIZE = 2000
_MONTH_SECONDS = 30 * 24 * 60 * 60
_PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
# Only the newsroom asks under this name, over loopback; pages know the trackers by their other names.
_LOG_HOST = "127.0.0.1"


def create_tracker_app() -> Flask:
    app = Flask(__name__, template_folder="tracker_pages", static_folder=None)
    # What was seen, oldest first; old entries make room for new ones.
    log: deque[dict[str, object]] = deque(maxlen=LOG_SIZE)
    app.before_request(lambda: _note(log))
    _add_log_routes(app, log)
    _add_tracker_routes(app)
    return app


def _note(log: deque[dict[str, object]]) -> None:
    host = request.host.partition(":")[0]
    if host == _LOG_HOST or request.path == "/favicon.ico":
        return
    log.append(
        {
            "at": time.time(),
            "method": request.method,
            "host": host,
            "path": request.path,
            "page": request.args.get("page") or request.referrer or "",
            "cookies": dict(request.cookies),
            "identifier": request.args.get("id", ""),
            "told": request.args.getlist("told"),
        }
    )


def _add_log_routes(app: Flask, log: deque[dict[str, object]]) -> None:
    @app.get("/log")
    def show_log() -> Response:
        _only_on_loopback()
        return jsonify(requests=list(log))

    @app.post("/log/reset")
    def reset_log() -> Response:
        _only_on_loopback()
        log.clear()
        return jsonify(requests=[])


def _only_on_loopback() -> None:
    if request.host.partition(":")[0] != _LOG_HOST:
        abort(404)


def _add_tracker_routes(app: Flask) -> None:
    @app.get("/<any('s.js', 'ad.js', 'share.js'):name>")
    def script(name: str) -> Response:
        body = render_template(name, origin=request.host_url.rstrip("/"))
        return _tag(make_response(body, {"Content-Type": "text/javascript; charset=utf-8"}))

    @app.get("/pixel.gif")
    def pixel() -> Response:
        return _tag(make_response(_PIXEL, {"Content-Type": "image/gif"}))

    @app.post("/beacon")
    def beacon() -> Response:
        return _tag(make_response("", 204))

    @app.get("/ad")
    def advertisement() -> Response:
        return _tag(make_response(render_template("ad.html")))

    @app.get("/<any(embed, watch):_kind>/<film>")
    def video(_kind: str, film: str) -> Response:
        return _tag(make_response(render_template("video.html", film=film)))

    @app.get("/<any(map, place):_kind>/<place>")
    def map_page(_kind: str, place: str) -> Response:
        return _tag(make_response(render_template("map.html", place=place)))


_COOKIES = {
    "ads.localhost": ("ha_profile", 13),
    "social.localhost": ("hso_user", 12),
    "video.localhost": ("hv_viewer", 12),
    "maps.localhost": ("hm_session", 0),
}


def _tag(response: Response) -> Response:
    """Give the visitor an identifier, as the real ones do: a cookie that also works in a frame."""
    response.headers["Cache-Control"] = "no-store"
    name, months = _COOKIES.get(request.host.partition(":")[0], ("", 0))
    if name and name not in request.cookies:
        lifetime = f"; Max-Age={months * _MONTH_SECONDS}" if months else ""
        # Browsers take `Secure` over plain HTTP from localhost names. `Partitioned` works where third-party cookies are off,
        # as in private windows; written by hand, since Werkzeug knows it only from 3.1 on.
        flags = "; Path=/; Secure; HttpOnly; SameSite=None; Partitioned"
        response.headers.add("Set-Cookie", f"{name}={secrets.token_hex(8)}{lifetime}{flags}")
    return response
