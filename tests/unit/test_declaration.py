"""What a site may declare, and the exact words for what it may not."""

from __future__ import annotations

import dataclasses

import pytest

from consent.core.cookie_declaration import CookieDeclaration, StorageKind
from consent.core.declaration import Purpose, Service, default_purposes
from consent.core.embed import Embed, Parameter
from consent.errors import ConfigError

KEY_RULE = "Use lower-case letters, digits, '-' and '_', beginning and ending with a letter or digit."
URL_RULE = "Allowed are 'https://…', 'http://…' or a path such as '/privacy'."
KINDS = "'cookie', 'local_storage', 'session_storage', 'indexed_db'"
LIFETIMES = "exactly one of 'months', 'days', 'minutes', 'session=True' and 'unpublished=True'"
HOST_RULE = "A host is a lower-case name such as 'stats.example.com' or '*.example.com', with no scheme, port or path."
NAME_RULE = "Allowed are the characters of an HTTP token (RFC 6265 section 4.1.1), with '*' as the wildcard."
SWEEP_RULE = (
    "matches almost every cookie, so withdrawing would delete what is not its own. "
    "Give at least 2 letters or digits besides '*' and a prefix such as '__Host-'."
)

HOSTILE_URLS = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    " https://example.com",
    "\x01https://example.com",
    "//evil.example",
    "/\\evil.example",
    "https://example.com/a b",
    "https://example.com/\r\nSet-Cookie: a=b",
    "https://example.com/\x7f",
    "/privacy\t",
    "privacy",
    "ftp://example.com",
    "HTTPS//example.com",
    "https://",
    "https:///evil.example",
    "https://[",
    "https://[::1",
    "http://a.example:port",
    "https://a.example:99999/",
]


EMBED = Embed(
    url="https://v.example/{id}", source_url="https://v.example/watch/{id}", id_pattern="[a-z]+", id_example="abc"
)


def make_service(**changes):
    return Service(**({"key": "stats", "name": "Stats", "purposes": ("analytics",)} | changes))


# -- keys


@pytest.mark.parametrize(
    "key", ["", "Analytics", "a b", "-a", "a-", "_a", "a__b", "a--b", "ä", "a\n", "a.b", "a;b", "١"]
)
def test_purpose_refuses_a_malformed_key(key):
    with pytest.raises(ConfigError) as error:
        Purpose(key)

    assert str(error.value) == f"Purpose key {key!r} is malformed. {KEY_RULE}"
    assert (error.value.key, error.value.value) == ("purpose", key)


def test_service_refuses_a_malformed_key():
    with pytest.raises(ConfigError) as error:
        make_service(key="Stats!")

    assert str(error.value) == f"Service key 'Stats!' is malformed. {KEY_RULE}"


def test_purpose_refuses_a_key_that_is_no_text():
    with pytest.raises(ConfigError) as error:
        Purpose(5)  # type: ignore[arg-type]  # the mistake under test

    assert str(error.value) == f"Purpose key 5 is malformed. {KEY_RULE}"


@pytest.mark.parametrize("key", ["a", "9", "google-analytics", "a_b-c9", "constructor"])
def test_purpose_accepts_an_ordinary_key(key):
    assert Purpose(key).key == key


def test_default_purposes_are_the_four_and_only_marketing_heeds_gpc():
    found = default_purposes()

    assert [purpose.key for purpose in found] == ["necessary", "preferences", "analytics", "marketing"]
    assert [purpose.key for purpose in found if purpose.denied_by_gpc] == ["marketing"]


# -- immutability


def test_purpose_keeps_its_words_when_the_given_mapping_changes():
    words = {"en": "Ads"}
    purpose = Purpose("ads", title=words)

    words["en"] = "Gifts"

    assert purpose.title == {"en": "Ads"}


def test_purpose_words_cannot_be_changed():
    purpose = Purpose("ads", title={"en": "Ads"})

    with pytest.raises(TypeError):
        purpose.title["en"] = "Gifts"  # type: ignore[index]  # the mistake under test


def test_service_turns_lists_into_tuples():
    service = make_service(purposes=["analytics"], hosts=["a.example"], cookies=[CookieDeclaration("_a", days=1)])

    assert (service.purposes, service.hosts, len(service.cookies)) == (("analytics",), ("a.example",), 1)
    assert isinstance(service.cookies, tuple)


@pytest.mark.parametrize("declared", [Purpose("ads"), make_service(), CookieDeclaration("_a", days=1), EMBED])
def test_declarations_are_frozen(declared):
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(declared, dataclasses.fields(declared)[0].name, "x")


# -- services


@pytest.mark.parametrize("field", ["purposes", "hosts", "cookies", "parameters"])
def test_service_refuses_a_text_where_a_list_is_meant(field):
    with pytest.raises(ConfigError) as error:
        make_service(**{field: "analytics"})

    assert str(error.value) == (
        f"'{field}' of service 'stats' must be a list, got the text 'analytics'. Write ('analytics',)."
    )


