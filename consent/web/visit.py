"""One request's consent state: parsed when someone first asks, and remembered to have been asked."""

from __future__ import annotations

import copy
import hashlib
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote

from flask import Flask, current_app, request
from werkzeug.local import LocalProxy

from consent.core import gate
from consent.core.decision import Decision
from consent.core.privacy_signal import Signals, parse_sec_gpc
from consent.core.record import ConsentRecord
from consent.core.regime import Regime
from consent.engine import Standing, cookie_name
from consent.errors import SetupError
from consent.web.csp import ask_for_nonce
from consent.web.fragment import find_fragment_header
from consent.web.language import LANGUAGE_PARAMETER, ask_app, parse_language
from consent.web.site import EXTENSION_KEY, Site
from consent.web.wording import Wording
from consent.wire.origin import is_safe_path
from consent.wire.submission import fits_form

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

log = logging.getLogger("consent")

# Kept with the request and not on `g`: one application context can serve several requests, nested ones included.
_ENVIRON_KEY = "flask_cookie_consent.visit"

# Unreserved and sub-delimiters of a path (RFC 3986 section 3.3).
_PATH_SAFE = "/:@!$&'()*+,;=~-._"


class Visit(Wording):
    """Hold what this visitor has allowed, and what a page needs to know about asking.

    Reached as `current_consent`, in views and in templates. Reading anything that depends on
    the visitor marks the response `Vary: Cookie, Sec-GPC` and private.
    """

    def __init__(self, site: Site, environ: Mapping[str, object]) -> None:
        super().__init__(site)
        self.environ = environ
        self.is_dependent = False
        """Whether the response depends on the visitor; once true it stays so."""

        self.is_answered = False
        """Whether the headers have gone."""

        self.is_own_page = False
        """Whether the page is one of the library's own, which needs no banner."""

        self.is_asset = False
        """Whether it is one of the library's files, which are the same for everyone."""

        self.own_next_path: str | None = None
        """Where a choice made on this page leads, once it was worked out."""

        self.has_spoken = False
        """Whether a macro has put words into the page, before its `lang` could be known."""

        self.page_language = ""
        """The `lang` of the page's own `<html>`, where it is known."""

        self.extra_vary: tuple[str, ...] = ()
        """Names of request headers, besides the usual two, that the response varies with."""

        self.has_styles = False
        self.has_script = False
        self.has_banner = False
        self._standing: Standing | None = None
        self._is_gpc_told = False
        self._app_language: str | bool | None = False
        self._page_key: str | None = None
        self._nonce: str | None = None

    def __repr__(self) -> str:
        return f"<Visit of {self.environ.get('PATH_INFO', '')!r}>"

    # -- what the visitor decided ------------------------------------------------------------

    @property
    def standing(self) -> Standing:
        """The record believed and the decision, read at the first use."""
        self._mark()
        return self._peek()

    @property
    def decision(self) -> Decision:
        """The verdict and reason of each purpose and service."""
        return self.standing.decision

    @property
    def record(self) -> ConsentRecord | None:
        """The last choice, as much of it as the cookie holds; None for none that is believed."""
        return self.standing.record

    @property
    def needs_prompt(self) -> bool:
        """Whether the banner is to be shown."""
        return self.decision.needs_prompt

    @property
    def regime(self) -> Regime:
        """The legal regime that applies to this visitor."""
        return self.decision.regime

    @property
    def jurisdiction(self) -> str | None:
        """Where the visitor is; None for unknown, which means opt-in."""
        self._mark()
        return None

    @property
    def cache_key(self) -> str:
        """16 hexadecimal digits that are equal for visitors who get the same page.

        To be part of the key of every cached view or fragment in which a gate stands.
        """
        decision = self.decision
        verdicts = sorted({**decision.choices, **decision.services}.items())
        text = repr((self.policy.version, decision.regime, decision.needs_prompt, self.signals.gpc, verdicts))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def allows(self, key: str) -> bool:
        """Whether a purpose or service is granted.

        Raises:
            UnknownKeyError: If the policy does not declare the key.
        """
        self.policy.check_key(key)
        return gate.is_open(self.decision, (key,))

    def adopt(self, record: ConsentRecord) -> Standing:
        """Take a choice that was just made for the visitor's standing, and return it."""
        self._mark()
        self._standing = self.site.engine.judge(record, signals=self.signals)
        return self._standing

    def heed_gpc(self) -> Standing:
        """Take the page's word that Global Privacy Control is on, whether or not a header says so; return the standing under it.

        A script of the page can read the signal where a proxy drops the header. Like the header, it can only close.
        """
        self._is_gpc_told = True
        self._standing = None
        return self.standing

    def restore(self, standing: Standing) -> None:
        """Put back the standing before a choice that could not be recorded."""
        self._standing = standing

    @property
    def signals(self) -> Signals:
        """The browser's privacy signals."""
        self._mark()
        return self._read_signals()

    # -- what a page needs ---------------------------------------------------------------------

    @property
    def language(self) -> str:
        """Tag of the language to speak to this visitor, such as `en` or `zh-Hans`."""
        asked = self._asked_language if self.is_own_page else None
        return asked or self.ask_app_for_language() or self._page_language or self.site.default_language

    def speak_like_page(self, language: str) -> None:
        """Take the page's own `lang`, unless a macro has spoken already: one page has one language."""
        if not self.has_spoken:
            self.page_language = language

    def ask_app_for_language(self) -> str | None:
        """Return what the app says of the language; asked once, while there is a request."""
        if self._app_language is False:
            self._app_language = ask_app(self.site)
        return self._app_language if isinstance(self._app_language, str) else None

    def add_vary(self, name: str) -> None:
        """Note a request header that the response varies with."""
        if name not in self.extra_vary:
            self.extra_vary = (*self.extra_vary, name)

    @property
    def base_path(self) -> str:
        """Path that every address of the library begins with."""
        return f"{self._script_root}{self.site.settings.url_prefix}/"

    @property
    def preferences_url(self) -> str:
        """Address of the preferences page, in the language of this one."""
        return f"{self.base_path}{self._language_query}"

    @property
    def action_url(self) -> str:
        """Address that choices are posted to: the record names the language they were asked in."""
        return self.preferences_url

    @property
    def policy_url(self) -> str:
        """Address of the cookie declaration, in the language of this page."""
        return f"{self.base_path}policy{self._language_query}"

    def asset_url(self, name: str) -> str:
        """Return the path of a stylesheet or script of the library."""
        return f"{self.base_path}assets/{self.site.assets[name].file_name}"

    @property
    def next_path(self) -> str:
        """Path and query of this page, to come back to; empty if it cannot be fetched again."""
        if self.own_next_path is None:
            self.own_next_path = self._find_next_path()
        return self.own_next_path

    def with_next_path(self, path: str) -> Visit:
        """Return a copy that leads back to another page."""
        twin = copy.copy(self)
        twin.own_next_path = path
        return twin

    @property
    def home_path(self) -> str:
        """Path of the site's root."""
        return f"{self._script_root}/"

    @property
    def nonce(self) -> str:
        """The response's CSP nonce; empty for none."""
        if self._nonce is None:
            self._nonce = ask_for_nonce(self.site)
        return self._nonce

    @property
    def page_key(self) -> str:
        """Random key of this response, on every held block of it."""
        if self._page_key is None:
            self._page_key = self.site.engine.new_page_key()
        return self._page_key

    @property
    def is_secure(self) -> bool:
        """Whether the request came over HTTPS, as far as the WSGI environment says."""
        return self.environ.get("wsgi.url_scheme") == "https"

    @property
    def cookie_name(self) -> str:
        """Name of the consent cookie under this request's scheme."""
        return cookie_name(is_secure=self.is_secure)

    @property
    def cookie_header(self) -> str:
        """The request's `Cookie` field, unparsed."""
        return str(self.environ.get("HTTP_COOKIE", ""))

    # -- inside --------------------------------------------------------------------------------

    def _mark(self) -> None:
        if self.is_answered and not self.is_dependent:
            log.warning(
                "Consent was read in %r after its headers had gone, so no cache was told that the response depends on the "
                "visitor. Read current_consent before the stream begins.",
                self.environ.get("PATH_INFO", ""),
            )
        self.is_dependent = True

    def _peek(self) -> Standing:
        if self._standing is None:
            is_secure = self.is_secure
            if not is_secure and "HTTP_X_FORWARDED_PROTO" in self.environ and self._is_secure_for_proxy:
                _warn_of_proxy(self.site)
            self._standing = self.site.engine.look_up(
                self.cookie_header, is_secure=is_secure, signals=self._read_signals()
            )
        return self._standing

    @property
    def _is_secure_for_proxy(self) -> bool:
        return str(self.environ.get("HTTP_X_FORWARDED_PROTO", "")).partition(",")[0].strip().lower() == "https"

    def _read_signals(self) -> Signals:
        if self._is_gpc_told:
            return Signals(gpc=True)
        value = self.environ.get("HTTP_SEC_GPC")
        return Signals(gpc=parse_sec_gpc(str(value))) if value is not None else _NO_SIGNALS

    @property
    def _asked_language(self) -> str | None:
        """What the link to one of the library's own pages asked for."""
        return self.site.messages.match(parse_language(self.environ))

    @property
    def _page_language(self) -> str | None:
        return self.site.messages.match(self.page_language) if self.page_language else None

    @property
    def _language_query(self) -> str:
        # The app may tell languages by path, and on the library's own pages the path says nothing.
        language = self.language
        return "" if language == self.site.default_language else f"?{LANGUAGE_PARAMETER}={language}"

    @property
    def _script_root(self) -> str:
        # A prefix such as `//evil.example` would make every address lead to another host.
        root = str(self.environ.get("SCRIPT_NAME", "")).strip("/")
        return "/" + quote(root.encode("latin-1"), safe=_PATH_SAFE) if root else ""

    def _find_next_path(self) -> str:
        # What was posted, or is a part of a page, is no page to come back to.
        if self.environ.get("REQUEST_METHOD") not in ("GET", "HEAD") or find_fragment_header(self.environ):
            return ""
        path = quote(str(self.environ.get("PATH_INFO", "")).encode("latin-1"), safe=_PATH_SAFE)
        query = str(self.environ.get("QUERY_STRING", ""))
        whole = f"{self._script_root}{path}{'?' if query else ''}{query}"
        return whole if is_safe_path(whole) and fits_form(whole) else ""


