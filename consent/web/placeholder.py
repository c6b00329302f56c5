"""What stands where a frame would be, while its service is not granted."""

from __future__ import annotations

from dataclasses import dataclass

from flask import has_request_context, render_template
from markupsafe import Markup

from consent.core.declaration import Service
from consent.web.visit import Visit

_TEMPLATE = "consent/placeholder.html"
DEFAULT_WIDTH, DEFAULT_HEIGHT = 560, 315


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Describe the frame that a placeholder stands for."""

    embed_id: str | None
    """As the service names it; None where nobody knows, and then it cannot be shown just once."""

    title: str
    source_url: str | None
    """Where the visitor finds the same without us; None for nowhere."""

    width: int
    """In CSS pixels, as `height`."""

    height: int

    is_pasted: bool = True
    """Whether it stands in whatever somebody wrote around it, such as a paragraph, and not where a template placed it."""


def render_placeholder(visit: Visit, service: Service, frame: Frame, held_frame: Markup) -> Markup:
    """Return a placeholder, in the words of the page.

    Args:
        held_frame: The block that holds the frame itself.
    """
    visit.has_spoken = True
    values = {
        "visit": visit,
        "service": service,
        "embed_id": frame.embed_id,
        "title": frame.title,
        "source_url": frame.source_url,
        "width": frame.width,
        "height": frame.height,
        "is_pasted": frame.is_pasted,
        "held_frame": held_frame,
    }
    # A stream may have outlived its request; then there is nothing that the site's context processors could add.
    if has_request_context():
        return Markup(render_template(_TEMPLATE, **values))  # noqa: S704 - autoescaped by the template
    return Markup(visit.site.environment.get_template(_TEMPLATE).render(values))  # noqa: S704 - as above
