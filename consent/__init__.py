"""Consent for Flask: ask, remember, and hold every tracker back until the answer.

The core's names are loaded at once, the Flask side when it is first used, so that
`import consent.core` never loads Flask.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consent.core.cookie_declaration import CookieDeclaration
from consent.core.decision import Decision, Reason
from consent.core.declaration import Purpose, Service
from consent.core.document import Document
from consent.core.embed import Embed, Parameter
from consent.core.policy import Policy
from consent.core.record import Choice, ConsentRecord

if TYPE_CHECKING:
    from consent.web.accept_language import accept_language
    from consent.web.decorators import requires_consent
    from consent.web.events import consent_recorded, consent_withdrawn
    from consent.web.extension import Consent
    from consent.web.guard import guard
    from consent.web.visit import current_consent

__all__ = [
    "Choice",
    "Consent",
    "ConsentRecord",
    "CookieDeclaration",
    "Decision",
    "Document",
    "Embed",
    "Parameter",
    "Policy",
    "Purpose",
    "Reason",
    "Service",
    "accept_language",
    "consent_recorded",
    "consent_withdrawn",
    "current_consent",
    "guard",
    "requires_consent",
]

_LAZY = {
    "Consent": "consent.web.extension",
    "accept_language": "consent.web.accept_language",
    "consent_recorded": "consent.web.events",
    "consent_withdrawn": "consent.web.events",
    "current_consent": "consent.web.visit",
    "guard": "consent.web.guard",
    "requires_consent": "consent.web.decorators",
}


def __getattr__(name: str) -> object:
    module = _LAZY.get(name)
    if module is None:
        raise AttributeError(f"module 'consent' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - only needed here

    return getattr(import_module(module), name)
