"""Headers of the app that nobody may have written right: policies, links, reports. Nothing raises, nothing opens."""

from __future__ import annotations

import json
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from consent.core.content_security_policy import DIRECTIVES, overlap, read_sources, write_policy
from consent.core.declaration import Service
from consent.errors import SubmissionError
from consent.wire.csp_report import NEW_TYPE, OLD_TYPE, BlockedRequest, parse_reports
from consent.wire.link_header import remove_hints
from consent.wire.permissions_policy import list_features
from tests.csp_oracle import is_allowed

SHUT = Service("shut", name="Shut", purposes=("marketing",), hosts=("ads.example", "*.ads.example"))

labels = st.sampled_from(["a", "b", "ads", "example", "xads"])
hosts = st.builds(lambda star, names: star + ".".join(names), st.sampled_from(["", "*."]), st.lists(labels, min_size=1))
words = st.sampled_from(["'self'", "https:", "*", "data:", "'nonce-x'", "https://", ":443", "/x", "\u00e4", "\0", ""])
sources = st.one_of(hosts, words, st.builds("{}{}{}".format, words, hosts, words))
directives = st.sampled_from(["default-src", "script-src", "img-src", "child-src", "IMG-SRC", "report-uri", "x"])
tidy = st.lists(st.builds("{} {}".format, directives, st.lists(sources, max_size=4).map(" ".join)), min_size=1).map(
    ";".join
)
messy = st.lists(
    st.one_of(directives, sources, st.sampled_from([";", ",", "\t", "\n"]), st.text(max_size=5)), max_size=30
).map(" ".join)
policies = st.one_of(tidy, messy)
shut_urls = st.builds(
    "{}://{}{}/{}".format,
    st.sampled_from(["https", "http", "wss", "ws"]),
    st.sampled_from(["ads.example", "x.ads.example", "x.y.ads.example", "ads.example."]),
    st.sampled_from(["", ":443", ":8443"]),
    st.sampled_from(["", "x", "x/y.js"]),
)


def names_in(host, pattern):
    return host == pattern or (pattern.startswith("*.") and host.endswith(pattern[1:]))


def write(header, opened=(), shut=()):
    return write_policy(opened, shut, own_hosts=(), app_sources=read_sources(header), report_uri="/r")


@given(policies, shut_urls)
def test_no_policy_of_the_app_opens_a_shut_host(header, url):
    text = write(header, shut=[SHUT])

    assert [directive for directive in DIRECTIVES if is_allowed(text, directive, url)] == []
    assert text.isascii()
    assert "," not in text


@given(st.sampled_from(["*", "https:", "http://*", "https://*:443", "*:8443", "*.example", "wss:", "//*"]), shut_urls)
def test_no_source_for_everybody_is_taken_over(source, url):
    text = write(f"default-src {source}; script-src {source} 'self'; connect-src {source}", shut=[SHUT])

    assert [directive for directive in DIRECTIVES if is_allowed(text, directive, url)] == []


@given(policies, shut_urls)
def test_host_of_an_open_service_is_allowed_whatever_the_app_says(header, url):
    """So that the tests above can fail: whoever decides there what is allowed sees that this is."""
    text = write(header, opened=[SHUT])

    assert is_allowed(text, "connect-src", url)
    assert url.startswith("ws") or all(is_allowed(text, directive, url) for directive in DIRECTIVES)


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


keys = st.from_regex(r"[a-z*][a-z0-9_.*-]{0,5}", fullmatch=True)
# Other names in strings, and what looks like the end of a member.
strings = st.text(alphabet='ab=();,* ?"\\', max_size=9).map(
    lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
)
items = st.one_of(strings, st.sampled_from(["*", "self", "?1", "-1.5", "src", ":YQ==:"]))
parameters = st.lists(st.builds(";{}={}".format, keys, items), max_size=2).map("".join)
inner_lists = st.lists(st.builds("{}{}".format, items, parameters), max_size=3).map(lambda each: f"({' '.join(each)})")
values = st.one_of(st.just(""), st.builds("={}".format, st.one_of(items, inner_lists)))
members = st.tuples(keys, st.builds("{}{}".format, values, parameters))


@given(st.lists(members), st.sampled_from([",", ", ", "\t,  "]))
def test_names_of_features_are_those_of_the_members_alone(given_members, separator):
    header = separator.join(name + rest for name, rest in given_members)

    assert list_features(header) == tuple(name for name, _ in given_members)


@given(st.lists(members), st.sampled_from(["(", ")", "=", ";", "\xe4", "A", '"', ",,", "a=(", "a b"]))
def test_header_with_a_malformed_end_has_no_features(given_members, end):
    assert list_features(", ".join((*(name + rest for name, rest in given_members), end))) is None


@given(st.text(alphabet='ab=();"* ,?1.\\\t', max_size=40))
def test_no_header_of_features_raises(value):
    list_features(value)
