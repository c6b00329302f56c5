"""The route that takes browsers' reports of what the Content-Security-Policy does not allow, for the audit."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus
from urllib.parse import unquote, urlsplit

from flask import Blueprint, Response, current_app, request
from werkzeug.exceptions import HTTPException

from consent.core.content_security_policy import USES
from consent.core.host_table import ANY_USE
from consent.core.leak import Leak, LeakKind
from consent.errors import SubmissionError
from consent.web.host_leak import make_host_leak
from consent.web.posted_body import read_body
from consent.web.report_budget import Budget, Memory
from consent.web.site import Site
from consent.wire.csp_report import NEW_TYPE, OLD_TYPE, BlockedRequest, parse_reports
from consent.wire.origin import CrossSiteError, find_evidence

PATH = "csp-reports"
"""Of the route, under the library's own prefix."""

_LIMIT_BYTES = 16 * 1024
_REPORTS_A_MINUTE = 60
_REPORTS_IN_A_BODY = 10
# Hosts of services are as many as the site and the catalogue list. Others anybody can make up, and pages that have no route.
_STRANGERS_AN_HOUR = 256
_ROUTELESS_AN_HOUR = 64
_OWNED_LIMIT = 65_536
_OTHERS_LIMIT = 4096
_SEEN_LIMIT = 8192


class ReportIntake:
    """Turn reports into leaks."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._budget = Budget(_REPORTS_A_MINUTE, timedelta(minutes=1))
        self._strangers = Budget(_STRANGERS_AN_HOUR, timedelta(hours=1))
        self._routeless = Budget(_ROUTELESS_AN_HOUR, timedelta(hours=1))
        self._owned_told = Memory(_OWNED_LIMIT)
        self._others_told = Memory(_OTHERS_LIMIT)
        self._seen = Memory(_SEEN_LIMIT)

    def receive(self) -> Response:
        """Take what a browser posts."""
        if request.mimetype not in (OLD_TYPE, NEW_TYPE):
            return _answer(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        now = self._site.engine.read_clock()
        try:
            # First: pages of other sites must not use up the budget of this one's.
            find_evidence(dict(request.headers), host=request.host, scheme=request.scheme)
            wait_seconds = self._budget.take(now)
            if wait_seconds:
                return _ask_to_wait(wait_seconds)
            reports = parse_reports(read_body(_LIMIT_BYTES), content_type=request.mimetype)
        except CrossSiteError:
            return _answer(HTTPStatus.FORBIDDEN)
        except SubmissionError as error:
            return _answer(error.status)
        for number, report in enumerate(reports[:_REPORTS_IN_A_BODY]):
            if number and self._budget.take(now):
                break
            self._take(report, now)
        return _answer(HTTPStatus.NO_CONTENT)

    def _take(self, report: BlockedRequest, now: datetime) -> None:
        # All that the leak is made of; whoever says another host must not silence what is true of this one.
        page_url = report.page_url.partition("#")[0].partition("?")[0]
        cause = (replace(report, page_url=page_url), request.host, request.root_path)
        # Before the page's route is looked up, which may run code of the site's own.
        if cause not in self._seen and self._tell(_describe(self._site, report), now):
            self._seen.add(cause)

    def _tell(self, leak: Leak, now: datetime) -> bool:
        """Log a leak once; return whether nothing is left to do about it."""
        told = self._owned_told if leak.services else self._others_told
        if leak in told:
            return True
        if not leak.services and self._is_too_much(leak, now):
            return False
        told.add(leak)
        self._site.leaks.tell(leak)
        return True

    def _is_too_much(self, leak: Leak, now: datetime) -> bool:
        if leak.page:
            budget, limit, pages = self._strangers, _STRANGERS_AN_HOUR, "on pages of the site"
        else:
            budget, limit, pages = self._routeless, _ROUTELESS_AN_HOUR, "on what is no page of the site"
        if not budget.take(now):
            return False
        self._site.warn_once(
            f"csp reports {pages}",
            "Browsers reported more than %d requests within an hour to hosts that no service has, %s; no more of them are "
            "logged until the hour is over, here and whenever it comes to that again.",
            limit,
            pages,
        )
        return True


def add_report_route(blueprint: Blueprint, site: Site) -> None:
    """Add the route to the library's blueprint, if there is a policy to report about."""
    if site.settings.csp != "off":
        blueprint.add_url_rule(f"/{PATH}", "csp_reports", ReportIntake(site).receive, methods=["POST"])


def _answer(status: int) -> Response:
    return Response(status=status, mimetype="text/plain")


def _ask_to_wait(seconds: int) -> Response:
    response = _answer(HTTPStatus.TOO_MANY_REQUESTS)
    response.headers["Retry-After"] = str(seconds)
    return response


def _describe(site: Site, report: BlockedRequest) -> Leak:
    # The policy allows the site's own hosts: what is reported of one was redirected, and browsers do not say where to.
    is_own = report.authority == request.host.lower() or site.hosts.is_own(report.host)
    kind = LeakKind.HOST_REDIRECTED if is_own else LeakKind.HOST_BLOCKED
    owner = site.hosts.find_owner(report.host, USES.get(report.directive.removesuffix("-elem"), ANY_USE))
    page, endpoint = _find_page(site, report.page_url)
    return make_host_leak(site, kind, report.host, owner, element=report.directive, page=page, endpoint=endpoint)


def _find_page(site: Site, url: str) -> tuple[str, str]:
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
        except Exception as error:  # noqa: BLE001 - a converter of the site's own, given what anybody can post
            # Not its words, which may hold what was posted.
            site.warn_once(
                "page of csp report",
                "A URL converter of the site raised %s for an address that was reported as a page; the report is told without its page.",
                type(error).__name__,
            )
            return "", ""
        return rule.rule, rule.endpoint
    return "", ""