def test_service_refuses_a_number_where_a_list_is_meant():
    with pytest.raises(ConfigError) as error:
        make_service(hosts=5)

    assert str(error.value) == "'hosts' of service 'stats' must be a list, got 5."


def test_service_refuses_to_serve_nothing():
    with pytest.raises(ConfigError) as error:
        make_service(purposes=())

    assert str(error.value) == "Service 'stats' names no purpose. Give it at least one."


@pytest.mark.parametrize("purposes", [("analytics", "analytics"), ("necessary", "necessary")])
def test_service_refuses_a_purpose_named_twice(purposes):
    # `('necessary', 'necessary')` once made decide() look for a fingerprint that is not there.
    with pytest.raises(ConfigError) as error:
        make_service(purposes=purposes, justification="It is asked for.")

    assert str(error.value) == f"Service 'stats' must name each purpose once, by its key, got {purposes!r}."


def test_service_refuses_a_purpose_that_is_no_key():
    with pytest.raises(ConfigError) as error:
        make_service(purposes=("analytics", 5))

    assert str(error.value) == "Service 'stats' must name each purpose once, by its key, got ('analytics', 5)."


@pytest.mark.parametrize(
    "host",
    [
        "",
        "https://a.example",
        "a.example:443",
        "a.example/x",
        "A.example",
        "*",
        "a.*.example",
        "a..b",
        "a b",
        "a.example\n",
        "*.com",
        "*.example",
        "*.*.example.com",
    ],
)
def test_service_refuses_what_is_no_host(host):
    with pytest.raises(ConfigError) as error:
        make_service(hosts=(host,))

    assert str(error.value) == f"Service 'stats' names host {host!r}. {HOST_RULE}"
    assert (error.value.key, error.value.value) == ("stats", host)


@pytest.mark.parametrize("host", ["localhost", "*.localhost", "a.example", "*.a.example", "xn--bcher-kva.example"])
def test_service_accepts_a_host(host):
    assert make_service(hosts=(host,)).hosts == (host,)


@pytest.mark.parametrize("url", HOSTILE_URLS)
def test_service_refuses_a_hostile_privacy_url(url):
    with pytest.raises(ConfigError) as error:
        make_service(privacy_url=url)

    assert str(error.value) == f"'privacy_url' of service 'stats' holds the URL {url!r}. {URL_RULE}"
    assert error.value.value == url


@pytest.mark.parametrize("url", ["https://a.example/privacy?x=1#y", "http://a.example", "/privacy", "/", ""])
def test_service_accepts_a_privacy_url(url):
    assert make_service(privacy_url=url).privacy_url == url


# -- cookies


@pytest.mark.parametrize("name", ["", "a b", "a;b", "a=b", "a,b", 'a"b', "é", "a\r\nb", "a\tb", "a\x00"])
def test_cookie_refuses_what_is_no_cookie_name(name):
    with pytest.raises(ConfigError) as error:
        CookieDeclaration(name, days=1)

    assert str(error.value) == f"{name!r} is not a cookie name. {NAME_RULE}"


@pytest.mark.parametrize(
    "name",
    ["*", "**", "a*", "*_", "*a*", "__*", "_-*", "*--*", "__Host-*", "__Secure-*", "__Host-a*", "__Sec*", "__H*st-*"],
)
def test_cookie_refuses_a_pattern_that_sweeps_all(name):
    with pytest.raises(ConfigError) as error:
        CookieDeclaration(name, days=1)

    assert str(error.value) == f"Cookie name {name!r} {SWEEP_RULE}"


@pytest.mark.parametrize("kind", [kind for kind in StorageKind if kind != "cookie"])
def test_storage_refuses_an_empty_name(kind):
    with pytest.raises(ConfigError) as error:
        CookieDeclaration("", kind=kind)

    assert str(error.value) == f"Cookie name '' {SWEEP_RULE}"


def test_storage_refuses_a_pattern_that_sweeps_all():
    with pytest.raises(ConfigError) as error:
        CookieDeclaration("*", kind="local_storage")

    assert str(error.value) == f"Cookie name '*' {SWEEP_RULE}"


@pytest.mark.parametrize("name", ["a", "_ga", "_ga_*", "ab*", "*_jid", "__Host-x", "__Host-st*", "!#$%&'+-.^_`|~"])
def test_cookie_accepts_a_token(name):
    assert CookieDeclaration(name, days=1).name == name


def test_storage_name_may_hold_any_characters():
    assert CookieDeclaration("yt-player: volume", kind="local_storage").name == "yt-player: volume"


def test_cookie_refuses_an_unknown_kind():
    with pytest.raises(ConfigError) as error:
        CookieDeclaration("_a", days=1, kind="cooky")

    assert str(error.value) == f"Cookie '_a' is of kind 'cooky'. Allowed kinds: {KINDS}."


def test_cookie_refuses_to_have_no_lifetime():
    with pytest.raises(ConfigError) as error:
        CookieDeclaration("_a")

    assert str(error.value) == f"Cookie '_a' needs {LIFETIMES}, got 0."


