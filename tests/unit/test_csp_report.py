"""Reports of browsers about blocked requests, and what anybody may post in their place."""

from __future__ import annotations

import json

import pytest

from consent.errors import SubmissionError
from consent.wire.csp_report import NEW_TYPE, OLD_TYPE, BlockedRequest, parse_reports

PAGE = "https://site.example/articles/1"


def old(**fields):
    names = {"document-uri": PAGE, "blocked-uri": "https://t.example/x?id=1", "effective-directive": "img-src"}
    return json.dumps(
        {"csp-report": names | {name.replace("_", "-"): value for name, value in fields.items()}}
    ).encode()


def new(*reports):
    return json.dumps(reports).encode()


def test_report_of_report_uri_is_read():
    expected = BlockedRequest(host="t.example", authority="t.example", directive="img-src", page_url=PAGE)

    assert parse_reports(old(), content_type=OLD_TYPE) == (expected,)


def test_reports_of_report_to_are_read():
    body = {"documentURL": PAGE, "blockedURL": "wss://T.example:8443/", "effectiveDirective": "connect-src"}
    others = ({"type": "deprecation", "body": {"id": "x"}}, {"type": "crash"})

    found = parse_reports(new({"type": "csp-violation", "body": body}, *others), content_type=NEW_TYPE)

    assert found == (
        BlockedRequest(host="t.example", authority="t.example:8443", directive="connect-src", page_url=PAGE),
    )


def test_old_browser_says_the_whole_directive():
    body = old(effective_directive="", violated_directive="script-src 'self' data:")

    assert parse_reports(body, content_type=OLD_TYPE)[0].directive == "script-src"


@pytest.mark.parametrize(
    "url",
    [
        "inline",
        "eval",
        "",
        "data",
        "blob:https://t.example/1",
        "chrome-extension://abcdef/x.js",
        "moz-extension://abcdef/x.js",
        "https://",
        "https:///x",
        "https://[::1/x",
        "https://[::1]/x",
        "https://t.example\n.evil/",
        "https://t .example/",
        "https://t.example\ud800/",
        "https://" + "a" * 64 + ".example/",
        "https://" + "a." * 127 + "example/",
        "https://-->.example/",
        5,
        None,
        ["https://t.example/"],
    ],
)
def test_what_is_no_request_to_a_host_is_left_out(url):
    assert [each.host for each in parse_reports(old(blocked_uri=url), content_type=OLD_TYPE)] in (
        [],
        ["t.example.evil"],
    )


@pytest.mark.parametrize("directive", ["form-action", "frame-ancestors", "require-trusted-types-for", "x", "", 1, None])
def test_directive_that_is_not_on_loading_is_left_out(directive):
    assert parse_reports(old(effective_directive=directive), content_type=OLD_TYPE) == ()


def test_page_that_is_no_text_is_no_page():
    assert parse_reports(old(document_uri=[1]), content_type=OLD_TYPE)[0].page_url == ""


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", OLD_TYPE),
        (b"\xff", OLD_TYPE),
        (b"{", OLD_TYPE),
        (b"[]", OLD_TYPE),
        (b"{}", OLD_TYPE),
        (b"1", OLD_TYPE),
        (b'{"csp-report": []}', OLD_TYPE),
        (b'{"csp-report": null}', OLD_TYPE),
        (b'{"csp-report": {"line-number": NaN}}', OLD_TYPE),
        (b'{"csp-report": {"line-number": -Infinity}}', OLD_TYPE),
        (b"[" * 16_000, OLD_TYPE),
        (b'{"csp-report":' * 1000, OLD_TYPE),
        (b"9" * 16_000, OLD_TYPE),
        (b"{}", NEW_TYPE),
        (b"[1]", NEW_TYPE),
        (b'[{"type": "csp-violation"}]', NEW_TYPE),
        (b'[{"type": "csp-violation", "body": "x"}]', NEW_TYPE),
        (b'{"csp-report": {}}', NEW_TYPE),
        (b"[" * 16_000, NEW_TYPE),
    ],
)
def test_wrong_shape_is_refused(body, content_type):
    with pytest.raises(SubmissionError) as caught:
        parse_reports(body, content_type=content_type)

    assert (caught.value.status, caught.value.code) == (400, "malformed")


def test_lone_surrogates_are_no_host():
    body = b'{"csp-report": {"document-uri": "\\ud800", "blocked-uri": "https://\\ud800.example", "effective-directive": "img-src"}}'

    assert parse_reports(body, content_type=OLD_TYPE) == ()
