"""What the template macros stand on: banner, gates, embeds and links as markup."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence

from flask import Flask, render_template
from jinja2 import Undefined
from markupsafe import Markup, escape

from consent.core import gate as core_gate
from consent.core.declaration import Service
from consent.core.embed import Embed
from consent.errors import ConfigError, SetupError, UnknownKeyError
from consent.web.held_block import write_block
from consent.web.layer_rendering import Layer
from consent.web.liveness import is_live
from consent.web.own_templates import are_ours
from consent.web.placeholder import Frame, render_placeholder
from consent.web.runtime import held_block_script, runtime_script
from consent.web.service_signals import signal_scripts
from consent.web.shown_notice import find_mark
from consent.web.site import Site
from consent.web.snippet import render_frame, render_snippet, source_url
from consent.web.visit import Visit, current_consent, get_visit

_BANNER_TEMPLATES = ("consent/banner.html", "consent/default/banner.html")
_PREFERENCES_TEMPLATES = ("consent/preferences.html", "consent/default/preferences.html")
# Cannot occur in rendered markup: stand where a page's own path and a form's own random value go.
_PATH_MARK = "\0"
_ATTEMPT_MARK = "\1"
_BANNERS_LIMIT = 64
# Turbo and htmx would swap the preferences into the page that runs, and a withdrawal there would end nothing; and out of
# htmx's history cache would come a banner after the choice, or trackers after the withdrawal.
_LEFT_TO_THE_BROWSER = ' data-turbo="false" data-hx-boost="false" data-hx-history="false"'


class ConsentMarkup:
    """Give the macros their markup; the Jinja global `consent_markup`."""

    @staticmethod
    def head() -> Markup:
        """Return stylesheet and script, each once, when the page is about to ask."""
        visit = get_visit()
        return _prompt_head(visit) if visit.needs_prompt and not visit.is_own_page else Markup()

    @staticmethod
    def banner() -> Markup:
        """Return the banner, once, when the visitor is to be asked."""
        visit = get_visit()
        if visit.has_banner or visit.is_own_page or not visit.needs_prompt:
            return Markup()
        visit.has_banner = visit.has_spoken = True
        return _prompt_head(visit) + render_banner(visit)

    @staticmethod
    def runtime(visit: Visit) -> Markup:
        """Return the script, once: for the preferences page, which needs it whatever was decided."""
        return runtime_script(visit)

    @staticmethod
    def gate(keys: Sequence[str], caller: object) -> Markup:
        """Return the block's markup, live if every key is granted and held otherwise.

        Raises:
            SetupError: If it is no call block, or names no key.
            UnknownKeyError: If the policy does not declare a key.
        """
        if isinstance(caller, Undefined) or not callable(caller):
            raise SetupError(
                f"gate() wraps markup{_place()}: write {{% call gate('analytics') %}}…{{% endcall %}}, with what it holds in between."
            )
        if not keys:
            raise SetupError(
                f"gate() was given no key{_place()}. Name what must be granted, such as gate('analytics')."
            )
        return _gate(keys, caller)

    @staticmethod
    def script(service_key: str, values: Mapping[str, object]) -> Markup:
        """Return a service's snippet, live if the service is granted and held otherwise.

        Raises:
            UnknownKeyError: If the policy does not declare the service.
            SetupError: If the service has no snippet.
            ConfigError: If a parameter is unknown, missing or malformed.
        """
        visit = get_visit()
        service = _find_service(visit, service_key)
        template = visit.site.snippets.get(service_key)
        if template is None:
            raise SetupError(
                f"Service {service_key!r} has no snippet{_place()}. Write its markup in {{% call gate({service_key!r}) %}}."
            )
        try:
            snippet = render_snippet(service, template, values, nonce=visit.nonce)
        except ConfigError as error:
            raise ConfigError(f"{error} This is{_place()}.", key=error.key, value=error.value) from error
        return _gate((service_key,), lambda: snippet)

    @staticmethod
    def embed(service_key: str, embed_id: object, *, title: str, width: int | None, height: int | None) -> Markup:
        """Return a service's frame if it is granted, else a placeholder of the same size.

        Raises:
            UnknownKeyError: If the policy does not declare the service.
            SetupError: If the service cannot be embedded, or the frame has no title.
            ConfigError: If id, width or height is malformed.
        """
        visit = get_visit()
        service = _find_service(visit, service_key)
        embed = _find_embed(service)
        known_id = _check_embed_id(service, embed, str(embed_id))
        if not title:
            raise SetupError(
                f"embed() needs a title{_place()}: a frame without one says nothing to a screen reader (WCAG 4.1.2)."
            )
        size = {"width": _check_length(width, embed.width), "height": _check_length(height, embed.height)}
        frame = render_frame(embed, known_id, title=title, site_host=visit.site_host, **size)
        if core_gate.is_open(visit.decision, (service_key,)) and service_key not in visit.waiting:
            return frame
        head = styles(visit) + held_block_script(visit)
        source = source_url(embed, known_id)
        shown = Frame(embed_id=known_id, title=title, source_url=source, is_pasted=False, **size)
        return head + render_placeholder(visit, service, shown, write_block(visit, (service_key,), frame))

    @staticmethod
    def shown_fields(source: str, visit: Visit, service_key: str = "", *, has_room: bool = True) -> Markup:
        """Return the hidden fields by which a form says what was shown around it; nothing without a ledger.

        Args:
            source: `banner`, `preferences` or `embed`, with the service's key.
            has_room: Whether the placeholder of an embed is large enough to describe the service.
        """
        if visit.site.ledger is None:
            return Markup()
        layer = Layer(source=source, service_key=service_key, has_room=has_room)
        fields = {"shown": find_mark(visit, layer), "attempt": visit.attempt}
        written = (f'<input type="hidden" name="{name}" value="{value}">' for name, value in fields.items() if value)
        return Markup("".join(written))  # noqa: S704 - hexadecimal and base64url digits

    @staticmethod
    def settings_link(label: str) -> Markup:
        """Return the link to the preferences page."""
        visit = get_visit()
        visit.has_spoken = visit.has_spoken or not label
        return settings_link(visit, label)

    @staticmethod
    def cookie_table() -> Markup:
        """Return the table of every declared cookie."""
        visit = get_visit()
        visit.has_spoken = True
        return Markup(render_template("consent/cookie_table.html", visit=visit))  # noqa: S704 - autoescaped


def register_templating(app: Flask) -> None:
    """Make the globals known to every template, imported macros included."""
    app.jinja_env.globals["current_consent"] = current_consent
    app.jinja_env.globals["consent_markup"] = ConsentMarkup


def is_banner_ours(app: Flask) -> bool:
    """Whether the banner is rendered from the library's own template; a site's may show what belongs to one visitor."""
    return are_ours(app.jinja_env, _BANNER_TEMPLATES)


def are_preferences_ours(app: Flask) -> bool:
    """Whether the preferences page is rendered from the library's own template."""
    return are_ours(app.jinja_env, _PREFERENCES_TEMPLATES)


