"""What a page says to its visitor, in one language."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import date

from consent.core.cookie_declaration import CookieDeclaration, CookieUse
from consent.core.declaration import Service, ServiceKind
from consent.core.declared_value import Text
from consent.core.policy import Policy
from consent.messages import direction_of
from consent.web.site import Site


class Wording(ABC):
    """Give texts and declared names in the language of one page. All of it is plain text."""

    def __init__(self, site: Site) -> None:
        self.site = site

    @property
    @abstractmethod
    def language(self) -> str:
        """Tag of the language to speak to this visitor, such as `en` or `zh-Hans`."""

    @property
    def policy(self) -> Policy:
        """What the site declares."""
        return self.site.engine.policy

    @property
    def direction(self) -> str:
        """Writing direction of that language: `ltr` or `rtl`."""
        return direction_of(self.language)

    def text(self, key: str, **values: object) -> str:
        """Return a shipped or overridden text, as plain text."""
        return self.site.messages.text(self.language, key, **values)

    def count_text(self, key: str, count: int, **values: object) -> str:
        """Return a text in the form that a number takes."""
        return self.site.messages.count_text(self.language, key, count, **values)

    def list_text(self, items: Sequence[str]) -> str:
        """Return several names as one enumeration."""
        return self.site.messages.list_text(self.language, items)

    def date_text(self, day: date) -> str:
        """Return a day, or the day of an instant."""
        return self.site.messages.date_text(self.language, day)

    def words(self, text: Text) -> str:
        """Return a declared text in the visitor's language."""
        return self.site.messages.words(self.language, text)

    def purpose_title(self, key: str) -> str:
        """Return the name of a purpose."""
        title = self.policy.purposes_by_key[key].title
        return self.words(title) if title else self.text(f"purpose.{key}.title")

    def purpose_description(self, key: str) -> str:
        """Return what a purpose means."""
        description = self.policy.purposes_by_key[key].description
        return self.words(description) if description else self.text(f"purpose.{key}.description")

    def service_description(self, service: Service) -> str:
        """Return what a service does and who receives what, in its own words or in those of its kind; empty for none."""
        if service.description or service.kind == ServiceKind.OTHER:
            return self.words(service.description)
        provider = service.provider or service.name
        return self.text(f"service.{service.kind}.description", name=service.name, provider=provider)

    def cookie_description(self, cookie: CookieDeclaration) -> str:
        """Return what a cookie is for, in its own words or in those of its use; empty for none."""
        if cookie.description or cookie.use == CookieUse.OTHER:
            return self.words(cookie.description)
        return self.text(f"cookie_use.{cookie.use}")

    def title_of(self, key: str) -> str:
        """Return the name of a purpose or service."""
        service = self.policy.services_by_key.get(key)
        return service.name if service else self.purpose_title(key)

    def lifetime_text(self, cookie: CookieDeclaration) -> str:
        """Return how long a cookie stays, in words."""
        if cookie.session:
            return self.text("duration.session")
        if cookie.unpublished:
            return self.text("duration.unpublished")
        for unit in ("months", "days", "minutes"):
            count = getattr(cookie, unit)
            if count is not None:
                is_years = unit == "months" and count % 12 == 0
                return (
                    self.count_text("duration.years", count // 12)
                    if is_years
                    else self.count_text(f"duration.{unit}", count)
                )
        return self.text("duration.until_cleared")
