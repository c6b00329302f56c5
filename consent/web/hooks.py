"""What happens to every response: injection first, headers last.

Flask runs `after_request` functions in reverse order of registration, so what compresses or
replaces the body may run before or after ours, depending on who was set up first. At the first
request ours is moved to where it runs first. Headers are finished in `request_finished`, after
every hook and after the session cookie.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from fnmatch import fnmatchcase
from http import HTTPStatus
from threading import Lock

from flask import Flask, Request, Response, request, request_finished, request_started

from consent.core.cookie_gate import CookieIndex
from consent.core.lint import Severity
from consent.errors import ConfigError
from consent.jurisdictions import load_implied_consent
from consent.web.auto_hold import hold_response
from consent.web.caching import tell_caches
from consent.web.carried_signal import carry_signal
from consent.web.cookie_gate import CookieGate
from consent.web.csp import find_nonce_source
from consent.web.csp_header import CspHeader
from consent.web.departure import Rule, surround
from consent.web.expiry import expire_leftovers
from consent.web.fragment import find_fragment_header
from consent.web.guard_order import shut_unguarded_views
from consent.web.hidden_cookies import CookieHiding
from consent.web.hints import (
    close_link_hints,
    close_members_elsewhere,
    close_refresh,
    remove_link_hints,
    remove_members_elsewhere,
    remove_refresh,
)
from consent.web.injection import inject
from consent.web.page_lint import UNRENDERED, lint_pages
from consent.web.permissions_policy import PermissionsHeader
from consent.web.rehearsal import run_apart
from consent.web.site import Site
from consent.web.tallying import count_page
from consent.web.templating import are_preferences_ours, is_banner_ours
from consent.web.visit import Visit, has_visit, open_visit
from consent.wire.headers import add_vary, join_fields
from consent.wire.shown_response import BODILESS, SAFE_METHODS, is_html

log = logging.getLogger("consent")

BLUEPRINT_NAME = "consent"
_OWN_ENDPOINTS = f"{BLUEPRINT_NAME}."
_ASSET_ENDPOINT = f"{BLUEPRINT_NAME}.asset"


def register_hooks(app: Flask, site: Site) -> None:
    """Connect the hooks of one app."""
    index = CookieIndex(site.engine.policy)
    hooks = _Hooks(app, site, CookieHiding(app, site, index))
    app.after_request(hooks.insert)
    surround(app, site, rules=_list_rules(app, site, index))
    # Weak: the app keeps its hooks alive, and signals, which live as long as the process, must not keep the app.
    request_finished.connect(hooks.finish, app)
    request_started.connect(hooks.prepare, app)
    if site.settings.hide_cookies:
        request_started.connect(hooks.hide, app)


def _list_rules(app: Flask, site: Site, index: CookieIndex) -> tuple[Rule, ...]:
    """Return what is done to the headers of every response, as far as the settings ask for it.

    Their order counts: each finds the headers as those before it left them. What takes away comes before what adds.
    """
    settings = site.settings
    rules: list[Rule] = []
    if settings.cookie_gate != "off":
        gate = CookieGate(app, site, index)
        rules.append(Rule(gate.check, close=gate.close))
    if settings.auto_hold != "off":
        rules += [
            Rule(remove_link_hints, close=close_link_hints),
            Rule(remove_refresh, close=close_refresh),
            Rule(remove_members_elsewhere, close=close_members_elsewhere),
        ]
    if settings.csp != "off":
        csp = CspHeader(site)
        rules.append(Rule(csp.add, close=csp.close))
    if settings.permissions_policy:
        permissions = PermissionsHeader(site)
        rules.append(Rule(permissions.add, close=permissions.close))
    return tuple(rules)


class _Hooks:
    """Hold the hooks of one app, and whether its first request has come."""

    def __init__(self, app: Flask, site: Site, hiding: CookieHiding) -> None:
        self._app = app
        self._site = site
        self._hiding = hiding
        self._lock = Lock()
        self._is_prepared = False

    def insert(self, response: Response) -> Response:
        """Insert into an HTML response what it lacks."""
        if is_html(response.headers.get("Content-Type")):
            current: Request = request._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - the proxy costs at each use
            _finish_page(response, self._site, current)
        return response

    def finish(self, _sender: Flask, response: Response, **_: object) -> None:
        """Finish the headers of a response that depends on the visitor."""
        environ = request.environ
        # A stream may ask only after this; its visit must know that it is too late to tell caches.
        if response.is_streamed:
            open_visit(self._site, environ).is_streamed = True
        if has_visit(environ, self._site):
            _finish_safely(response, open_visit(self._site, environ))

    def hide(self, _sender: Flask, **_: object) -> None:
        """Hide cookies from the app; its own files are the same for everyone."""
        if request.endpoint != _ASSET_ENDPOINT:
            self._hiding.hide(request._get_current_object())  # type: ignore[attr-defined]  # noqa: SLF001 - what it keeps of the cookies is its own

    def prepare(self, _sender: Flask, **_: object) -> None:
        """Settle, at the first request, what depends on the other extensions; of several at once the others wait."""
        with self._lock:
            if not self._is_prepared:
                self._is_prepared = True
                _run_first(self._app, self.insert)
                shut_unguarded_views(self._app)
                _prepare_safely(self._app, self._site)
                _check_templates_safely(self._app, self._site)
        request_started.disconnect(self.prepare, self._app)


def _run_first(app: Flask, hook: object) -> None:
    hooks = app.after_request_funcs[None]
    app.after_request_funcs[None] = [*(each for each in hooks if each != hook), hook]  # type: ignore[list-item]  # `hook` came from this list


def _prepare_safely(app: Flask, site: Site) -> None:
    try:
        _prepare_for_neighbours(app, site)
    except Exception:  # another extension's fault must not cost every page
        log.exception("What depends on other extensions could not be settled.")


def _prepare_for_neighbours(app: Flask, site: Site) -> None:
    """Settle what depends on other extensions, all of which are there by the first request."""
    site.find_nonce = find_nonce_source(app, site)
    site.has_babel = "babel" in app.extensions
    site.is_banner_ours = is_banner_ours(app)
    site.keeps_banners = site.is_banner_ours and not app.jinja_env.auto_reload
    csrf = app.extensions.get("csrf")
    if csrf is not None and hasattr(csrf, "exempt"):
        # Its token would have to be in the page, and the same-origin rule is as strict.
        csrf.exempt(app.blueprints[BLUEPRINT_NAME])
    if "cache" in app.extensions:
        log.warning(
            "Flask-Caching is in use. A cached view or fragment with a gate in it is one visitor's: add "
            "current_consent.cache_key to its cache key."
        )


def _check_templates_safely(app: Flask, site: Site) -> None:
    try:
        _check_templates(app, site)
    except ConfigError:
        raise
    except Exception:  # a fault of ours, or of the site's own hooks, must not cost every page
        log.exception("The templates of the site's own could not be looked at.")


def _check_templates(app: Flask, site: Site) -> None:
    """Look, once every template can be found, whether those of the site's own still ask lawfully.

    Raises:
        ConfigError: In debug mode, for what is unlawful; visitors must not suffer for it, so otherwise it is logged.
    """
    if site.is_banner_ours and are_preferences_ours(app):
        return
    at, phrases = site.engine.read_clock(), load_implied_consent()
    for finding in run_apart(lambda: lint_pages(app, at=at, phrases=phrases)):
        # A template that fails is told of where it is used.
        if finding.rule == UNRENDERED:
            continue
        if app.debug and finding.severity is Severity.ERROR:
            raise ConfigError(finding.message, key=finding.key)
        level = logging.ERROR if finding.severity is Severity.ERROR else logging.WARNING
        log.log(level, "%s", finding.message)


def _finish_page(response: Response, site: Site, current: Request) -> None:
    try:
        injects = site.settings.inject and site.engine.policy.is_asking
        looks = site.settings.auto_hold != "off"
        is_changeable = (injects or looks) and _is_changeable(response, site, current)
        is_to_inject = injects and is_changeable and not _is_part_of_a_page(response, current)
        # First, so that what is held has its script in the page.
        if looks and is_changeable:
            _hold_safely(response, site, current, is_injected=is_to_inject)
        if is_to_inject:
            inject(response, open_visit(site, current.environ))
        # After an error in a hook, Flask sends a 500 page without telling that the request has finished.
        if response.status_code == HTTPStatus.INTERNAL_SERVER_ERROR and has_visit(current.environ, site):
            tell_caches(response.headers, open_visit(site, current.environ))
    except Exception:  # a fault of ours must never cost the page: it goes out without banner, gates shut
        log.exception("The banner could not be inserted; the page was sent without it.")


def _hold_safely(response: Response, site: Site, current: Request, *, is_injected: bool) -> None:
    try:
        hold_response(response, open_visit(site, current.environ), is_injected=is_injected)
    except Exception:  # a fault of ours must never cost the page; gates that its templates placed are shut all the same
        log.exception("Markup of the page at %r could not be held; it was sent as it is.", current.path)


def _is_part_of_a_page(response: Response, current: Request) -> bool:
    decider = find_fragment_header(current.environ)
    if decider:
        response.headers["Vary"] = add_vary(join_fields(response.headers).get("vary"), (decider,))
    return bool(decider)


def _is_changeable(response: Response, site: Site, current: Request) -> bool:
    if response.status_code < HTTPStatus.OK or response.status_code in BODILESS or response.direct_passthrough:
        return False
    fields = join_fields(response.headers)
    if "content-encoding" in fields:
        site.warn_once(
            "encoded",
            "The page at %r was compressed inside its view, so no banner could be inserted and nothing in it be held. Place "
            "banner() and head() in the template, and compress later.",
            current.path,
        )
        return False
    return not (_is_kept_as_it_is(fields) or _is_excluded(current, site))


def _is_kept_as_it_is(fields: Mapping[str, str]) -> bool:
    is_download = fields.get("content-disposition", "").lower().startswith("attachment")
    return is_download or "no-transform" in fields.get("cache-control", "").lower()


def _is_excluded(current: Request, site: Site) -> bool:
    endpoint = current.endpoint
    if endpoint is None:
        return False
    if endpoint.startswith(_OWN_ENDPOINTS):
        return True
    excluded = site.settings.excluded_endpoints
    return bool(excluded) and any(fnmatchcase(endpoint, pattern) for pattern in excluded)


def _finish_safely(response: Response, visit: Visit) -> None:
    try:
        _finish_headers(response, visit)
    except Exception:  # a fault of ours must never cost the page; no cache may keep it, though
        log.exception("The headers could not be finished; the response was sent as 'no-store'.")
        response.headers["Cache-Control"] = "no-store"


def _finish_headers(response: Response, visit: Visit) -> None:
    tell_caches(response.headers, visit)
    if visit.is_dependent and visit.environ.get("REQUEST_METHOD") in SAFE_METHODS:
        # What an earlier response had no room for, or what came back.
        for value in expire_leftovers(visit):
            response.headers.add("Set-Cookie", value)
        carry_signal(visit)
    count_page(visit, response)
