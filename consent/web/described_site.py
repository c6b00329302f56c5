"""What a site says of itself in documents for exchange, where no visitor asks for them."""

from __future__ import annotations

from flask import current_app

from consent.web.wording import Wording
from consent.wire.dpv import DescribedSite


class SiteWording(Wording):
    """Speak the site's own language."""

    @property
    def language(self) -> str:
        """Tag of the language in `CONSENT_LANGUAGE`."""
        return self.site.default_language


def describe_site(wording: Wording, *, base_url: str | None = None) -> DescribedSite:
    """Return names and address of a site.

    Args:
        base_url: Such as `https://shop.example`; None for what `SERVER_NAME` says, if it is set.
    """
    policy = wording.policy
    return DescribedSite(
        controller=policy.controller,
        base_url=_find_base_url() if base_url is None else base_url,
        purposes={purpose.key: wording.purpose_title(purpose.key) for purpose in policy.purposes},
        providers={service.key: service.provider or service.name for service in policy.services},
    )


def _find_base_url() -> str:
    config = current_app.config
    return f"{config['PREFERRED_URL_SCHEME']}://{config['SERVER_NAME']}" if config["SERVER_NAME"] else ""
