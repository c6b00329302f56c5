"""The words of a notice, in one language: what a visitor could read, apart from how it was laid out."""

from __future__ import annotations

from consent.core.configuration import write_artefact
from consent.core.cookie_declaration import CookieDeclaration
from consent.core.declaration import Service
from consent.core.document import Document
from consent.core.notice import Artefact
from consent.web.visit import Visit

SCHEMA = "consent-words/1"


def describe_words(visit: Visit) -> Artefact:
    """Return every word that the library can say in the visit's language, as an artefact.

    Nothing of the visitor is in it: it is the same for all who are spoken to in that language.
    """
    policy = visit.policy
    return write_artefact(
        {
            "schema": SCHEMA,
            "language": visit.language,
            "direction": visit.direction,
            "controller": policy.controller,
            "policy_url": policy.policy_url,
            "purposes": {
                purpose.key: {
                    "title": visit.purpose_title(purpose.key),
                    "description": visit.purpose_description(purpose.key),
                }
                for purpose in policy.purposes
            },
            "services": {service.key: _describe_service(visit, service) for service in policy.services},
            "documents": [_describe_document(visit, document) for document in policy.documents],
            "texts": visit.site.messages.texts_of(visit.language),
        }
    )


def _describe_service(visit: Visit, service: Service) -> dict[str, object]:
    return {
        "name": service.name,
        "provider": service.provider,
        "provider_country": service.provider_country,
        "privacy_url": service.privacy_url,
        "description": visit.service_description(service),
        "justification": visit.words(service.justification),
        "purposes": [visit.purpose_title(key) for key in service.purposes],
        "cookies": [_describe_cookie(visit, cookie) for cookie in service.cookies],
    }


def _describe_cookie(visit: Visit, cookie: CookieDeclaration) -> dict[str, str]:
    return {
        "name": cookie.name,
        "description": visit.cookie_description(cookie),
        "lifetime": visit.lifetime_text(cookie),
        "kind": visit.text(f"kind.{cookie.kind}"),
    }


def _describe_document(visit: Visit, document: Document) -> dict[str, str]:
    effective_at = document.effective_at
    return {
        "key": document.key,
        "title": visit.asking.document_title(document),
        "url": document.url,
        "version": document.version,
        "effective": visit.date_text(effective_at) if effective_at else "",
        "changes": visit.words(document.changes),
    }
