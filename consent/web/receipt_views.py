"""`GET /receipt`: the visitor's own receipt, as a page, as signed JSON, or in the Data Privacy Vocabulary."""

from __future__ import annotations

import json
from http import HTTPStatus

from flask import Response, jsonify, make_response, render_template, request

from consent.web.back_url import find_back_url
from consent.web.receipt import FoundReceipt, describe_in_dpv, describe_signed, find_receipt
from consent.web.receipt_page import ReceiptPage
from consent.web.visit import Visit, get_visit
from consent.wire import dpv
from consent.wire.submission import JSON_TYPE

_HTML_TYPE = "text/html"
_TYPES = {"json": JSON_TYPE, "dpv": dpv.MEDIA_TYPE}
_ENDINGS = {"json": "json", "dpv": "jsonld"}


def show_receipt() -> Response:
    """Answer with the receipt of the choice that this browser holds, and of no other one."""
    visit = get_visit()
    visit.add_vary("Accept")
    asked = request.args.get("format")
    if asked is not None and asked not in _TYPES:
        message = f"'format' must be one of {', '.join(map(repr, _TYPES))}, got {asked[:40]!r}."
        return _answer_error(HTTPStatus.BAD_REQUEST, "unknown_format", message)
    wanted = _TYPES[asked] if asked else request.accept_mimetypes.best_match([_HTML_TYPE, *_TYPES.values()], _HTML_TYPE)
    found = find_receipt(visit)
    if wanted == _HTML_TYPE:
        return _show_page(visit, found)
    if found is None:
        return _answer_error(HTTPStatus.NOT_FOUND, "no_record", "No choice was made in this browser, so there is none.")
    response = _describe(visit, found, wanted)
    if asked:
        name = f"consent-receipt-{found.receipt.record['record_id']}.{_ENDINGS[asked]}"
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _show_page(visit: Visit, found: FoundReceipt | None) -> Response:
    page = render_template(
        "consent/receipt.html",
        visit=visit,
        receipt=ReceiptPage(visit, found) if found else None,
        back_url=find_back_url(visit),
    )
    return make_response(page, HTTPStatus.OK if found else HTTPStatus.NOT_FOUND)


def _describe(visit: Visit, found: FoundReceipt, wanted: str) -> Response:
    if wanted == dpv.MEDIA_TYPE:
        values = describe_in_dpv(visit, found.receipt, base_url=request.host_url.rstrip("/"))
    else:
        values = describe_signed(visit, found.receipt)
    return Response(json.dumps(values, indent=2, ensure_ascii=False) + "\n", content_type=wanted)


def _answer_error(status: HTTPStatus, code: str, message: str) -> Response:
    return make_response(jsonify({"error": code, "message": message}), status)
