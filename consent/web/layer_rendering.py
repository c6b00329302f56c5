"""Render what visitors are shown once more, for nobody: without anything that is one visitor's, or one page's."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from flask import Flask, render_template

from consent.core.choice import find_switched_on
from consent.engine import Standing
from consent.web.own_templates import are_ours
from consent.web.rehearsal import Situation, imagine, rehearse, run_apart
from consent.web.site import Site
from consent.web.visit import Visit, bind_visit, get_site

log = logging.getLogger("consent")

Write = Callable[..., str]
"""Renders a template, given its name and its variables."""

# Placeholders come in any size; what they say depends on whether there is room to describe the service.
_SIZES: Mapping[bool, tuple[int, int]] = {True: (560, 315), False: (320, 180)}
_TEMPLATES: Mapping[str, tuple[str, ...]] = {
    "banner": ("banner", "default/banner"),
    "preferences": (
        *("preferences", "default/preferences", "layout", "default/layout", "cookie_table", "default/cookie_table"),
        *("default/styles", "default/service_facts"),
    ),
    "embed": ("placeholder", "default/placeholder"),
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pose:
    """Hold what a visit of nobody has of a visitor's: all that markup may depend on, and nothing of one visitor."""

    app: Flask
    situation: Situation
    standing: Standing
    scheme: str
    host: str

    def take(self, stranger: Visit) -> Visit:
        """Return the visit of somebody of whom only the place was known, with the standing of somebody else."""
        posing = stranger.with_marks(next_path="", attempt="")
        posing.environ = {**stranger.environ, "wsgi.url_scheme": self.scheme, "HTTP_HOST": self.host}
        # Both are random, and neither is seen.
        posing.site.find_nonce, posing.has_script = None, True
        posing.restore(self.standing)
        return posing


def render_layer(visit: Visit, layer: Layer, standing: Standing) -> tuple[str | None, bool]:
    """Return the markup of a layer as everybody gets it whose standing, language and scheme are these.

    Returns:
        None for no markup that holds for everybody; and whether the same would come of it another time.
    """
    if not _has_markup(visit, layer):
        return None, True
    site = visit.site
    names = [f"consent/{name}.html" for name in _TEMPLATES[layer.source]]
    pose = _describe_pose(visit, standing)
    try:
        if are_ours(site.environment, names):
            return _render(pose.take(imagine(pose.app, pose.situation)), layer, _make_writer(site)), True
        first, second = run_apart(lambda: _render_own(pose, layer))
        if first == second:
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


def _render_own(pose: _Pose, layer: Layer) -> tuple[str, str]:
    """Render a layer twice, by templates of the site's own, which may ask for all that a page of the site may ask for."""
    with rehearse(pose.app, pose.situation) as stranger, _speak(pose):
        posing = bind_visit(pose.take(stranger))
        return _render(posing, layer, render_template), _render(posing, layer, render_template)


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
        is_pasted=False,
        width=width,
        height=height,
    )


def _describe_pose(visit: Visit, standing: Standing) -> _Pose:
    """Return what a visit of nobody takes over from a visitor's, all of it asked for while that one's request is there."""
    site, signals = visit.site, standing.outcome.signals
    place, instant = site.jurisdictions.find_case(standing.outcome.jurisdiction, now=site.engine.read_clock())
    return _Pose(
        # Flask's own environment knows its app: a stream that asks may have outlived the context.
        app=site.environment.app,  # type: ignore[attr-defined]
        situation=Situation(place=place, has_gpc=signals.gpc, has_dnt=signals.dnt, at=instant, language=visit.language),
        standing=standing,
        scheme=str(visit.environ.get("wsgi.url_scheme", "https")),
        host=visit.cookie_domain or "localhost",
    )


def _speak(pose: _Pose) -> AbstractContextManager[None]:
    """Let templates of the site's own speak the visitor's language, where Flask-Babel translates them."""
    if not get_site(pose.app).has_babel:
        return nullcontext()
    # Imported only where the site uses it: Flask-Babel is no dependency of this library.
    from flask_babel import force_locale  # noqa: PLC0415

    forced: AbstractContextManager[None] = force_locale(pose.situation.language.replace("-", "_"))
    return forced
