"""The routes of the library: preferences, choice, state, declaration, assets."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from urllib.parse import urlencode, urlsplit

from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    current_app,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
)
from werkzeug.exceptions import RequestEntityTooLarge

from consent.core.choice import Action, find_event, find_switched_on
from consent.core.gate import find_closed
from consent.core.privacy_signal import parse_sec_gpc
from consent.core.record import Account, ConsentRecord, Event, Notice
from consent.engine import Standing
from consent.errors import SubmissionError
from consent.web.events import consent_recorded, consent_withdrawn
from consent.web.expiry import expire_unwanted
from consent.web.service_signals import map_signals
from consent.web.signal_views import receive_gpc, show_gpp
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
    fits_form,
    limit_bytes,
    parse_body,
    parse_submission,
)

log = logging.getLogger("consent")

_ASSET_CACHE = "public, max-age=31536000, immutable"
# Layers of the notice that a choice can come from, by source.
_LAYERS = {"banner": 1, "preferences": 2, "embed": 0, "api": 0}
_EVENTS = {Action.WITHDRAW: Event.WITHDRAWAL, Action.ACKNOWLEDGE: Event.ACKNOWLEDGEMENT}


def make_blueprint(name: str, *, url_prefix: str) -> Blueprint:
    """Return a new blueprint with every route of the library."""
    blueprint = Blueprint(name, __name__, url_prefix=url_prefix, template_folder="../templates")
    blueprint.add_url_rule("/", "preferences", show_preferences)
    blueprint.add_url_rule("/", "choose", receive_choice, methods=["POST"])
    blueprint.add_url_rule("/gpc", "gpc", receive_gpc, methods=["POST"])
    blueprint.add_url_rule("/state", "state", show_state)
    blueprint.add_url_rule("/gpp", "gpp", show_gpp)
    blueprint.add_url_rule("/policy", "policy", show_policy)
    blueprint.add_url_rule("/assets/<file_name>", "asset", send_asset)
    blueprint.before_request(_mark_own_page)
    blueprint.after_request(_protect)
    return blueprint


def show_preferences() -> str:
    """Answer with the preferences page."""
    visit = get_visit()
    back_url = _find_back_url(visit)
    return render_template(
        "consent/preferences.html",
        visit=visit,
        switched_on=find_switched_on(visit.policy, visit.decision),
        saved="saved" in request.args,
        back_url=back_url,
        stay_url=_find_stay_url(visit, back_url),
    )


def show_state() -> Response:
    """Answer with the current decision as JSON."""
    visit = get_visit()
    # The runtime asks so on a page whose scripts could not say that Global Privacy Control is off.
    is_unasked = "gpc" in request.args
    return jsonify(describe_state(visit, shut=visit.standing.outcome.closed_by_gpc if is_unasked else ()))


def show_policy() -> str:
    """Answer with the cookie declaration."""
    visit = get_visit()
    return render_template("consent/policy.html", visit=visit, back_url=_find_back_url(visit))


def send_asset(file_name: str) -> Response:
    """Answer with a stylesheet or script, to be kept for ever: its name changes with its content."""
    asset = get_visit().site.assets_by_file_name.get(file_name)
    if asset is None:
        abort(HTTPStatus.NOT_FOUND)
    response = Response(asset.body, content_type=asset.content_type)
    response.headers["Cache-Control"] = _ASSET_CACHE
    return response


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
    return _record(visit, submission, evidence)


def _record(visit: Visit, submission: Submission, evidence: Evidence) -> Response:
    shown = visit.standing
    if visit.user.is_out_of_reach and submission.needs_proof:
        return _refuse_unrecorded(visit)
    # A choice under the signal starts from what the signal leaves open, else `allow` would renew what it closes.
    before = visit.heed_gpc() if submission.has_gpc else shown
    record = visit.site.engine.make_record(
        submission.action,
        granted=_find_granted(submission, shown, before),
        before=before,
        account=_make_account(visit, submission, evidence, before),
        is_partial=submission.is_partial,
    )
    after = visit.adopt(record)
    closed = find_closed(shown.decision, after.decision)
    event = find_event(shown.decision, closed, regime=visit.rules.regime) if closed else None
    record = _complete_account(record, visit, event)
    is_taken = _announce(record, before.record, is_withdrawal=bool(closed))
    # A grant that was not recorded must not open anything on the user's other devices either.
    if is_taken or not record.is_grant:
        is_taken = visit.user.save(record) and is_taken
    if not is_taken and record.is_grant:
        return _grant_nothing(visit, record, before=before, shown=shown)
    response = _answer(visit, submission)
    _put_into_effect(response, visit, record, is_closing=bool(closed))
    return response


def _find_granted(submission: Submission, shown: Standing, before: Standing) -> Sequence[str]:
    """Return what was granted by somebody: a switch that was on before the server knew of the signal is nobody's word."""
    if submission.action is not Action.SAVE:
        return submission.granted
    signalled = find_closed(shown.decision, before.decision)
    return [key for key in submission.granted if key not in signalled]