@pytest.mark.parametrize("kind", ["cookie", "local_storage"])
def test_cookie_refuses_two_lifetimes(kind):
    with pytest.raises(ConfigError) as error:
        CookieDeclaration("_a", days=1, session=True, kind=kind)

    assert str(error.value) == f"Cookie '_a' needs {LIFETIMES}, got 2."


@pytest.mark.parametrize("unit", ["months", "days", "minutes"])
@pytest.mark.parametrize("amount", [0, -1, 1.5, "30", True])
def test_cookie_refuses_a_lifetime_below_one(unit, amount):
    with pytest.raises(ConfigError) as error:
        CookieDeclaration("_a", **{unit: amount})

    assert str(error.value) == f"The lifetime of cookie '_a' must be at least 1, got {amount!r}."


@pytest.mark.parametrize("kind", [kind for kind in StorageKind if kind != "cookie"])
def test_storage_may_stay_until_it_is_cleared(kind):
    assert CookieDeclaration("a", kind=kind).days is None


@pytest.mark.parametrize("path", ["", "shop", "/; Domain=evil.example", "/\r\nX: y", "/\x00", "/\n", "/é", "/\u2028"])
def test_cookie_refuses_a_path_that_would_break_its_expiry_header(path):
    # The path is written into `Set-Cookie` on withdrawal: at that moment it would be a broken header, or a 500.
    with pytest.raises(ConfigError) as error:
        CookieDeclaration("_a", days=1, path=path)

    assert str(error.value) == (
        f"The path of cookie '_a' must begin with '/', got {path!r}. "
        "Control characters, ';' and what is not ASCII cannot be in it."
    )


def test_cookie_accepts_a_path():
    assert CookieDeclaration("_a", days=1, path="/shop/a b~").path == "/shop/a b~"


@pytest.mark.parametrize(
    ("declared", "is_clearable"),
    [
        (CookieDeclaration("_a", days=1), True),
        (CookieDeclaration("_a", days=1, third_party=True), False),
        (CookieDeclaration("_a", kind="local_storage"), False),
    ],
)
def test_only_cookies_of_the_own_host_are_clearable(declared, is_clearable):
    assert declared.is_clearable is is_clearable


def test_wildcard_makes_a_pattern():
    assert CookieDeclaration("_ga_*", days=1).is_pattern
    assert not CookieDeclaration("_ga", days=1).is_pattern


def test_cookie_may_say_that_its_lifetime_is_not_published():
    cookie = CookieDeclaration("_x", unpublished=True)

    assert cookie.is_clearable


# -- services, again: patterns of hosts, and what comes twice


def test_pattern_of_one_label_takes_no_host_of_others():
    assert not make_service(hosts=("*.a.example",)).has_host("evil.example")


ID = Parameter("id", pattern="a", example="a")


@pytest.mark.parametrize(
    ("fields", "field", "twin"),
    [
        ({"parameters": (ID, Parameter("id", pattern="b", example="b"))}, "parameters", "id"),
        ({"signals": ("google", "gpp", "google")}, "signals", "google"),
        ({"cookies": (CookieDeclaration("_a", days=1), CookieDeclaration("_a", days=2))}, "cookies", "_a"),
    ],
)
def test_service_refuses_to_hold_something_twice(fields, field, twin):
    with pytest.raises(ConfigError) as error:
        make_service(**fields)

    assert str(error.value) == f"{field!r} of service 'stats' holds {twin!r} twice. Declare it once."


@pytest.mark.parametrize("other", [{"path": "/shop"}, {"domain": "a.example"}, {"kind": "local_storage"}])
def test_cookie_of_the_same_name_in_another_place_is_another_one(other):
    cookies = (CookieDeclaration("_a", days=1), CookieDeclaration("_a", days=1, **other))

    assert len(make_service(cookies=cookies).cookies) == 2


@pytest.mark.parametrize("host", [1, None, b"a.example"])
def test_service_refuses_a_host_by_use_that_is_no_text(host):
    with pytest.raises(ConfigError) as error:
        make_service(hosts_by_use={"script": (host,)})

    assert str(error.value) == (
        f"'script' in 'hosts_by_use' of service 'stats' must hold host names such as 'stats.example.com', got {host!r}."
    )


@pytest.mark.parametrize("country", ["de", "Germany", "D", "DEU", " DE", "Ä1"])
def test_service_refuses_what_is_no_country(country):
    with pytest.raises(ConfigError) as error:
        make_service(provider_country=country)

    assert str(error.value) == (
        "'provider_country' of service 'stats' must be two capital letters (ISO 3166-1) such as 'DE', or empty, "
        f"got {country!r}."
    )


def test_storage_refuses_a_kind_of_another_type():
    with pytest.raises(ConfigError, match=r"Cookie '_a' is of kind \[\]"):
        CookieDeclaration("_a", days=1, kind=[])  # type: ignore[arg-type]  # the mistake under test
