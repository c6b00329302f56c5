"""The route that takes a choice: read strictly, recorded, answered as JSON or with the way back."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus

from flask import Response, jsonify, make_response, redirect, render_template, request

from consent.core.choice import Action
from consent.core.record import ConsentRecord
from consent.errors import SubmissionError
from consent.web.back_url import find_back_url
from consent.web.csp_header import open_once
from consent.web.expiry import expire_unwanted
from consent.web.posted_body import read_body
from consent.web.rate_limit import find_wait_seconds
from consent.web.recording import Outcome, record_choice
from consent.web.snippet import render_frame, source_url
from consent.web.state import describe_state
from consent.web.visit import Visit, get_visit
from consent.wire.cookie import find_values
from consent.wire.headers import expire_rivals, format_cookie
from consent.wire.origin import CrossSiteError, Evidence, find_evidence, is_safe_path
from consent.wire.submission import (
    FORM_TYPE,
    JSON_TYPE,
    Submission,
    collect,
    limit_bytes,
    parse_body,
    parse_submission,
)

log = logging.getLogger("consent")


def receive_choice() -> Response:
    """Take a posted choice, record it and answer."""
    visit = get_visit()
    try:
        evidence = find_evidence(dict(request.headers), host=request.host, scheme=request.scheme)
        submission = parse_submission(_read_fields(visit), visit.policy)
    except CrossSiteError:
        return _refuse(visit, HTTPStatus.FORBIDDEN, "cross_site", "The request came from another site.")
    except SubmissionError as error:
        return _refuse(visit, HTTPStatus(error.status), error.code, str(error))
    if submission.needs_proof and evidence is Evidence.NONE:
        return _refuse(
            visit, HTTPStatus.FORBIDDEN, "unproven_origin", "Nothing shows that this site's page sent the request."
        )
    if submission.action is Action.ONCE:
        return _show_once(visit, submission)
    return _take(visit, submission, evidence)


def _take(visit: Visit, submission: Submission, evidence: Evidence) -> Response:
    # Asked first: whoever may be logged in may have refused, and only their own record could say.
    _ = visit.standing
    if visit.user.is_out_of_reach and submission.needs_proof:
        return _refuse_unrecorded(visit)
    wait_seconds = find_wait_seconds(visit.site)
    outcome = record_choice(visit, submission, evidence, is_limited=bool(wait_seconds))
    if outcome.is_taken:
        response = _answer(visit, submission, outcome)
    else:
        response = _ask_to_wait(visit, wait_seconds) if wait_seconds else _refuse_unrecorded(visit)
    if outcome.record is not None:
        _put_into_effect(response, visit, outcome.record, is_closing=outcome.is_closing)
    return response


def _put_into_effect(response: Response, visit: Visit, record: ConsentRecord, *, is_closing: bool) -> None:
    _set_cookies(response, visit, record)
    if is_closing:
        # Pages with live trackers must not come back from the back/forward or the HTTP cache.
        response.headers["Clear-Site-Data"] = '"cache"'


def _set_cookies(response: Response, visit: Visit, record: ConsentRecord) -> None:
    acted_at = record.account.acted_at if record.account and record.account.acted_at else record.decided_at
    value = format_cookie(
        visit.cookie_name,
        visit.site.engine.encode(record, is_secure=visit.is_secure),
        max_age_seconds=int((record.valid_until - acted_at).total_seconds()),
        is_secure=visit.is_secure,
        domain=visit.cookie_domain,
    )
    expired = expire_unwanted(visit)
    for each in (*_expire_rivals(visit), value, *expired):
        response.headers.add("Set-Cookie", each)


def _expire_rivals(visit: Visit) -> list[str]:
    """Expire what somebody else set under the consent cookie's name: two different ones are never believed."""
    is_shared = bool(visit.cookie_domain)
    # Where the name is shared, the one that came may be another host's, and would stand beside the new one.
    if len(find_values(visit.cookie_header, visit.cookie_name)) < (1 if is_shared else 2):
        return []
    return expire_rivals(visit.cookie_name, host=request.host, is_secure=visit.is_secure, is_shared=is_shared)


def _answer(visit: Visit, submission: Submission, outcome: Outcome) -> Response:
    if _wants_json():
        recorded = {} if outcome.is_kept is None else {"recorded": outcome.is_kept}
        return jsonify(describe_state(visit) | recorded)
    target = submission.next_path if is_safe_path(submission.next_path) else visit.home_path
    return make_response(redirect(target, HTTPStatus.SEE_OTHER))


def _show_once(visit: Visit, submission: Submission) -> Response:
    service = visit.policy.services_by_key[submission.service_key]
    embed = service.embed
    if embed is None or not embed.takes(submission.embed_id):
        return _refuse(visit, HTTPStatus.BAD_REQUEST, "malformed", "The embed's id is malformed.")
    open_once(service.key)
    page = render_template(
        "consent/once.html",
        visit=visit,
        service=service,
        embed_id=submission.embed_id,
        title=service.name,
        embed_html=render_frame(
            embed,
            submission.embed_id,
            title=service.name,
            width=embed.width,
            height=embed.height,
            site_host=visit.site_host,
        ),
        source_url=source_url(embed, submission.embed_id),
        back_url=submission.next_path if is_safe_path(submission.next_path) else find_back_url(visit),
    )
    return make_response(page)


def _read_fields(visit: Visit) -> Mapping[str, list[str]]:
    limit = limit_bytes(visit.policy)
    # An earlier hook, such as a CSRF check of the site's own, may have read the form already.
    is_read = request.mimetype == FORM_TYPE and "form" in vars(request)
    if is_read and (request.content_length or 0) <= limit:
        return collect(request.form.items(multi=True))
    return parse_body(read_body(limit), content_type=request.content_type or "")


def _refuse_unrecorded(visit: Visit) -> Response:
    response = _refuse(
        visit, HTTPStatus.SERVICE_UNAVAILABLE, "not_recorded", "The choice could not be recorded; nothing was granted."
    )
    response.headers["Retry-After"] = "30"
    return response


def _ask_to_wait(visit: Visit, wait_seconds: int) -> Response:
    response = _refuse(
        visit, HTTPStatus.TOO_MANY_REQUESTS, "too_many", "Too many choices came from here; nothing was granted."
    )
    response.headers["Retry-After"] = str(wait_seconds)
    return response


def _refuse(visit: Visit, status: HTTPStatus, code: str, message: str) -> Response:
    log.info("A posted choice was refused with %d: %s", status, code)
    if _wants_json():
        response = jsonify({"error": code, "message": message})
    else:
        page = render_template(
            "consent/error.html", visit=visit, status=int(status), message=message, back_url=visit.home_path
        )
        response = make_response(page)
    response.status_code = status
    return response


def _wants_json() -> bool:
    accepted = request.accept_mimetypes
    return request.mimetype == JSON_TYPE or accepted[JSON_TYPE] > accepted["text/html"]
