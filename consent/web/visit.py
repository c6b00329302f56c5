"""One request's consent state: parsed when someone first asks, and remembered to have been asked."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from flask import Flask, current_app, request
from werkzeug.local import LocalProxy

from consent.core import gate
from consent.core.decision import Decision
from consent.core.jurisdiction import Jurisdiction, Place
from consent.core.lifetime import Months
from consent.core.privacy_signal import Signals, parse_dnt, parse_sec_gpc
from consent.core.prompt import Prompt
from consent.core.record import ConsentRecord
from consent.core.regime import Regime
from consent.engine import Standing
from consent.errors import SetupError
from consent.web.asking import Asking
from consent.web.csp import ask_for_nonce
from consent.web.fragment import find_fetch_header
from consent.web.known_user import KnownUser
from consent.web.language import ask_app, parse_language
from consent.web.own_cookies import OwnCookies
from consent.web.revocation import heed_ledger
from consent.web.site import EXTENSION_KEY, Site

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

log = logging.getLogger("consent")

# Kept with the request and not on `g`: one application context can serve several requests, nested ones included.
_ENVIRON_KEY = "flask_cookie_consent.visit"


class Visit(OwnCookies):
    """Hold what this visitor has allowed, and what a page needs to know about asking.

    Reached as `current_consent`, in views and in templates. Reading anything that depends on
    the visitor marks the response `Vary: Cookie, Sec-GPC` and private.
    """

    def __init__(self, site: Site, environ: Mapping[str, object]) -> None:
        super().__init__(site, environ)
        self.is_dependent = False
        """Whether the response depends on the visitor; once true it stays so."""

        self.is_answered = self.is_streamed = False
        """Whether the headers have gone; and whether the body is made while it is sent, so that somebody may ask after them."""

        self.is_own_page = False
        """Whether the page is one of the library's own, which needs no banner."""

        self.is_asset = False
        """Whether it is one of the library's files, which are the same for everyone."""

        self.has_spoken = False
        """Whether a macro has put words into the page, before its `lang` could be known."""

        self.page_language = ""
        """The `lang` of the page's own `<html>`, where it is known."""

        self.extra_vary: tuple[str, ...] = ()
        """Names of request headers, besides the usual two, that the response varies with."""

        self.is_stand_in = False
        """Whether it is the visit of nobody, made up to see what somebody would."""

        self.has_styles = self.has_script = self.has_banner = False
        self.is_holding = False
        """Whether markup is being written that a shut gate holds."""

        self.told: frozenset[str] = frozenset()
        """Keys of the signal adapters whose calls the page has, in front of markup that runs."""

        self.user = KnownUser(site)
        self._standing: Standing | None = None
        self._whereabouts: tuple[Place | None, Jurisdiction] | None = None
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
        """Where the visitor is, such as `FR` or `US-CA`; None for unknown, which means opt-in."""
        return str(self.place) if self.place else None

    @property
    def place(self) -> Place | None:
        """Where the visitor is, country and region apart; None for unknown."""
        self._mark()
        return self._find_whereabouts()[0]

    @property
    def rules(self) -> Jurisdiction:
        """The row of the jurisdiction table that holds for this visitor."""
        return self._find_whereabouts()[1]

    @property
    def prompt(self) -> Prompt | None:
        """What the banner is about; None for no banner."""
        return self.decision.prompt

    @property
    def cache_key(self) -> str:
        """16 hexadecimal digits that are equal for visitors who get the same page.

        To be part of the key of every cached view or fragment in which a gate stands.
        """
        section_name = self.site.signals.find_gpp_section(self.place, self.rules)
        host = self.site_host if self.site.names_host else ""
        # Google is told of other places by the pages of visitors whose own is not known.
        text = repr((self.prompt_key, sorted(self.waiting), section_name, self.place is None, host))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def months(self) -> Months:
        """How long a choice that is made here holds."""
        return self.standing.outcome.months

    @property
    def asking(self) -> Asking:
        """The decision, sorted for templates."""
        return Asking(self)

    @property
    def waiting(self) -> frozenset[str]:
        """Keys of what is open, and yet waits until a script has asked the browser for Global Privacy Control.

        Safari tells its scripts and sends no header, so where the signal decides, no answer means: ask first. What a
        script fetches is for a page that has asked; whether the answer has come, the record shows that the visitor left.
        """
        standing = self.standing
        closed = standing.outcome.closed_by_gpc
        decider = find_fetch_header(self.environ) if closed and standing.record else ""
        if decider:
            self.add_vary(decider)
        return frozenset() if decider else closed

    @property
    def prompt_key(self) -> tuple[object, ...]:
        """What the words of the prompt depend on, besides language and addresses."""
        return (self.standing.outcome.likeness, self.cookie_domain)

    def allows(self, key: str) -> bool:
        """Whether a purpose or service may run for this visitor.

        Raises:
            UnknownKeyError: If the policy does not declare the key.
        """
        self.policy.check_key(key)
        return gate.is_open(self.decision, (key,))

    def signals(self, adapter_key: str) -> Mapping[str, str]:
        """Return what a provider is to be told, for calls that the server makes itself.

        Args:
            adapter_key: Such as `google`, for `{"ad_storage": "granted", …}`; or `gpp`, for `{"gpp": …, "gpp_sid": …}`,
                empty where it does not apply.

        Raises:
            SetupError: If no declared service is told by it.
        """
        place, has_gpc = self.place, self.browser_signals.gpc
        return self.site.signals.describe(adapter_key, self.decision, place=place, rules=self.rules, has_gpc=has_gpc)

    def adopt(self, record: ConsentRecord) -> Standing:
        """Take a choice that was just made for the visitor's standing, and return it."""
        self._mark()
        self._standing = self.site.engine.judge(record, signals=self.browser_signals, jurisdiction=self.rules)
        return self._standing

    def heed_gpc(self) -> Standing:
        """Take the page's word that Global Privacy Control is on, whether or not a header says so; return the standing under it.

        A script of the page can read the signal where a proxy drops the header. Like the header, it can only close.
        """
        self._is_gpc_told = True
        self._standing = None
        return self.standing

    def stand_in(self, place: Place | None, record: ConsentRecord | None) -> None:
        """Let the visit be that of somebody in a place with a record, whatever the request says of both."""
        self.is_stand_in = True
        engine = self.site.engine
        self._whereabouts = (place, self.site.jurisdictions.find(place, now=engine.read_clock()))
        self._standing = engine.judge(record, signals=self._read_signals(), jurisdiction=self._whereabouts[1])

    def restore(self, standing: Standing) -> None:
        """Put a standing in place: the one before a choice that could not be recorded, or the one after it under its final ids."""
        self._standing = standing

    @property
    def browser_signals(self) -> Signals:
        """The privacy signals that the browser sends."""
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

    # -- inside --------------------------------------------------------------------------------

    def _mark(self) -> None:
        if self.site.settings.dnt:
            self.add_vary("DNT")
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
            standing = self.site.engine.look_up(
                self.cookie_header, is_secure=is_secure, signals=self._read_signals(), jurisdiction=self.rules
            )
            self._standing = self.user.join(heed_ledger(self.site, standing))
        return self._standing

    @property
    def _is_secure_for_proxy(self) -> bool:
        return str(self.environ.get("HTTP_X_FORWARDED_PROTO", "")).partition(",")[0].strip().lower() == "https"

    def _find_whereabouts(self) -> tuple[Place | None, Jurisdiction]:
        """Return the place and its rules, and note what they depend on."""
        finder = self.site.find_place
        if self._whereabouts is None:
            place = finder.find(self.environ) if finder else None
            self._whereabouts = (place, self.site.jurisdictions.find(place, now=self.site.engine.read_clock()))
        if finder:
            self._mark()
            for name in finder.vary:
                self.add_vary(name)
        return self._whereabouts

    def _read_signals(self) -> Signals:
        environ = self.environ
        gpc = environ.get("HTTP_SEC_GPC")
        has_dnt = self.site.settings.dnt and "HTTP_DNT" in environ
        is_remembered = self.remembers_gpc
        if gpc is None and not (has_dnt or is_remembered or self._is_gpc_told):
            return _NO_SIGNALS
        is_gpc = self._is_gpc_told or is_remembered or (gpc is not None and parse_sec_gpc(str(gpc)))
        return Signals(gpc=is_gpc, dnt=has_dnt and parse_dnt(str(environ.get("HTTP_DNT"))))

    @property
    def _asked_language(self) -> str | None:
        """What the link to one of the library's own pages asked for."""
        return self.site.messages.match(parse_language(self.environ))

    @property
    def _page_language(self) -> str | None:
        return self.site.messages.match(self.page_language) if self.page_language else None


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
    if visit is None or (visit.site is not site and not visit.is_stand_in):
        visit = environ[_ENVIRON_KEY] = Visit(site, environ)
    return visit


def bind_visit(visit: Visit, environ: WSGIEnvironment | None = None) -> Visit:
    """Make a visit that of the current request, or of one to come, and return it."""
    (request.environ if environ is None else environ)[_ENVIRON_KEY] = visit
    return visit


def has_visit(environ: WSGIEnvironment, site: Site) -> bool:
    """Whether anything has asked for the visit of a request to a site; an app within another has visits of its own."""
    visit: Visit | None = environ.get(_ENVIRON_KEY)
    return visit is not None and (visit.site is site or visit.is_stand_in)


def close_visit(environ: WSGIEnvironment) -> None:
    """Let go of the visit once nothing can ask for it any more: a server may use its environment again."""
    environ.pop(_ENVIRON_KEY, None)


current_consent: Visit = LocalProxy(get_visit)  # type: ignore[assignment]  # a proxy behaves as what it stands for
