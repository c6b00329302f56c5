"""The route that takes browsers' reports of what the Content-Security-Policy does not allow, for the audit."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from http import HTTPStatus
from math import ceil
from threading import Lock
from urllib.parse import unquote, urlsplit

from flask import Blueprint, Response, current_app, request
from werkzeug.exceptions import HTTPException

from consent.core.content_security_policy import USES
from consent.core.host_table import ANY_USE
from consent.core.leak import Leak, LeakKind
from consent.errors import SubmissionError
from consent.web.host_leak import make_host_leak
from consent.web.posted_body import read_body
from consent.web.site import Site
from consent.wire.csp_report import NEW_TYPE, OLD_TYPE, BlockedRequest, parse_reports

log = logging.getLogger("consent")

PATH = "csp-reports"
"""Of the route, under the library's own prefix."""

_LIMIT_BYTES = 16 * 1024
_BUDGET = 60
_PERIOD = timedelta(minutes=1)
# Anybody can make reports up: they must leave room in the audit for what the server itself has seen.
_TOLD_LIMIT = 512


class ReportBudget:
    """Count the reports that one process takes in a minute, whoever they come from."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._began_at: datetime | None = None
        self._taken = 0

    def take(self, now: datetime) -> int:
        """Take a report, or return for how many seconds there is no room for one."""
        with self._lock:
            # A clock that was set back begins anew.
            if self._began_at is None or not timedelta(0) <= now - self._began_at < _PERIOD:
                self._began_at, self._taken = now, 0
            if self._taken >= _BUDGET:
                return ceil((self._began_at + _PERIOD - now).total_seconds())
            self._taken += 1
            return 0


class ReportIntake:
    """Turn reports into leaks."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._budget = ReportBudget()
        self._told: set[Leak] = set()

    def receive(self) -> Response:
        """Take what a browser posts."""
        if request.mimetype not in (OLD_TYPE, NEW_TYPE):
            return _answer(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        wait_seconds = self._budget.take(self._site.engine.read_clock())
        if wait_seconds:
            response = _answer(HTTPStatus.TOO_MANY_REQUESTS)
            response.headers["Retry-After"] = str(wait_seconds)
            return response
        try:
            reports = parse_reports(read_body(_LIMIT_BYTES), content_type=request.mimetype)
        except SubmissionError as error:
            return _answer(error.status)
        for report in reports:
            self._note(report)
        return _answer(HTTPStatus.NO_CONTENT)

    def _note(self, report: BlockedRequest) -> None:
        leak = _describe(self._site, report)
        if leak in self._told:
            return
        if len(self._told) >= _TOLD_LIMIT:
            self._site.warn_once(
                "csp reports", "Browsers reported more than %d different requests; no more are logged.", _TOLD_LIMIT
            )
            return
        self._told.add(leak)
        self._site.leaks.note(leak)


def add_report_route(blueprint: Blueprint, site: Site) -> None:
    """Add the route to the library's blueprint, if there is a policy to report about."""
    if site.settings.csp != "off":
        blueprint.add_url_rule(f"/{PATH}", "csp_reports", ReportIntake(site).receive, methods=["POST"])


def _answer(status: int) -> Response:
    return Response(status=status, mimetype="text/plain")


def _describe(site: Site, report: BlockedRequest) -> Leak:
    # The policy allows the site's own hosts: what is reported of one was redirected, and browsers do not say where to.
    is_own = report.authority == request.host.lower() or site.hosts.is_own(report.host)
    kind = LeakKind.HOST_REDIRECTED if is_own else LeakKind.HOST_BLOCKED
    owner = site.hosts.find_owner(report.host, USES.get(report.directive.removesuffix("-elem"), ANY_USE))
    page, endpoint = _find_page(report.page_url)
    return make_host_leak(site, kind, report.host, owner, element=report.directive, page=page, endpoint=endpoint)


def _find_page(url: str) -> tuple[str, str]:
    """Return rule and endpoint of a page of this site; the address itself holds what belongs to the visitor."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", ""
    root = request.root_path.rstrip("/")
    path = unquote(parts.path)
    adapter = current_app.create_url_adapter(request)
    if adapter is None or parts.netloc.lower() != request.host.lower() or not path.startswith(f"{root}/"):
        return "", ""
    for method in ("GET", "POST"):
        try:
            rule, _ = adapter.match(path[len(root) :], method=method, return_rule=True)
        except HTTPException:
            continue
        except Exception:  # a converter of the site's own, given what anybody can post
            log.exception("The page of a report could not be found out.")
            return "", ""
        return rule.rule, rule.endpoint
    return "", ""
