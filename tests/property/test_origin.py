"""Redirect targets and origins under any text."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from hypothesis import given, settings
from hypothesis import strategies as st

from consent.wire.origin import CrossSiteError, Evidence, find_evidence, is_safe_path

often = settings(max_examples=500, deadline=None)

paths = st.text(st.sampled_from(list("/\\:.@?#%ae \t\n\r\x00\x0b\x1f\x7f\x85\xa0\u2028e")), max_size=12) | st.text(
    max_size=30
)
hosts = st.sampled_from(["example.com", "example.com:8443", "localhost:5000", "[::1]", "127.0.0.1:80"])


def browse(path):
    """Resolve as a browser does: controls cut away, `\\` as `/` (WHATWG URL Standard, basic URL parser)."""
    stripped = path.strip("".join(map(chr, range(0x21))))
    return stripped.translate({ord(character): None for character in "\t\r\n"}).replace("\\", "/")


@often
@given(path=paths.flatmap(lambda tail: st.sampled_from([tail, f"/{tail}", f"//{tail}", f"/\\{tail}"])))
def test_safe_path_stays_on_the_host(path):
    if not is_safe_path(path):
        return
    seen = browse(path)

    assert seen.startswith("/")
    assert not seen.startswith("//")
    assert urlsplit(urljoin("https://example.com/x", path)).netloc == "example.com"


@often
@given(path=paths)
def test_safe_path_cannot_split_a_header(path):
    if is_safe_path(path):
        assert not set(path) & set("\r\n\x00")


@often
@given(origin=st.text(max_size=40), host=hosts, scheme=st.sampled_from(["http", "https"]))
def test_any_origin_is_judged_without_an_error(origin, host, scheme):
    try:
        evidence = find_evidence({"Origin": origin}, host=host, scheme=scheme)
    except CrossSiteError:
        return
    assert evidence in (Evidence.ORIGIN, Evidence.NONE)
    assert evidence is not Evidence.ORIGIN or host.partition(":")[0] in origin.lower()


@often
@given(
    headers=st.dictionaries(
        st.sampled_from(["Sec-Fetch-Site", "Origin", "Referer"]),
        st.text(max_size=30) | st.sampled_from(["null", "same-origin", "https://example.com", "https://evil.example/"]),
    )
)
def test_proof_always_comes_from_a_header_that_names_this_site(headers):
    try:
        evidence = find_evidence(headers, host="example.com", scheme="https")
    except CrossSiteError:
        return
    if evidence is not Evidence.NONE:
        assert {key.lower(): value for key, value in headers.items()}[evidence.value] in (
            *("same-origin", "none"),
            "https://example.com",
        )
    else:
        assert "Sec-Fetch-Site" not in headers
