"""`Consent`: what a site adds to its app."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from types import UnionType
from typing import TypeVar

from flask import Flask

from consent.catalogue import load_service, open_folders
from consent.core.declaration import Purpose, Service, default_purposes
from consent.core.document import Document
from consent.core.ledger import Ledger
from consent.core.lint import Finding, Severity, lint
from consent.core.policy import Policy
from consent.engine import Engine
from consent.errors import ConfigError, SetupError
from consent.jurisdictions import CHECKED_ON, load_implied_consent, load_table
from consent.messages import Messages, load_messages
from consent.web.auto_hold import register_filter
from consent.web.csp_reports import add_report_route
from consent.web.dashboard import add_dashboard
from consent.web.foreign_tags import build_foreign_tags
from consent.web.hooks import BLUEPRINT_NAME, register_hooks
from consent.web.host_setup import build_hosts
from consent.web.known_user import Loader, Saver, UserChoices
from consent.web.ledger_setup import build_ledger
from consent.web.own_cookies import list_login_cookies
from consent.web.panel import add_panel
from consent.web.place import make_finder
from consent.web.runtime import list_storage
from consent.web.settings import Settings, read_settings, read_signing_keys
from consent.web.signal_setup import build_signals
from consent.web.signal_views import GPC_FILE_PATH, show_gpc_file
from consent.web.site import EXTENSION_KEY, Site, load_assets
from consent.web.snippet import compile_snippets
from consent.web.templating import register_templating
from consent.web.views import make_blueprint
from consent.wire.headers import compile_names

log = logging.getLogger("consent")

T = TypeVar("T")
L = TypeVar("L", bound=Loader)
S = TypeVar("S", bound=Saver)


class Consent:
    """Ask for consent on every page of a Flask app, remember the answer, and gate what needs it.

    Args:
        app: The app to set up; None to call `init_app` later, once for each app.
        policy: Everything declared in one object; excludes `services`, `purposes` and `documents`.
        services: Catalogue keys, or `Service` objects of the site's own.
        purposes: Purposes to add to the four shipped ones; one of the same key replaces it.
        documents: The versioned texts that visitors are to note: privacy policy, cookie policy, terms.
        jurisdiction: Function that says where the visitor of the current request is, such as `"FR"` or
            `"US-CA"`; None for unknown.
        ledger: Where the proof is kept, in place of the address in `CONSENT_LEDGER`.

    Raises:
        ConfigError: If the policy or a setting is wrong; always when the app starts.
        SetupError: If the app has the extension already.
    """

    def __init__(  # noqa: PLR0913 - one for each thing that a site can bring
        self,
        app: Flask | None = None,
        *,
        policy: Policy | None = None,
        services: Iterable[str | Service] = (),
        purposes: Iterable[Purpose] = (),
        documents: Iterable[Document] = (),
        jurisdiction: Callable[[], object] | None = None,
        ledger: Ledger | None = None,
    ) -> None:
        if policy is not None and not isinstance(policy, Policy):
            raise ConfigError(f"'policy' must be a Policy, got {policy!r}.", key="policy", value=policy)
        self._policy = policy
        self._services = _read_list(
            services, str | Service, key="services", allowed="catalogue keys or Service objects"
        )
        self._purposes = _read_list(purposes, Purpose, key="purposes", allowed="Purpose objects")
        self._documents = _read_list(documents, Document, key="documents", allowed="Document objects")
        self._jurisdiction = jurisdiction
        self._ledger = ledger
        self._users = UserChoices()
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Set up one app: routes, hooks, template globals. Settings are read here, once.

        Raises:
            ConfigError: If the policy or a setting is wrong.
            SetupError: If the app has the extension already.
        """
        if EXTENSION_KEY in app.extensions:
            raise SetupError(
                "This app already has a Consent extension. Use app.extensions['consent'] instead of calling init_app() twice."
            )
        if BLUEPRINT_NAME in app.blueprints:
            raise SetupError(
                f"This app already has a blueprint named {BLUEPRINT_NAME!r}, which is the name of the library's own. "
                "Give the site's blueprint another name."
            )
        site = self._build_site(app)
        blueprint = make_blueprint(BLUEPRINT_NAME, url_prefix=site.settings.url_prefix)
        add_dashboard(blueprint, site)
        add_report_route(blueprint, site)
        app.register_blueprint(blueprint)
        # At the root of the site, where a blueprint with a prefix does not reach.
        app.add_url_rule(GPC_FILE_PATH, f"{BLUEPRINT_NAME}.gpc_file", show_gpc_file)
        register_templating(app)
        register_filter(app)
        register_hooks(app, site)
        add_panel(app, site)
        app.extensions[EXTENSION_KEY] = site

    def load_choice(self, function: L) -> L:
        """Register, as a decorator, the function that loads the choice of the user who is logged in.

        It takes nothing and returns the text that was last saved for that user, `""` if none was, or
        None if nobody is logged in. It may be registered before or after `init_app`.

        Raises:
            SetupError: If it is async, takes arguments, or is the second one.
        """
        self._users.set_loader(function)
        return function

    def save_choice(self, function: S) -> S:
        """Register, as a decorator, the function that saves the choice of the user who is logged in.

        It takes one text, signed and opaque, and is called only while `load_choice` says that
        somebody is logged in. If it raises, nothing is granted.

        Raises:
            SetupError: If it is async, does not take one argument, or is the second one.
        """
        self._users.set_saver(function)
        return function

    def _build_site(self, app: Flask) -> Site:
        settings = read_settings(app.config)
        keys, key_warnings = read_signing_keys(app.config)
        policy = self._build_policy(settings, folders=open_folders(settings.catalogue, root=app.root_path))
        _check_cookies(policy, app)
        assets = load_assets()
        messages = load_messages(overrides=settings.texts, fallback=settings.language)
        for purpose in policy.purposes:
            _check_words(purpose, messages)
        for document in policy.documents:
            _check_title(document, messages)
        jurisdictions, rule_warnings = load_table(settings.jurisdiction_rules)
        engine = Engine(policy, keys_oldest_first=keys, is_shared=bool(settings.cookie_domain))
        found = lint(
            policy,
            jurisdictions,
            shipped=load_table()[0],
            texts=settings.texts,
            phrases=load_implied_consent(),
            now=engine.read_clock(),
        )
        findings = (
            *found,
            *(_make_warning("SECRET_KEY", warning) for warning in key_warnings),
            *(_make_warning("CONSENT_JURISDICTION_RULES", warning) for warning in rule_warnings),
        )
        signals, signal_findings = build_signals(policy, settings)
        findings = (*findings, *signal_findings)
        _report(findings)
        snippets = compile_snippets(policy)
        ledger, is_ledger_ready = build_ledger(self._ledger, settings, folder=Path(app.instance_path))
        return Site(
            settings=settings,
            environment=app.jinja_env,
            engine=engine,
            findings=findings,
            jurisdictions=jurisdictions,
            users=self._users,
            rules_checked_on=CHECKED_ON,
            find_place=make_finder(
                jurisdiction=self._jurisdiction,
                headers=settings.jurisdiction_headers or None,
                database=settings.jurisdiction_database,
            ),
            messages=messages,
            default_language=messages.fallback,
            assets=assets,
            assets_by_file_name={asset.file_name: asset for asset in assets.values()},
            signals=signals,
            foreign_tags=build_foreign_tags(policy, settings),
            snippets=snippets,
            load_hosts=build_hosts(policy, settings, snippets),
            storage=list_storage(policy),
            ledger=ledger,
            is_ledger_ready=is_ledger_ready,
            names_host=any(each.embed and "{site_host}" in each.embed.url for each in policy.services),
        )

    def _build_policy(self, settings: Settings, *, folders: Sequence[Path]) -> Policy:
        if self._policy is not None:
            has_parts = bool(self._services or self._purposes or self._documents)
            _check_lone_policy(self._policy, settings, has_parts=has_parts)
            return _fill_months(self._policy, settings)
        if settings.controller is None:
            raise ConfigError(
                "'CONSENT_CONTROLLER' is not set. Set it to the name of the company or person who runs the site: a banner "
                "must say who asks (GDPR art. 13(1)(a)).",
                key="CONSENT_CONTROLLER",
            )
        own = {purpose.key: purpose for purpose in self._purposes}
        shipped = tuple(own.pop(purpose.key, purpose) for purpose in default_purposes())
        return Policy(
            controller=settings.controller,
            purposes=(*shipped, *own.values()),
            services=tuple(
                load_service(service, folders=folders) if isinstance(service, str) else service
                for service in self._services
            ),
            documents=self._documents,
            accept_months=settings.accept_months,
            refuse_months=settings.refuse_months,
        )


