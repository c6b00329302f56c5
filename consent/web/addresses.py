"""Where a page's links and forms lead: the library's own addresses, and the way back."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Self
from urllib.parse import quote, urlsplit

from consent.web.fragment import find_fragment_header
from consent.web.language import LANGUAGE_PARAMETER
from consent.web.site import Site
from consent.web.wording import Wording
from consent.wire.origin import is_safe_path
from consent.wire.shown_response import SAFE_METHODS
from consent.wire.submission import fits_form

# Unreserved and sub-delimiters of a path (RFC 3986 section 3.3).
_PATH_SAFE = "/:@!$&'()*+,;=~-._"


class Addresses(Wording):
    """Give the addresses that a page of one request needs."""

    def __init__(self, site: Site, environ: Mapping[str, object]) -> None:
        super().__init__(site)
        self.environ = environ
        self.own_next_path: str | None = None
        """Where a choice made on this page leads, once it was worked out."""

        self.own_attempt = ""
        """What stands in each form in place of a random value; empty for nothing."""

    @property
    def base_path(self) -> str:
        """Path that every address of the library begins with."""
        return f"{self._script_root}{self.site.settings.url_prefix}/"

    @property
    def preferences_url(self) -> str:
        """Address of the preferences page, in the language of this one."""
        return f"{self.base_path}{self._language_query}"

    @property
    def action_url(self) -> str:
        """Address that choices are posted to: the record names the language they were asked in."""
        return self.preferences_url

    @property
    def policy_url(self) -> str:
        """Address of the cookie declaration, in the language of this page."""
        return f"{self.base_path}policy{self._language_query}"

    @property
    def receipt_url(self) -> str:
        """Address of the visitor's own receipt, in the language of this page."""
        return f"{self.base_path}receipt{self._language_query}"

    def asset_url(self, name: str) -> str:
        """Return the path of a stylesheet or script of the library."""
        return f"{self.base_path}assets/{self.site.assets[name].file_name}"

    @property
    def next_path(self) -> str:
        """Path and query of this page, to come back to; empty if it cannot be fetched again."""
        if self.own_next_path is None:
            self.own_next_path = self._find_next_path()
        return self.own_next_path

    @property
    def attempt(self) -> str:
        """Fresh random value for one form: whoever presses its button twice has chosen once."""
        return self.own_attempt or self.site.engine.new_page_key()

    def with_marks(self, *, next_path: str, attempt: str) -> Self:
        """Return a copy that writes marks in place of what differs from page to page."""
        twin = copy.copy(self)
        twin.own_next_path, twin.own_attempt = next_path, attempt
        return twin

    @property
    def site_host(self) -> str:
        """Host name that the visitor reached the site by, without a port; empty if the request names none."""
        try:
            return urlsplit(f"//{self.environ.get('HTTP_HOST', '')}").hostname or ""
        except ValueError:
            return ""

    @property
    def home_path(self) -> str:
        """Path of the site's root."""
        return f"{self._script_root}/"

    @property
    def _language_query(self) -> str:
        # The app may tell languages by path, and on the library's own pages the path says nothing.
        language = self.language
        return "" if language == self.site.default_language else f"?{LANGUAGE_PARAMETER}={language}"

    @property
    def _script_root(self) -> str:
        # A prefix such as `//evil.example` would make every address lead to another host.
        root = str(self.environ.get("SCRIPT_NAME", "")).strip("/")
        return "/" + quote(root.encode("latin-1"), safe=_PATH_SAFE) if root else ""

    def _find_next_path(self) -> str:
        # What was posted, or is a part of a page, is no page to come back to.
        if self.environ.get("REQUEST_METHOD") not in SAFE_METHODS or find_fragment_header(self.environ):
            return ""
        path = quote(str(self.environ.get("PATH_INFO", "")).encode("latin-1"), safe=_PATH_SAFE)
        query = str(self.environ.get("QUERY_STRING", ""))
        whole = f"{self._script_root}{path}{'?' if query else ''}{query}"
        return whole if is_safe_path(whole) and fits_form(whole) else ""
