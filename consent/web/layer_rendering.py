"""Render what visitors are shown once more, for nobody: without anything that is one visitor's, or one page's."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

from flask import Flask, render_template

from consent.core.choice import find_switched_on
from consent.engine import Standing
from consent.web.own_templates import are_ours
from consent.web.rehearsal import Situation, rehearse
from consent.web.site import Site
from consent.web.visit import Visit, bind_visit

log = logging.getLogger("consent")

Write = Callable[..., str]
"""Renders a template, given its name and its variables."""

# Placeholders come in any size; what they say depends on whether there is room to describe the service.
_SIZES: Mapping[bool, tuple[int, int]] = {True: (560, 315), False: (320, 180)}
_TEMPLATES: Mapping[str, tuple[str, ...]] = {
    "banner": ("banner",),
    "preferences": ("preferences", "layout", "cookie_table"),
    "embed": ("placeholder",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """Say which part of the library's pages was shown."""

    source: str
    """`banner`, `preferences`, `embed`, or `api` for none of them."""

    service_key: str = ""
    """The service of an embed."""

    has_room: bool = True
    """Whether an embed's placeholder is large enough to describe the service."""


def render_layer(visit: Visit, layer: Layer, standing: Standing) -> tuple[str | None, bool]:
    """Return the markup of a layer as everybody gets it whose standing, language and scheme are these.

    Returns:
        None for no markup that holds for everybody; and whether the same would come of it another time.
    """
    if not _has_markup(visit, layer):
        return None, True
    site = visit.site
    names = [f"consent/{folder}{name}.html" for name in _TEMPLATES[layer.source] for folder in ("", "default/")]
    is_ours = are_ours(site.environment, names)
    try:
        with _pose(visit, standing) as posing, nullcontext() if is_ours else _speak(visit):
            first = _render(posing, layer, _make_writer(site) if is_ours else render_template)
            if is_ours or first == _render(posing, layer, render_template):
                return first, True
    except Exception:  # a template of the site's own: whatever it raises, the choice counts
        name = f"unrendered {layer.source}"
        if name not in site.warned:
            site.warned.add(name)
            log.exception("What visitors are shown (%s) could not be rendered, so records do not say it.", layer.source)
        return None, False
    site.warn_once(
        f"random {layer.source}",
        "A template of the site's own (%s) comes out differently each time it is rendered, so records do not say what was "
        "shown. Take random values, such as tokens, out of it: the library's forms need none.",
        layer.source,
    )
    return None, True


def _has_markup(visit: Visit, layer: Layer) -> bool:
    if layer.source != "embed":
        return layer.source in _TEMPLATES
    service = visit.policy.services_by_key.get(layer.service_key)
    return service is not None and service.embed is not None


def _make_writer(site: Site) -> Write:
    # Without what a site's context processors would add: they expect a visitor of flesh and blood.
    return lambda name, **values: site.environment.get_template(name).render(values)


def _render(visit: Visit, layer: Layer, write: Write) -> str:
    if layer.source == "banner":
        return write("consent/banner.html", visit=visit)
    if layer.source == "preferences":
        switched_on = find_switched_on(visit.policy, visit.decision)
        pages: Mapping[str, object] = {"saved": False, "back_url": "", "stay_url": ""}
        return write("consent/preferences.html", visit=visit, switched_on=switched_on, **pages)
    service = visit.policy.services_by_key[layer.service_key]
    width, height = _SIZES[layer.has_room]
    return write(
        "consent/placeholder.html",
        visit=visit,
        service=service,
        embed_id="",
        title=service.name,
        source_url="",
        held_frame="",
        width=width,
        height=height,
    )


@contextmanager
def _pose(visit: Visit, standing: Standing) -> Iterator[Visit]:
    """Make a visit that of a request which nobody has sent, with the standing of somebody else."""
    site, signals = visit.site, standing.outcome.signals
    place, instant = site.jurisdictions.find_case(standing.outcome.jurisdiction, now=site.engine.read_clock())
    situation = Situation(place=place, has_gpc=signals.gpc, has_dnt=signals.dnt, at=instant, language=visit.language)
    # Flask's own environment knows its app: a stream that asks may have outlived the context.
    app: Flask = site.environment.app  # type: ignore[attr-defined]
    with rehearse(app, situation) as stranger:
        posing = stranger.with_marks(next_path="", attempt="")
        scheme, host = visit.environ.get("wsgi.url_scheme", "https"), visit.cookie_domain or "localhost"
        posing.environ = {**stranger.environ, "wsgi.url_scheme": scheme, "HTTP_HOST": host}
        # Both are random, and neither is seen.
        posing.site.find_nonce, posing.has_script = None, True
        posing.restore(standing)
        yield bind_visit(posing)


def _speak(visit: Visit) -> AbstractContextManager[None]:
    """Let templates of the site's own speak the visitor's language, where Flask-Babel translates them."""
    if not visit.site.has_babel:
        return nullcontext()
    # Imported only where the site uses it: Flask-Babel is no dependency of this library.
    from flask_babel import force_locale  # noqa: PLC0415

    forced: AbstractContextManager[None] = force_locale(visit.language.replace("-", "_"))
    return forced
