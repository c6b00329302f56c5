"""`Set-Cookie` and `Cookie` fields of any text, beside what Werkzeug writes and reads."""

from __future__ import annotations

from datetime import timedelta
from fnmatch import fnmatchcase

from hypothesis import example, given, settings
from hypothesis import strategies as st
from werkzeug.http import dump_cookie, http_date
from werkzeug.sansio.http import parse_cookie

from consent.core.cookie_declaration import CookieDeclaration
from consent.core.cookie_gate import CookieIndex
from consent.core.declaration import Service
from consent.core.policy import Policy
from consent.wire.headers import compile_names
from consent.wire.set_cookie import drop_cookies, find_name, is_deletion, list_cookie_names, parse_cookie_date
from tests import strategies
from tests.conftest import NOW

often = settings(max_examples=250, deadline=None)

TOKEN_CHARACTERS = "abc_-.X1!#$%&'+^`|~"
names = st.text(st.sampled_from(TOKEN_CHARACTERS), min_size=1, max_size=8)
attributes = st.lists(
    st.sampled_from(["Max-Age", "max-age", "Expires", "Path", ""]).flatmap(
        lambda name: st.sampled_from(
            ["", "0", "-1", "9", "x", "Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT"]
        ).map(lambda value: f"{name}={value}")
    ),
    max_size=5,
).map("; ".join)
UNWANTED = frozenset({"_ga", "a", "abc"})
cookie_headers = st.lists(
    st.builds(
        "{}{}{}{}".format,
        st.sampled_from(["", " ", "\t", "\xa0", '"', "  "]),
        st.sampled_from(["_ga", "a", "abc", "b", "", "_ga x"]),
        st.sampled_from(["=", " = ", "", '="', "=\\"]),
        st.sampled_from(["1", '"', 'x"', "", "_ga=2", "é", "\xff"]),
    ),
    max_size=6,
).map(";".join)


@often
@given(field=st.text(max_size=200) | st.builds("{}; {}".format, st.text(max_size=20), attributes))
def test_any_field_has_a_name_and_is_a_deletion_or_not(field):
    name = find_name(field)

    assert name == name.strip(" \t")
    assert not {"=", ";"} & set(name)
    assert is_deletion(field, now=NOW) in (True, False)


@often
@given(text=st.text(max_size=80) | st.text(st.sampled_from("0123456789: -,janfebGMT"), max_size=40))
def test_any_text_is_a_date_or_not(text):
    found = parse_cookie_date(text)

    assert found is None or found.year >= 1601


@often
@given(
    name=names,
    value=st.text(max_size=20),
    max_age=st.none() | st.integers(-100, 100),
    seconds=st.none() | st.integers(-(10**9), 10**9),
)
def test_field_that_werkzeug_writes_is_read_as_it_was_meant(name, value, max_age, seconds):
    expires = None if seconds is None else NOW + timedelta(seconds=seconds)
    field = dump_cookie(name, value, max_age=max_age, expires=expires, max_size=0)

    assert find_name(field) == name
    if max_age is not None:
        assert is_deletion(field, now=NOW) is (max_age <= 0)
    else:
        assert is_deletion(field, now=NOW) is (seconds is not None and seconds <= 0)


@often
@given(instant=strategies.near_instants)
def test_date_that_werkzeug_writes_comes_back(instant):
    assert parse_cookie_date(http_date(instant)) == instant.replace(microsecond=0)


@often
@given(header=cookie_headers | strategies.header_texts)
@example('b="; _ga=1; c"')
@example("_ga x=1; _ga")
def test_dropped_cookie_is_seen_by_nobody_and_the_others_keep_their_bytes(header):
    rest = drop_cookies(header, UNWANTED.__contains__)

    assert not UNWANTED & set(parse_cookie(rest))
    assert not UNWANTED & set(list_cookie_names(rest))
    parts = [part for part in header.split(";") if part.partition("=")[0].strip() not in UNWANTED]
    assert rest.strip(" \t") == ";".join(parts).strip(" \t")
    assert drop_cookies(rest, UNWANTED.__contains__) == rest


@often
@given(header=cookie_headers | strategies.header_texts, name=strategies.cookie_names)
def test_quick_look_at_a_header_overlooks_no_declared_name(header, name):
    declaration = CookieDeclaration(name, days=1)
    index = CookieIndex(_declare(declaration))
    pattern = compile_names([declaration])

    assert pattern is not None
    if any(map(index.find_owner, list_cookie_names(header))):
        assert pattern.search(header)


@often
@given(
    pattern=st.lists(names | st.just("*"), min_size=1, max_size=7).map("".join),
    name=names | st.lists(names, max_size=4).map("".join),
)
@example("ab*b*b", "abb")
@example("ab*b*b", "abbb")
def test_pattern_means_what_the_standard_library_takes_it_for(pattern, name):
    declaration = CookieDeclaration(f"st{pattern}", days=1)

    assert bool(CookieIndex(_declare(declaration)).find_owner(f"st{name}")) is fnmatchcase(name, pattern)


def _declare(*cookies):
    service = Service("stats", name="Stats", purposes=("analytics",), cookies=cookies)
    return Policy(controller="Example News Ltd", services=(service,))
