"""Response headers: exact strings, and no visitor's cookie that could break one."""

from __future__ import annotations

import dataclasses

import pytest

from consent.core.cookie_declaration import CookieDeclaration
from consent.core.gate import CookieVerdicts
from consent.wire.headers import (
    CONSENT_VARY,
    EXPIRY_LIMIT_BYTES,
    add_vary,
    compile_names,
    expire_cookies,
    expire_rivals,
    format_cookie,
    is_public,
    make_private,
)

GONE = "Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0"


def expire(unwanted, sent, *, kept=(), host="example.com", is_secure=False):
    verdicts = CookieVerdicts(unwanted=tuple(unwanted), kept=tuple(kept))
    return expire_cookies(verdicts, sent=sent, host=host, is_secure=is_secure)


def cookie(name, **options):
    return CookieDeclaration(name, days=1, **options)


def names_in(values):
    return {value.partition("=")[0] for value in values}


def domains_in(values):
    return {value.partition("Domain=")[2].partition(";")[0] for value in values}


# -- the consent cookie


def test_consent_cookie_over_https():
    assert format_cookie("__Host-consent", "abc.def", max_age_seconds=15638400, is_secure=True) == (
        "__Host-consent=abc.def; Max-Age=15638400; Path=/; HttpOnly; Secure; SameSite=Lax"
    )


def test_consent_cookie_over_http():
    assert format_cookie("consent", "abc.def", max_age_seconds=1, is_secure=False) == (
        "consent=abc.def; Max-Age=1; Path=/; HttpOnly; SameSite=Lax"
    )


# -- expiry


def test_expiry_covers_the_host_alone_and_every_parent():
    assert expire([cookie("_ga")], ["_ga"], host="www.shop.example.com") == [
        f"_ga=; {GONE}; Path=/",
        f"_ga=; {GONE}; Path=/; Domain=www.shop.example.com",
        f"_ga=; {GONE}; Path=/; Domain=shop.example.com",
        f"_ga=; {GONE}; Path=/; Domain=example.com",
    ]


def test_expiry_over_https_is_secure():
    assert expire([cookie("__Secure-x")], ["__Secure-x"], host="localhost", is_secure=True) == [
        f"__Secure-x=; {GONE}; Path=/; Secure"
    ]


@pytest.mark.parametrize(
    ("host", "domains"),
    [
        ("example.com", {"", "example.com"}),
        ("example.com:8443", {"", "example.com"}),
        ("EXAMPLE.com", {"", "example.com"}),
        ("localhost", {""}),
        ("localhost:5000", {""}),
        ("news.localhost:5000", {"", "news.localhost"}),
        ("127.0.0.1", {""}),
        ("127.0.0.1:5000", {""}),
        ("[::1]", {""}),
        ("[::1]:5000", {""}),
        ("[2001:db8::1]", {""}),
        ("", {""}),
    ],
)
def test_expiry_knows_the_domains_of_a_host(host, domains):
    assert domains_in(expire([cookie("_ga")], ["_ga"], host=host)) == domains


@pytest.mark.parametrize("host", ["example.com; Secure", "example.com\r\nX: y", "exa mple.com", "a,b.example.com"])
def test_expiry_does_not_copy_a_malformed_host(host):
    values = expire([cookie("_ga")], ["_ga"], host=host)

    assert values
    assert not any(character in value.partition("Domain=")[2] for value in values for character in ";,\r\n ")


@pytest.mark.parametrize(
    ("pattern", "sent", "found"),
    [
        ("_ga_*", {"_ga_ABC", "_ga_", "_ga", "x_ga_A", "_gax"}, {"_ga_ABC", "_ga_"}),
        ("_ga", {"_ga", "_gat", "_GA", "a_ga"}, {"_ga"}),
        ("*_id", {"pl_id", "_id", "pl_idx"}, {"pl_id", "_id"}),
        ("_pk_id.*.abc", {"_pk_id.1.abc", "_pk_idx1.abc", "_pk_id.1.abcd"}, {"_pk_id.1.abc"}),
        ("a.b", {"a.b", "axb"}, {"a.b"}),
        ("a+b", {"a+b", "aab"}, {"a+b"}),
        ("_hj*", {"_hjSession", "_hj"}, {"_hjSession", "_hj"}),
    ],
)
def test_expiry_matches_patterns_as_a_whole(pattern, sent, found):
    assert names_in(expire([cookie(pattern)], sorted(sent), host="localhost")) == found


def test_expiry_touches_nothing_that_was_not_sent():
    assert expire([cookie("_ga"), cookie("_ga_*")], ["session", "theme"]) == []


def test_expiry_of_an_unknown_name_under_another_path_is_impossible_for_a_pattern():
    assert expire([cookie("_ga_*", path="/shop")], []) == []


def test_expiry_of_an_exact_name_under_another_path_happens_unseen():
    assert expire([cookie("cart", path="/shop")], [], host="localhost") == [f"cart=; {GONE}; Path=/shop"]


def test_expiry_of_a_name_that_was_sent_covers_both_paths():
    assert sorted(expire([cookie("cart", path="/shop")], ["cart"], host="localhost")) == [
        f"cart=; {GONE}; Path=/",
        f"cart=; {GONE}; Path=/shop",
    ]


