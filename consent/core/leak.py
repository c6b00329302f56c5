"""What got past the templates: a cookie, a piece of markup or a host that nobody gated, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

AUDIT_MARK = "consent-audit "
"""Stands in front of a leak as JSON in a line of the log, so that `flask consent audit` finds it in any log file."""


class LeakKind(StrEnum):
    """Say what got past the templates, and what became of it."""

    COOKIE_SUPPRESSED = "cookie_suppressed"
    """A cookie of a service that is not granted was set, and not sent."""

    COOKIE_SENT = "cookie_sent"
    """A cookie of a service that is not granted was set and sent: the gate only reports."""

    COOKIE_UNDECLARED = "cookie_undeclared"
    """A cookie that no service declares was set and sent."""

    COOKIE_BLOCKED = "cookie_blocked"
    """A cookie that no service declares was set, and not sent."""

    COOKIE_HIDDEN = "cookie_hidden"
    """A cookie of a service that is not granted came with the request, and the app did not get to see it."""

    MARKUP_HELD = "markup_held"
    """Markup of a declared service stood outside of any gate, and was held."""

    MARKUP_UNDECLARED = "markup_undeclared"
    """Markup of a service that the catalogue knows and the site does not declare: nobody can grant it, so it stays shut."""

    MARKUP_SENT = "markup_sent"
    """Markup of a service that is not granted, or that only the catalogue knows, stood outside of any gate, and nobody held it."""

    MARKUP_UNKNOWN = "markup_unknown"
    """Markup of a host that is neither the site's nor any known service's: it was left as it is."""

    HINT_REMOVED = "hint_removed"
    """A hint, such as `preconnect`, to the host of a service that is not granted was taken out."""

    HEADER_REMOVED = "header_removed"
    """Another header that leads to the host of a service that is not granted, such as `Refresh:`, was taken out, or its part."""

    HOST_BLOCKED = "host_blocked"
    """A browser reported a request that the Content-Security-Policy does not allow."""

    HOST_REDIRECTED = "host_redirected"
    """The same, of an address that is the site's own, and that it allows: it redirects to a host that it does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """Describe one thing that got past the templates.

    Holds nothing of the visitor, unless the site wrote it into the name of a cookie, or of a host, that nobody declares.
    """

    kind: LeakKind
    subject: str
    """Name of the cookie, or host: as declared, such as `_ga_*` or `*.example.com`; else as it came."""

    services: tuple[str, ...] = ()
    """Keys of the services that it belongs to; empty for none that is known."""

    purposes: tuple[str, ...] = ()
    """Keys of the purposes of those services, as far as the site declares them."""

    element: str = ""
    """What asked for the host: a tag's name such as `iframe`, a directive such as `script-src`, or a header such as `Link`."""

    page: str = ""
    """Rule of the route, such as `/articles/<slug>`, never an address with a visitor's data; empty for no route."""

    endpoint: str = ""
    """Endpoint of the view; empty for no route."""
