"""Our Content-Security-Policy on every page, document and worker: besides the site's own hosts, those of what is granted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flask import request

from consent.catalogue.host_index import load_shared
from consent.core.content_security_policy import read_sources, write_policy
from consent.core.record import Choice
from consent.web.csp_reports import PATH
from consent.web.departure import Departing
from consent.web.site import Site
from consent.web.visit import Visit

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

ENFORCED = "Content-Security-Policy"
REPORTED = "Content-Security-Policy-Report-Only"

_APP_NAMES = frozenset({ENFORCED.lower(), REPORTED.lower()})
# What may be another in each response, and is nothing that we take over: words in quotation marks, such as nonces and hashes, and
# where to report to.
_PASSING = re.compile(
    r"(?<![^\t\n\f\r ;,])'[^'\t\n\f\r ;,]*'(?![^\t\n\f\r ;,])|(?<![^;,])[\t\n\f\r ]*report-(?:uri|to)(?![^\t\n\f\r ;,])[^;,]*",
    re.IGNORECASE,
)
_BLANKS = re.compile(r"[\t\n\f\r ]+")
_KEPT_LIMIT = 64
# Proxies refuse responses whose headers pass 4 to 8 kB in all, and cookies take 3 kB of them at most.
_LONG_BYTES = 3072
# A worker obeys the policy of its own file (HTML Standard, "run a worker"); worklets obey that of their page.
_WORKERS = frozenset({"worker", "sharedworker"})
_SERVICE_WORKER = "serviceworker"
_ALL_WORKERS = _WORKERS | {_SERVICE_WORKER}
_ONCE_KEY = "flask_cookie_consent.once"


def open_once(service_key: str) -> None:
    """Let the page that answers this request load from a service, whatever was chosen: the visitor asked for it just now."""
    request.environ[_ONCE_KEY] = service_key


class CspHeader:
    """Add the policy to responses; what it says is worked out once for each set of open services."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._name = ENFORCED if site.settings.csp == "enforce" else REPORTED
        policy = site.engine.policy
        self._necessary = frozenset(each.key for each in policy.services if not policy.optional_purposes_of(each))
        self._kept: dict[tuple[frozenset[str], str, str], str] = {}
        self._closed = self._write(self._necessary, "", f"{site.settings.url_prefix}/")

    def add(self, departing: Departing) -> None:
        """Add the header to a page, document or worker, beside those of the app: browsers heed each of them."""
        opened = self._choose_open(departing)
        if opened is None:
            return
        app_policy = ""
        if not _APP_NAMES.isdisjoint(departing.names):
            values = (value for name, value in departing.fields if name.lower() in _APP_NAMES)
            app_policy = _BLANKS.sub(" ", _PASSING.sub("", ",".join(values)))
        departing.add(self._name, self._keep(opened, app_policy, departing.visit.base_path))

    def close(self, departing: Departing) -> None:
        """Add the policy of somebody who has granted nothing, without what the app allows."""
        if departing.may_load or departing.environ.get("HTTP_SEC_FETCH_DEST") in _ALL_WORKERS:
            departing.add(self._name, self._closed)

    def _choose_open(self, departing: Departing) -> frozenset[str] | None:
        """Return the services that a page, document or worker may load from; None for a response that is none of them."""
        use = departing.environ.get("HTTP_SEC_FETCH_DEST")
        if use not in _ALL_WORKERS and departing.is_page:
            return _find_open(departing.visit, departing.environ)
        if use not in _ALL_WORKERS:
            # The same for everyone: most of it are pictures and feeds, which caches are to share.
            return self._necessary if departing.may_load else None
        # A redirect is not the file yet. What was not modified is, and browsers give the file that they kept this header.
        if departing.status[:1] == "3" and departing.status[:3] != "304":
            return None
        visit = departing.visit
        if visit.is_asset:
            return None
        visit.add_vary("Sec-Fetch-Dest")
        # Browsers keep it, with its policy, until the file changes: a grant would outlive its withdrawal.
        return self._necessary if use == _SERVICE_WORKER else _find_open(visit, departing.environ)

    def _keep(self, opened: frozenset[str], app_policy: str, base_path: str) -> str:
        key = (opened, app_policy, base_path)
        kept = self._kept.get(key)
        if kept is None:
            # An app can make up policies, and a proxy prefixes, without end.
            if len(self._kept) >= _KEPT_LIMIT:
                self._kept.clear()
            kept = self._kept[key] = self._write(opened, app_policy, base_path)
        return kept

    def _write(self, opened: frozenset[str], app_policy: str, base_path: str) -> str:
        services = self._site.engine.policy.services
        policy = write_policy(
            (service for service in services if service.key in opened),
            (service for service in services if service.key not in opened),
            own_hosts=self._site.settings.own_hosts,
            app_sources=read_sources(app_policy),
            shared_hosts=load_shared(),
            report_uri=f"{base_path}{PATH}",
        )
        if len(policy) > _LONG_BYTES:
            self._site.warn_once(
                "long csp",
                "The policy by 'CONSENT_CSP' has %d bytes for a visitor who has granted %d services. A proxy may refuse headers of "
                "4 kB in all: raise its limit, such as nginx's 'proxy_buffer_size', or declare fewer services.",
                len(policy),
                len(opened),
            )
        return policy


def _find_open(visit: Visit, environ: WSGIEnvironment) -> frozenset[str]:
    """Return the services that the page may load from.

    What is granted and yet waits for the browser's signal is among them: its markup is held, and opens without a page load.
    """
    verdicts = visit.decision.services
    granted = frozenset(key for key, verdict in verdicts.items() if verdict is Choice.GRANTED)
    once = environ.pop(_ONCE_KEY, None)
    return granted.union(visit.site.signals.advanced, (str(once),) if once else ())