def test_expiry_of_a_pattern_that_was_sent_covers_both_paths():
    assert expire([cookie("cart_*", path="/shop")], ["cart_1"], host="localhost") == [
        f"cart_1=; {GONE}; Path=/",
        f"cart_1=; {GONE}; Path=/shop",
    ]


def test_expiry_says_each_thing_once():
    values = expire([cookie("_ga"), cookie("_ga*"), cookie("_ga")], ["_ga", "_ga"])

    assert len(values) == len(set(values)) == 2


def test_expiry_of_a_host_prefixed_cookie_names_no_domain():
    # Browsers ignore `__Host-` with a Domain: it would only take up room.
    assert expire([cookie("__Host-id")], ["__Host-id"], is_secure=True) == [f"__Host-id=; {GONE}; Path=/; Secure"]


@pytest.mark.parametrize(
    ("kept", "gone"),
    [
        ("_ga", {"_ga_1", "_gat"}),
        ("_ga_*", {"_ga", "_gat"}),
        ("*ga*", set()),
        ("_other", {"_ga", "_ga_1", "_gat"}),
    ],
)
def test_expiry_spares_what_a_granted_service_declares(kept, gone):
    assert names_in(expire([cookie("_ga*")], ["_ga", "_ga_1", "_gat"], kept=[cookie(kept)])) == gone


def test_expiry_spares_a_granted_cookie_under_another_path_unseen():
    shared = cookie("cart", path="/shop")

    assert expire([shared], [], kept=[shared]) == []


def test_expiry_on_parents_leaves_the_host_s_own_cookie():
    assert expire_rivals("consent", host="www.example.com", is_secure=False, is_shared=False) == [
        f"consent=; {GONE}; Path=/; Domain=www.example.com",
        f"consent=; {GONE}; Path=/; Domain=example.com",
    ]


def test_expiry_beside_a_shared_cookie_takes_the_host_s_own_along():
    values = expire_rivals("__Secure-consent", host="www.example.com", is_secure=True, is_shared=True)

    assert values[0] == f"__Secure-consent=; {GONE}; Path=/; Secure"
    assert [value.split("Domain=")[-1].split(";")[0] for value in values[1:]] == ["www.example.com", "example.com"]


def test_expiry_on_parents_of_a_host_prefixed_cookie_is_nothing():
    assert expire_rivals("__Host-consent", host="www.example.com", is_secure=True, is_shared=False) == []


@pytest.mark.parametrize("host", ["localhost:5000", "127.0.0.1", "[::1]:80"])
def test_expiry_on_parents_of_a_host_without_parents_is_nothing(host):
    assert expire_rivals("consent", host=host, is_secure=False, is_shared=False) == []


@pytest.mark.parametrize("own", ["consent", "__Host-consent"])
@pytest.mark.parametrize("pattern", ["con*", "__Host-con*", "*ent", "consent", "__Host-consent"])
def test_expiry_never_deletes_the_consent_cookie_itself(pattern, own):
    # It would follow the new record on the same response: nobody's refusal would ever be remembered.
    assert own not in names_in(expire([cookie(pattern)], [own], is_secure=True))


def test_expiry_stops_at_3_kilobytes():
    sent = [f"_ga_{number:03}" for number in range(200)]
    values = expire([cookie("_ga_*")], sent, host="www.example.com")

    assert EXPIRY_LIMIT_BYTES == 3072
    assert EXPIRY_LIMIT_BYTES - 120 < sum(len(value.encode()) for value in values) <= EXPIRY_LIMIT_BYTES


def test_expiry_comes_to_its_end_over_several_responses():
    sent = [f"_ga_{number:03}" for number in range(100)]
    responses = 0
    while sent:
        gone = names_in(expire([cookie("_ga_*")], sent, host="localhost"))
        assert gone
        sent = [name for name in sent if name not in gone]
        responses += 1

    assert responses < 10


def test_cookies_of_other_paths_do_not_starve_those_that_were_sent():
    # The first are never seen to be gone, so they would take every response's room for ever.
    unseen = [cookie(f"part-{number:02}", path="/some/where/else") for number in range(40)]

    assert "_ga" in names_in(expire([*unseen, cookie("_ga")], ["_ga"], host="www.example.com"))


def test_one_overlong_name_does_not_keep_the_others():
    sent = ["_ga_" + "x" * 4000, "_ga_1"]

    assert names_in(expire([cookie("_ga_*")], sent, host="localhost")) == {"_ga_1"}


@pytest.mark.parametrize("name", ["_ga_\x00", "_ga_\x1b[31m", "_ga_\x7f", "_ga_\r\nX: y"])
def test_name_that_cannot_stand_in_a_header_is_left_out(name):
    # A visitor chooses the names of their cookies, and servers answer 500 to a header with a control character.
    assert names_in(expire([cookie("_ga_*")], [name, "_ga_1"], host="localhost")) == {"_ga_1"}