def styles(visit: Visit) -> Markup:
    """Return the stylesheet link, or nothing if the page has it already."""
    if visit.has_styles:
        return Markup()
    visit.has_styles = True
    return style_link(visit)


def style_link(visit: Visit) -> Markup:
    """Return the link to the banner's stylesheet."""
    nonce = f' nonce="{escape(visit.nonce)}"' if visit.nonce else ""
    return Markup(f'<link rel="stylesheet" href="{escape(visit.asset_url("banner.css"))}"{nonce}>')  # noqa: S704 - escaped here


def settings_link(visit: Visit, label: str = "") -> Markup:
    """Return the plain link to the preferences page, and beside it what the law wants said on every page.

    Args:
        label: The site's own words; where the law titles the link, its words stand instead.
    """
    asking = visit.asking
    url = escape(visit.preferences_url)
    words = escape(asking.settings_label if asking.has_legal_label or not label else label)
    honoured = asking.honoured_text
    status = f' <span class="pvc-honoured">{escape(honoured)}</span>' if honoured else ""
    listed = _policy_link(visit) if asking.has_transmission_list else ""
    return Markup(  # noqa: S704 - escaped here
        f'<a class="pvc-settings-link" href="{url}" data-consent-action="settings"{_LEFT_TO_THE_BROWSER}>{words}</a>'
        f"{status}{listed}"
    )


