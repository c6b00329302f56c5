"""The same-origin rule, every cell of its table, and where a redirect may lead."""

from __future__ import annotations

import pytest

from consent.core.choice import Action
from consent.wire.origin import CrossSiteError, Evidence, find_evidence, is_safe_path
from consent.wire.submission import Submission

HOST = "example.com"

ORIGINS = {
    "match": "https://example.com",
    "other host": "https://evil.example",
    "null": "null",
    "absent": None,
    "other port": "https://example.com:8443",
    "upper case": "HTTPS://EXAMPLE.COM",
    "trailing dot": "https://example.com.",
}

# Outcome for a grant / for a refusal: `+` is let through, `-` is answered with 403.
TABLE = """
             | match | other host | null | absent | other port | upper case | trailing dot
same-origin  | + +   | + +        | + +  | + +    | + +        | + +        | + +
none         | + +   | + +        | + +  | + +    | + +        | + +        | + +
same-site    | - -   | - -        | - -  | - -    | - -        | - -        | - -
cross-site   | - -   | - -        | - -  | - -    | - -        | - -        | - -
garbage      | - -   | - -        | - -  | - -    | - -        | - -        | - -
absent       | + +   | - -        | - +  | - +    | - -        | + +        | - -
"""


def read_table():
    head, *rows = [[cell.strip() for cell in line.split("|")] for line in TABLE.strip("\n").splitlines()]
    for site, *cells in rows:
        for origin, cell in zip(head[1:], cells, strict=True):
            for submission, outcome in zip(("grant", "refusal"), cell.split(), strict=True):
                yield pytest.param(site, origin, submission, outcome == "+", id=f"{site}, {origin}, {submission}")


CELLS = list(read_table())


def is_let_through(headers, submission, *, host=HOST, scheme="https"):
    """Judge as the route does: a cross-site request never, an unproven one only to close."""
    try:
        evidence = find_evidence(headers, host=host, scheme=scheme)
    except CrossSiteError:
        return False
    return not submission.needs_proof or evidence is not Evidence.NONE


SUBMISSIONS = {"grant": Submission(action=Action.ACCEPT_ALL), "refusal": Submission(action=Action.REJECT_ALL)}


def test_table_is_whole():
    assert len(CELLS) == 6 * 7 * 2


@pytest.mark.parametrize(("site", "origin", "submission", "expected"), CELLS)
def test_same_origin_table(site, origin, submission, expected):
    headers = {"Sec-Fetch-Site": None if site == "absent" else site, "Origin": ORIGINS[origin]}
    present = {name: value for name, value in headers.items() if value is not None}

    assert is_let_through(present, SUBMISSIONS[submission]) is expected


@pytest.mark.parametrize(
    "site",
    ["", "Same-Origin", "same-origin, cross-site", "cross-site, same-origin", "none none", "?1", "same-origin\x00"],
)
def test_anything_else_in_sec_fetch_site_is_cross_site(site):
    with pytest.raises(CrossSiteError, match="sec-fetch-site"):
        find_evidence({"Sec-Fetch-Site": site, "Origin": ORIGINS["match"] or ""}, host=HOST, scheme="https")


# -- Origin


@pytest.mark.parametrize(
    ("origin", "host", "scheme"),
    [
        ("https://example.com", "example.com", "https"),
        ("https://example.com:443", "example.com", "https"),
        ("https://example.com", "example.com:443", "https"),
        ("http://example.com", "example.com:80", "http"),
        ("http://example.com:80", "example.com", "http"),
        ("http://localhost:5000", "localhost:5000", "http"),
        ("http://127.0.0.1:5000", "127.0.0.1:5000", "http"),
        ("http://[::1]:5000", "[::1]:5000", "http"),
        ("http://[::1]", "[::1]:80", "http"),
        ("http://[2001:db8::80]", "[2001:db8::80]", "http"),
        ("https://Example.com", "EXAMPLE.COM", "https"),
        ("https://xn--bcher-kva.example", "xn--bcher-kva.example", "https"),
    ],
)
def test_own_origin_is_proof(origin, host, scheme):
    assert find_evidence({"Origin": origin}, host=host, scheme=scheme) is Evidence.ORIGIN