def test_name_in_other_bytes_is_expired_as_it_came():
    # WSGI hands bytes on as Latin-1, in both directions.
    assert expire([cookie("_ga_*")], ["_ga_\xe2\x98\x83"], host="localhost") == [f"_ga_\xe2\x98\x83=; {GONE}; Path=/"]


def test_many_names_and_patterns_come_to_an_end():
    declared = [cookie(f"_{number}_*_x*y*") for number in range(50)]
    sent = [f"_{number}_" + "xy" * 10 for number in range(1000)]

    assert expire(declared, sent) == []


# -- names in the header


@pytest.mark.parametrize(
    ("header", "is_found"),
    [
        ("_ga=1", True),
        ("a=b; _ga=1", True),
        ("a=b;_ga=1", True),
        ("a=b;\t_ga=1", True),
        ("a=b; \xa0_ga = 1", True),
        ("a=b; _ga ; c=d", True),
        ("_ga", True),
        ("_ga_X=1", True),
        ("_gat=1", False),
        ("x_ga=1", False),
        ("a=_ga", False),
        ("a=_ga=1", False),
        ("a=b; c_ga=1", False),
        ("", False),
    ],
)
def test_declared_names_are_found_in_the_header(header, is_found):
    pattern = compile_names([cookie("_ga"), cookie("_ga_*")])

    assert pattern is not None
    assert (pattern.search(header) is not None) is is_found


def test_no_names_make_no_pattern():
    assert compile_names([]) is None


def test_names_are_taken_literally():
    pattern = compile_names([dataclasses.replace(cookie("a.b+c"))])

    assert pattern is not None
    assert pattern.search("a.b+c=1")
    assert not pattern.search("axbbc=1")


@pytest.mark.parametrize(
    "header",
    [
        "_a" * 30_000,
        ";" * 60_000,
        "; " * 30_000,
        "_a_b_a_b;" * 7000,
        "; _ax" + "y" * 60_000,
        ";" + " " * 60_000,
        "_ga" + " " * 60_000 + "x",
    ],
)
def test_search_of_a_long_header_comes_to_an_end(header):
    pattern = compile_names([cookie("_a*b*c*d"), cookie("*_zz"), cookie("_ga")])
    assert pattern is not None

    assert pattern.search(header) is None


# -- Vary


@pytest.mark.parametrize(
    ("current", "expected"),
    [
        (None, "Cookie, Sec-GPC"),
        ("", "Cookie, Sec-GPC"),
        ("Accept-Encoding", "Accept-Encoding, Cookie, Sec-GPC"),
        ("Cookie", "Cookie, Sec-GPC"),
        ("cookie, SEC-GPC", "cookie, SEC-GPC"),
        ("Sec-GPC,Cookie", "Sec-GPC,Cookie"),
        ("Accept, Cookie , X", "Accept, Cookie , X, Sec-GPC"),
        ("X-Cookie", "X-Cookie, Cookie, Sec-GPC"),
        ("*", "*"),
        ("Accept, *", "Accept, *"),
    ],
)
def test_vary_gains_what_is_missing(current, expected):
    assert add_vary(current, CONSENT_VARY) == expected


def test_vary_added_twice_is_the_same():
    once = add_vary("Accept", CONSENT_VARY)

    assert add_vary(once, CONSENT_VARY) == once


# -- Cache-Control


@pytest.mark.parametrize(
    ("current", "expected"),
    [
        (None, "private"),
        ("", "private"),
        ("public", "private"),
        ("public, max-age=60", "max-age=60, private"),
        ("max-age=60, public, s-maxage=600", "max-age=60, private"),
        ("PUBLIC, S-MaxAge=600, Max-Age=60", "Max-Age=60, private"),
        ("private", "private"),
        ("Private, max-age=0", "Private, max-age=0"),
        ("no-store", "no-store"),
        ("no-store, public", "no-store"),
        ("no-cache", "no-cache, private"),
        ("max-age=60,must-revalidate", "max-age=60, must-revalidate, private"),
        (" , ,max-age=1", "max-age=1, private"),
        ("public=1", "private"),
        ("no-transform, immutable", "no-transform, immutable, private"),
    ],
)
def test_response_becomes_private(current, expected):
    assert make_private(current) == expected


@pytest.mark.parametrize("current", ['private="Set-Cookie"', 'max-age=60, private="X-Account, X-Other"'])
def test_private_for_some_fields_alone_is_not_private(current):
    # RFC 9111 section 5.2.2.7: with field names, a shared cache may keep all the rest.
    parts = [part.strip() for part in make_private(current).split(",")]

    assert "private" in parts


def test_made_private_twice_is_the_same():
    assert make_private(make_private("public, max-age=60")) == make_private("public, max-age=60")


@pytest.mark.parametrize(
    ("current", "expected"),
    [
        (None, False),
        ("", False),
        ("private, max-age=60", False),
        ("max-age=60", False),
        ("public", True),
        ("Max-Age=60, PUBLIC", True),
        ("s-maxage=60", True),
        ("x-public", False),
        ("no-publicity", False),
    ],
)
def test_invitation_to_shared_caches_is_noticed(current, expected):
    assert is_public(current) is expected