def _policy_link(visit: Visit) -> str:
    words = escape(visit.text("banner.policy"))
    return f' <a class="pvc-list-link" href="{escape(visit.policy_url)}">{words}</a>'


def settings_region(visit: Visit) -> Markup:
    """Return the link in a landmark of its own, for a page that has no place for it."""
    label = escape(visit.text("settings.link"))
    return Markup(f'<nav aria-label="{label}">{settings_link(visit)}</nav>')  # noqa: S704 - escaped here and there


def render_banner(visit: Visit) -> Markup:
    """Return the banner's markup, from a kept rendering where one serves every visitor."""
    site = visit.site
    if not site.is_banner_ours:
        return Markup(render_template("consent/banner.html", visit=visit))  # noqa: S704 - autoescaped by the template
    banner = _keep_banner(site, visit)
    if site.ledger is not None:
        banner = banner.replace(_ATTEMPT_MARK, visit.attempt)
    return Markup(banner.replace(_PATH_MARK, escape(visit.next_path)))  # noqa: S704 - escaped here


def _keep_banner(site: Site, visit: Visit) -> str:
    """Return the banner with marks for what is each page's own."""
    key = (visit.language, visit.preferences_url, "next" if visit.next_path else "", visit.prompt_key)
    kept = site.banners.get(key) if site.keeps_banners else None
    if kept is None:
        marked = visit.with_marks(next_path=_PATH_MARK if visit.next_path else "", attempt=_ATTEMPT_MARK)
        # A proxy can make up prefixes without end.
        if len(site.banners) >= _BANNERS_LIMIT:
            site.banners.clear()
        kept = site.banners[key] = site.environment.get_template("consent/banner.html").render(visit=marked)
    return kept


def _prompt_head(visit: Visit) -> Markup:
    return styles(visit) + runtime_script(visit)


def _gate(keys: Sequence[str], write: Callable[[], object]) -> Markup:
    visit = get_visit()
    for key in keys:
        visit.policy.check_key(key, where=_place().strip())
    has_grant = is_live(visit, keys)
    signals = signal_scripts(visit, keys, is_held=not has_grant)
    if has_grant:
        return signals + Markup(write())  # noqa: S704 - the template's own markup, escaped where it was written
    # Asked before the block is written: a gate inside it must not take the script with it into the held text.
    script = held_block_script(visit)
    was_holding, visit.is_holding = visit.is_holding, True
    try:
        held = f"{signals}{write()}"
    finally:
        visit.is_holding = was_holding
    return script + write_block(visit, keys, held)


def _find_service(visit: Visit, key: str) -> Service:
    service = visit.policy.services_by_key.get(key)
    if service is None:
        raise UnknownKeyError(key, allowed=visit.policy.services_by_key, where=_place().strip())
    return service


def _find_embed(service: Service) -> Embed:
    if service.embed is None:
        raise SetupError(f"Service {service.key!r} cannot be embedded{_place()}: its declaration has no 'embed'.")
    return service.embed


def _check_embed_id(service: Service, embed: Embed, embed_id: str) -> str:
    if not embed.takes(embed_id):
        raise ConfigError(
            f"{embed_id!r} is no id of service {service.key!r}{_place()}. It must match {embed.id_pattern!r}, such as "
            f"{embed.id_example!r}.",
            key=service.key,
            value=embed_id,
        )
    return embed_id


def _check_length(given: object, default: int) -> int:
    if given is None:
        return default
    if not isinstance(given, int) or given < 1:
        raise ConfigError(
            f"Width and height of embed() are whole numbers of CSS pixels, such as 560, got {given!r}{_place()}.",
            key="embed",
            value=given,
        )
    return given


def _place() -> str:
    """Return ` in template 'x.html', line 3` for the innermost template of the site itself."""
    frame = inspect.currentframe()
    while frame is not None:
        template = frame.f_globals.get("__jinja_template__")
        if template is not None and not str(template.name).startswith("consent/"):
            name = f"template {template.name!r}" if template.name else "a template given as text"
            return f" in {name}, line {template.get_corresponding_lineno(frame.f_lineno)}"
        frame = frame.f_back
    return ""