@pytest.mark.parametrize(
    "origin",
    [
        "https://www.example.com",
        "https://example.com.evil.example",
        "https://evil.example/example.com",
        "https://evilexample.com",
        "https://example.co",
        "https://example.com:80",
        "https://example.com:4433",
        "http://example.com:443",
        "https://example.com:",
        "https://user@example.com",
        "https://example.com@evil.example",
        "https://example.com\\@evil.example",
        "https://example.com https://evil.example",
        "https://evil.example, https://example.com",
        "example.com",
        "//evil.example",
        "https:example.com",
        "https:///example.com",
        "https://[::1",
        "https://exаmple.com",
        "https://example。com",
        "about:blank",
        "file://",
        "Null",
        "null, https://example.com",
        "",
        " ",
        "\x00",
    ],
)
def test_other_origin_is_cross_site_even_with_a_good_referer(origin):
    with pytest.raises(CrossSiteError, match="origin"):
        find_evidence({"Origin": origin, "Referer": "https://example.com/"}, host=HOST, scheme="https")


@pytest.mark.parametrize(
    "headers", [{"Origin": "garbage"}, {"Origin": ""}, {"Referer": "garbage"}, {"Origin": "https://[::1"}]
)
def test_request_without_a_host_proves_nothing(headers):
    # Werkzeug gives an empty host for a malformed `Host` field; two blanks are no match.
    with pytest.raises(CrossSiteError):
        find_evidence(headers, host="", scheme="https")


# -- Referer


@pytest.mark.parametrize("origin", [None, "null"])
@pytest.mark.parametrize("referer", ["https://example.com/", "https://example.com:443/a?b=c", "https://EXAMPLE.com"])
def test_own_referer_is_proof_where_there_is_no_origin(origin, referer):
    headers = {"Referer": referer} | ({"Origin": origin} if origin else {})

    assert find_evidence(headers, host=HOST, scheme="https") is Evidence.REFERER


@pytest.mark.parametrize(
    "referer",
    [
        "https://evil.example/",
        "https://evil.example/https://example.com/",
        "https://www.example.com/",
        "https://example.com:8443/",
        "https://example.com./",
        "https://example.com@evil.example/",
        "https://evil.example/?https://example.com",
        "https://[::1",
    ],
)
def test_other_referer_is_cross_site(referer):
    with pytest.raises(CrossSiteError, match="referer"):
        find_evidence({"Referer": referer}, host=HOST, scheme="https")


@pytest.mark.parametrize("headers", [{}, {"Referer": ""}, {"Origin": "null"}, {"Origin": "null", "Referer": ""}])
def test_silence_proves_nothing_and_speaks_against_nothing(headers):
    assert find_evidence(headers, host=HOST, scheme="https") is Evidence.NONE


def test_sec_fetch_site_counts_before_all_else():
    headers = {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example", "Referer": "https://evil.example/"}

    assert find_evidence(headers, host=HOST, scheme="https") is Evidence.SEC_FETCH_SITE


@pytest.mark.parametrize("name", ["X-Forwarded-Host", "Forwarded", "X-Original-Host", "X-HTTP-Method-Override"])
def test_forwarding_headers_have_no_say(name):
    headers = {name: "evil.example", "Origin": "https://evil.example"}

    with pytest.raises(CrossSiteError):
        find_evidence(headers, host=HOST, scheme="https")


def test_evidence_is_named_as_records_name_it():
    assert [evidence.value for evidence in Evidence] == ["sec-fetch-site", "origin", "referer", "none"]


# -- is_safe_path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "e",
        "//e",
        "///e",
        "////e",
        "/\\e",
        "\\\\e",
        "\\e",
        "/a\\b",
        "https:e",
        "https://e",
        "https:/e",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "mailto:a@b",
        "/\t/e",
        "/\n/e",
        "/\r/e",
        "\t//e",
        "\n/e",
        " /e",
        "/e ",
        "/a b",
        "/a\r\nSet-Cookie: consent=x",
        "/\x00",
        "/\x0b/e",
        "/\x1f",
        "/\x7f",
        "?a=b",
        "#a",
        "./a",
        "../a",
        "/" + "a" * 3000,
        "/" + "a" * 2048,
    ],
)
def test_redirect_that_could_leave_the_site_is_refused(path):
    assert not is_safe_path(path)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/news",
        "/news/?page=2&q=a%20b",
        "/a//b",
        "/a?next=//evil.example",
        "/a?next=https://evil.example",
        "/@user",
        "/:80",
        "/.well-known",
        "/%09/e",
        "/%5Cevil.example",
        "/é",
        "/%2F%2Fe",
        "/" + "a" * 2047,
    ],
)
def test_redirect_on_the_site_is_kept(path):
    assert is_safe_path(path)