def _complete_account(record: ConsentRecord, visit: Visit, event: Event | None) -> ConsentRecord:
    """Return the record with what is known only after the choice: what providers are told, and what kind of act it was."""
    if record.account is None:
        return record
    account = replace(record.account, signal_map=map_signals(visit), event=event or record.account.event)
    return replace(record, account=account)


def _grant_nothing(visit: Visit, record: ConsentRecord, *, before: Standing, shown: Standing) -> Response:
    """Answer a grant that was not recorded: it opens and renews nothing, but what it closes is closed.

    Args:
        before: The standing that the choice was made from, its own signals heeded.
        shown: The standing that pages were rendered by.
    """
    narrowed = visit.site.engine.narrow(record, before=before)
    after = visit.adopt(narrowed)
    is_closing = bool(find_closed(shown.decision, after.decision))
    if not is_closing:
        visit.restore(before)
    response = _refuse_unrecorded(visit)
    if is_closing:
        visit.user.save(narrowed)
        _put_into_effect(response, visit, narrowed, is_closing=True)
    return response


def _put_into_effect(response: Response, visit: Visit, record: ConsentRecord, *, is_closing: bool) -> None:
    _set_cookies(response, visit, record)
    if is_closing:
        # Pages with live trackers must not come back from the back/forward or the HTTP cache.
        response.headers["Clear-Site-Data"] = '"cache"'