def _check_cookies(policy: Policy, app: Flask) -> None:
    """Refuse names that would take the app's own cookies along: without them visitors are logged out."""
    own = list_login_cookies(app)
    for service in policy.services:
        for cookie in service.cookies if policy.optional_purposes_of(service) else ():
            pattern = compile_names([cookie]) if cookie.is_clearable else None
            taken = next((name for name in own if pattern and pattern.search(f"{name}=")), "")
            if taken:
                raise ConfigError(
                    f"Cookie {cookie.name!r} of service {service.key!r} also means {taken!r}, the app's own cookie, and refusing the "
                    "service would log visitors out. Write out more of the name, or file the service under 'necessary'.",
                    key=service.key,
                    value=cookie.name,
                )


def _make_warning(key: str, message: str) -> Finding:
    return Finding(rule="-", severity=Severity.WARNING, key=key, message=message)


def _report(findings: tuple[Finding, ...]) -> None:
    """Log what is doubtful, and refuse what is unlawful, all of it at once."""
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if errors:
        raise ConfigError(
            " ".join(finding.message for finding in errors),
            key=errors[0].key,
            value=findings,
        )
    for finding in findings:
        log.warning("%s", finding.message)


def _check_lone_policy(policy: Policy, settings: Settings, *, has_parts: bool) -> None:
    if has_parts:
        raise ConfigError(
            "Consent() was given 'policy' together with 'services', 'purposes' or 'documents'. Put them into the Policy, or leave it out.",
            key="policy",
        )
    given = {
        "controller": settings.controller,
        "accept_months": settings.accept_months,
        "refuse_months": settings.refuse_months,
    }
    for name, value in given.items():
        # Months that the policy leaves open contradict nothing.
        if value is not None and getattr(policy, name) not in (None, value):
            raise ConfigError(
                f"'CONSENT_{name.upper()}' is {value!r}, but the given Policy says {getattr(policy, name)!r}. Keep one of the two.",
                key=f"CONSENT_{name.upper()}",
                value=value,
            )


