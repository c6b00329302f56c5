"""Headers of the app that nobody may have written right: policies, links, reports. Nothing raises, nothing opens."""

from __future__ import annotations

import json
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from consent.core.content_security_policy import overlap, read_sources, write_policy
from consent.core.declaration import Service
from consent.errors import SubmissionError
from consent.wire.csp_report import NEW_TYPE, OLD_TYPE, BlockedRequest, parse_reports
from consent.wire.link_header import remove_hints
from consent.wire.permissions_policy import list_features

SHUT = Service("shut", name="Shut", purposes=("marketing",), hosts=("ads.example", "*.ads.example"))

labels = st.sampled_from(["a", "b", "ads", "example", "xads"])
hosts = st.builds(lambda star, names: star + ".".join(names), st.sampled_from(["", "*."]), st.lists(labels, min_size=1))
words = st.sampled_from(["'self'", "https:", "*", "data:", "'nonce-x'", "https://", ":443", "/x", "\u00e4", "\0", ""])
sources = st.one_of(hosts, words, st.builds("{}{}{}".format, words, hosts, words))
directives = st.sampled_from(["default-src", "script-src", "img-src", "child-src", "IMG-SRC", "report-uri", "x"])
policies = st.lists(
    st.one_of(directives, sources, st.sampled_from([";", ",", "\t", "\n"]), st.text(max_size=5)), max_size=30
).map(" ".join)


def names_in(host, pattern):
    return host == pattern or (pattern.startswith("*.") and host.endswith(pattern[1:]))


@given(policies)
def test_no_policy_of_the_app_opens_a_shut_host(header):
    text = write_policy([], [SHUT], own_hosts=(), app_sources=read_sources(header), report_uri="/r")

    for directive in text.split("; "):
        for source in directive.split(" ")[1:]:
            pattern = source.partition("://")[2] or source
            pattern = pattern.partition("/")[0].partition(":")[0].rstrip(".").lower()
            assert source.startswith("'") or source in ("data:", "blob:", "/r") or pattern
            assert not any(names_in(host, pattern) for host in ("ads.example", "x.ads.example", "x.y.ads.example"))
    assert text.isascii()
    assert "," not in text


@given(hosts, hosts)
def test_overlap_has_no_direction(one, other):
    assert overlap(one, other) is overlap(other, one)


@given(hosts, hosts, hosts)
def test_hosts_that_both_patterns_mean_are_an_overlap(host, one, other):
    if not host.startswith("*.") and names_in(host, one) and names_in(host, other):
        assert overlap(one, other)


links = st.sampled_from(
    [
        "<https://ads.example>",
        "<https://own.example>",
        ";rel=preload",
        '; rel="next preload"',
        ",",
        '"',
        "<",
        ">",
        "\\",
        " ",
    ]
)


@given(st.lists(st.one_of(links, st.text(max_size=4)), max_size=20).map("".join))
def test_link_header_loses_whole_links_and_nothing_else(value):
    kept = remove_hints(value, lambda hint: "ads.example" in hint.url)

    assert remove_hints(value, lambda _: False) == value
    assert remove_hints(kept, lambda hint: "ads.example" in hint.url) == kept
    rest = iter(value)
    assert all(character in rest for character in kept)


anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
fields = st.sampled_from(
    ["csp-report", "type", "body", "blocked-uri", "blockedURL", "effective-directive", "document-uri"]
)
reports = st.recursive(
    anything | st.sampled_from(["csp-violation", "https://t.example/", "img-src"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(fields, inner, max_size=5),
    max_leaves=12,
)


@given(
    st.one_of(st.binary(), reports.map(lambda each: json.dumps(each).encode())), st.sampled_from([OLD_TYPE, NEW_TYPE])
)
def test_report_is_read_or_refused_whatever_it_is(body, content_type):
    found: tuple[BlockedRequest, ...] = ()
    with suppress(SubmissionError):
        found = parse_reports(body, content_type=content_type)
    for each in found:
        assert each.host.isascii()
        assert not set(each.host) & set("/:@\\ \n*")


@given(st.text(alphabet='ab=();"* ,?1.\\\t', max_size=40))
def test_names_of_features_are_in_the_header(value):
    for name in list_features(value) or ():
        assert name in value