def _warn_of_proxy(site: Site) -> None:
    if not current_app.debug:
        site.warn_once(
            "proxy",
            "A proxy says that visitors use HTTPS, but the app sees plain HTTP, so the consent cookie is set without Secure "
            "and without its __Host- prefix. Configure ProxyFix: werkzeug.middleware.proxy_fix.ProxyFix(app.wsgi_app, x_proto=1).",
        )


_NO_SIGNALS = Signals()


def get_site(app: Flask) -> Site:
    """Return what was computed for an app.

    Raises:
        SetupError: If the app has no Consent extension.
    """
    site: Site | None = app.extensions.get(EXTENSION_KEY)
    if site is None:
        raise SetupError("This app has no Consent extension. Call Consent(app) or consent.init_app(app) first.")
    return site


def get_visit() -> Visit:
    """Return the visit of the current request.

    Raises:
        SetupError: Outside a request.
    """
    try:
        environ = request.environ
    except RuntimeError as error:
        raise SetupError(
            "current_consent was read outside a request. Push one with app.test_request_context(), or pass a Visit explicitly."
        ) from error
    return open_visit(get_site(current_app), environ)


def open_visit(site: Site, environ: WSGIEnvironment) -> Visit:
    """Return the visit of a request to a site, beginning it if nothing has asked for it."""
    visit: Visit | None = environ.get(_ENVIRON_KEY)
    if visit is None or visit.site is not site:
        visit = environ[_ENVIRON_KEY] = Visit(site, environ)
    return visit


def has_visit(environ: WSGIEnvironment) -> bool:
    """Whether anything has asked for the visit of a request."""
    return _ENVIRON_KEY in environ


def close_visit(environ: WSGIEnvironment) -> None:
    """Let go of the visit once nothing can ask for it any more: a server may use its environment again."""
    environ.pop(_ENVIRON_KEY, None)


current_consent: Visit = LocalProxy(get_visit)  # type: ignore[assignment]  # a proxy behaves as what it stands for