def _fill_months(policy: Policy, settings: Settings) -> Policy:
    """Return the policy with the settings' lifetimes where it has none of its own."""
    accept, refuse = settings.accept_months, settings.refuse_months
    if accept is None and refuse is None:
        return policy
    return replace(policy, accept_months=policy.accept_months or accept, refuse_months=policy.refuse_months or refuse)


def _check_words(purpose: Purpose, messages: Messages) -> None:
    for name in ("title", "description"):
        if not getattr(purpose, name) and not messages.has_text(f"purpose.{purpose.key}.{name}"):
            raise ConfigError(
                f"Purpose {purpose.key!r} has no {name!r}, and only the shipped purposes bring their own words. "
                f"Write Purpose({purpose.key!r}, title='…', description='…').",
                key=purpose.key,
                value=getattr(purpose, name),
            )


def _check_title(document: Document, messages: Messages) -> None:
    if not document.title and not messages.has_text(f"document.{document.key}.title"):
        raise ConfigError(
            f"Document {document.key!r} has no 'title', and only 'privacy', 'cookies' and 'terms' bring their own. "
            f"Write Document({document.key!r}, title='…', …).",
            key=document.key,
            value=document.title,
        )


def _read_list(items: Iterable[T], kind: type[T] | UnionType, *, key: str, allowed: str) -> tuple[T, ...]:
    if isinstance(items, str):
        raise ConfigError(
            f"{key!r} must be a list, got the text {items!r}. Write {key}=[{items!r}].", key=key, value=items
        )
    if not isinstance(items, Iterable):
        raise ConfigError(f"{key!r} must be a list of {allowed}, got {items!r}.", key=key, value=items)
    read = tuple(items)
    for item in read:
        if not isinstance(item, kind):
            raise ConfigError(f"{key!r} must hold {allowed}, got {item!r}.", key=key, value=item)
    return read