def _announce(record: ConsentRecord, previous: ConsentRecord | None, *, is_withdrawal: bool) -> bool:
    """Send the events; return whether every receiver took them."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - as Flask tells extensions to
    is_taken = True
    for event in (consent_recorded, consent_withdrawn) if is_withdrawal else (consent_recorded,):
        for receiver in event.receivers_for(app):
            try:
                app.ensure_sync(receiver)(app, record=record, previous=previous)
            except Exception:  # the site's own code: whatever it raises, closing goes on and opening does not
                log.exception("A receiver of a consent event failed.")
                is_taken = False
    return is_taken


def _make_account(visit: Visit, submission: Submission, evidence: Evidence, before: Standing) -> Account:
    source = _find_source(visit, submission)
    prompt_reason = before.decision.prompt_reason
    return Account(
        event=_EVENTS.get(submission.action, Event.CHOICE),
        source=source,
        action=submission.action.value,
        notice=Notice(
            policy_version=visit.policy.version,
            language=visit.language,
            layer=_LAYERS[source],
            prompt_reason=prompt_reason.value if prompt_reason else None,
        ),
        evidence=evidence.value,
        has_header_gpc=parse_sec_gpc(request.headers.get("Sec-GPC")),
        has_dom_gpc=submission.has_gpc,
        jurisdiction=visit.jurisdiction,
        profile=visit.rules.row_id,
        bases={purpose.key: str(purpose.basis) for purpose in visit.policy.optional_purposes},
        documents={document.key: document.version for document in visit.policy.documents},
        withdrawal_url=visit.preferences_url,
        services={
            purpose.key: tuple(service.key for service in visit.policy.services if purpose.key in service.purposes)
            for purpose in visit.policy.optional_purposes
        },
        previous_id=before.last_record.record_id if before.last_record else None,
    )


def _find_source(visit: Visit, submission: Submission) -> str:
    if request.mimetype == JSON_TYPE:
        return "api"
    if submission.action is Action.ALLOW:
        return "embed"
    is_on_page = submission.action in (Action.SAVE, Action.WITHDRAW) or submission.next_path.startswith(visit.base_path)
    return "preferences" if is_on_page else "banner"


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


def _answer(visit: Visit, submission: Submission) -> Response:
    if _wants_json():
        return jsonify(describe_state(visit))
    target = submission.next_path if is_safe_path(submission.next_path) else visit.home_path
    return make_response(redirect(target, HTTPStatus.SEE_OTHER))


def _show_once(visit: Visit, submission: Submission) -> Response:
    service = visit.policy.services_by_key[submission.service_key]
    embed = service.embed
    if embed is None or not embed.takes(submission.embed_id):
        return _refuse(visit, HTTPStatus.BAD_REQUEST, "malformed", "The embed's id is malformed.")
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
        back_url=submission.next_path if is_safe_path(submission.next_path) else _find_back_url(visit),
    )
    return make_response(page)


def _read_fields(visit: Visit) -> Mapping[str, list[str]]:
    limit = limit_bytes(visit.policy)
    if (request.content_length or 0) > limit:
        raise _too_large(limit)
    # An earlier hook, such as a CSRF check of the site's own, may have read the form already.
    if request.mimetype == FORM_TYPE and "form" in vars(request):
        return collect(request.form.items(multi=True))
    return parse_body(_read_body(limit), content_type=request.content_type or "")


def _read_body(limit: int) -> bytes:
    try:
        # Without a length, what is read must be bounded here; empty means that a hook read and kept it.
        body = b"" if request.content_length is not None else request.stream.read(limit + 1)
        body = body or request.get_data()
    except RequestEntityTooLarge as error:
        raise _too_large(limit) from error
    if len(body) > limit:
        raise _too_large(limit)
    return body


def _too_large(limit: int) -> SubmissionError:
    return SubmissionError(f"The body is longer than {limit} bytes.", code="too_large", status=413)


def _refuse_unrecorded(visit: Visit) -> Response:
    return _refuse(
        visit, HTTPStatus.SERVICE_UNAVAILABLE, "not_recorded", "The choice could not be recorded; nothing was granted."
    )


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
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = "30"
    return response


def _wants_json() -> bool:
    accepted = request.accept_mimetypes
    return request.mimetype == JSON_TYPE or accepted[JSON_TYPE] > accepted["text/html"]


def _find_back_url(visit: Visit) -> str:
    """Return the path of the page the visitor came from; the site's root if it is not one of ours."""
    asked = request.args.get("back") or _referer_path()
    is_page = is_safe_path(asked) and not asked.startswith(visit.base_path)
    return asked if is_page else visit.home_path


def _find_stay_url(visit: Visit, back_url: str) -> str:
    """Return where saving leads: back here, with the way back to the page kept if it is short enough."""
    saved = _add_query(visit.preferences_url, saved="1")
    with_back = _add_query(saved, back=back_url)
    return with_back if is_safe_path(with_back) and fits_form(with_back) else saved


def _add_query(url: str, **values: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(values)}"


def _referer_path() -> str:
    try:
        parts = urlsplit(request.referrer or "")
    except ValueError:
        return ""
    if parts.netloc.lower() != request.host.lower():
        return ""
    return f"{parts.path}{'?' if parts.query else ''}{parts.query}"


def _mark_own_page() -> None:
    visit = get_visit()
    visit.is_own_page = True
    visit.is_asset = (request.endpoint or "").rpartition(".")[2] in ("asset", "gpc_file")


def _protect(response: Response) -> Response:
    response.headers["X-Content-Type-Options"] = "nosniff"
    if response.mimetype == "text/html":
        # Nobody may lay the switches under something else to be clicked.
        response.headers["X-Frame-Options"] = "DENY"
    return response
