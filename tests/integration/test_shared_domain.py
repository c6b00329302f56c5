"""One choice for several hosts: the cookie they share, what others can do to it, and that visitors are told."""

from __future__ import annotations

import re

import pytest

from consent.errors import ConfigError

DOMAIN = "shop.example.com"
SHOP, HELP = f"https://{DOMAIN}", f"https://help.{DOMAIN}"
STATE = "/privacy-choices/state"
SCOPE = f"Your choice counts for {DOMAIN} and all its subdomains."
ATTRIBUTES = re.compile(r"consent=[\w-]+\.[\w-]{43}; Max-Age=\d+; Path=/; Domain=shop\.example\.com; HttpOnly")


@pytest.fixture
def shared(make_app):
    return make_app(CONSENT_COOKIE_DOMAIN=DOMAIN)


@pytest.fixture
def browser(shared):
    return shared.test_client()


def read_state(client, base_url, **headers):
    return client.get(STATE, base_url=base_url, headers=headers).json


def is_open(client, base_url, **headers):
    return read_state(client, base_url, **headers)["choices"]["analytics"] == "granted"


# -- the cookie


def test_choice_holds_on_every_subdomain(browser, choose):
    choose(browser, "accept_all", base_url=SHOP)

    assert is_open(browser, HELP)
    assert is_open(browser, f"https://a.b.{DOMAIN}")
    choose(browser, "withdraw", base_url=HELP)
    assert not is_open(browser, SHOP)


def test_choice_does_not_reach_beyond_the_domain(browser, choose):
    choose(browser, "accept_all", base_url=SHOP)

    assert not is_open(browser, "https://blog.example.com")


@pytest.mark.parametrize(("scheme", "name"), [("https", "__Secure-consent"), ("http", "consent")])
def test_cookie_names_its_domain_and_its_scheme(browser, choose, set_cookies, scheme, name):
    (cookie,) = set_cookies(choose(browser, "accept_all", base_url=f"{scheme}://{DOMAIN}"))

    assert cookie.startswith(f"{name}=")
    assert ATTRIBUTES.search(cookie)
    assert ("; Secure" in cookie) is (scheme == "https")


@pytest.mark.parametrize("host", [DOMAIN.upper(), f"{DOMAIN}:8443", f"Help.{DOMAIN}:443"])
def test_case_and_port_of_the_host_do_not_matter(browser, choose, set_cookies, host):
    (cookie,) = set_cookies(choose(browser, "accept_all", base_url=f"https://{host}"))

    assert f"; Domain={DOMAIN};" in cookie


@pytest.mark.parametrize(
    "host", ["example.com", "evilshop.example.com", f"{DOMAIN}.evil.example", "127.0.0.1", "[::1]:5000", "localhost"]
)
def test_host_beyond_the_domain_gets_a_cookie_of_its_own_and_a_warning_once(browser, choose, set_cookies, caplog, host):
    for _ in range(2):
        (cookie,) = set_cookies(choose(browser, "accept_all", base_url=f"https://{host}"))[-1:]
        assert "Domain=" not in cookie

    assert cookie.startswith("__Secure-consent=")
    assert sum("neither that nor below it" in text for text in caplog.messages) == 1
    assert is_open(browser, f"https://{host}")


def test_no_warning_within_the_domain(browser, choose, caplog):
    for host in (SHOP, HELP):
        browser.get("/", base_url=host)
        choose(browser, "accept_all", base_url=host)

    assert [text for text in caplog.messages if "CONSENT_COOKIE_DOMAIN" in text] == []


def test_remembered_signal_is_shared_too(make_app, set_cookies):
    client = make_app(
        CONSENT_COOKIE_DOMAIN=DOMAIN, CONSENT_JURISDICTION_HEADERS=["CF-IPCountry", "CF-Region-Code"]
    ).test_client()
    headers = {"CF-IPCountry": "US", "CF-Region-Code": "CA"}
    answer = client.post("/privacy-choices/gpc", base_url=SHOP, headers={"Sec-Fetch-Site": "same-origin"} | headers)

    assert [cookie.split("=")[0] for cookie in set_cookies(answer)] == ["__Secure-consent-gpc"]
    assert f"; Domain={DOMAIN};" in set_cookies(answer)[0]


@pytest.mark.parametrize("domain", ["localhost", "127.0.0.1", "::1", "com", ".example.com", "Example.com", "", "a b.c"])
def test_domain_that_no_browser_takes_is_refused_at_start(make_app, domain):
    with pytest.raises(ConfigError, match="'CONSENT_COOKIE_DOMAIN' must be a domain that the site and its subdomains"):
        make_app(CONSENT_COOKIE_DOMAIN=domain)


# -- what others can set under the name


def toss(client, value, *, domain="example.com"):
    """Set the cookie as another host below `example.com` can."""
    client.set_cookie("__Secure-consent", value, domain=domain, origin_only=False, secure=True)


@pytest.fixture
def grant(shared, choose):
    """Return the value of a cookie that grants everything, made by somebody else for themselves."""
    other = shared.test_client()
    choose(other, "accept_all", base_url=SHOP)
    return other.get_cookie("__Secure-consent", domain=DOMAIN).value


def test_second_cookie_of_a_sibling_makes_the_choice_unknown(browser, choose, grant):
    choose(browser, "reject_all", base_url=SHOP)
    toss(browser, grant)

    assert not is_open(browser, SHOP)
    assert read_state(browser, SHOP)["needs_prompt"] is True


@pytest.mark.parametrize("action", ["accept_all", "reject_all"])
def test_next_choice_clears_what_a_sibling_has_set(browser, choose, grant, action):
    choose(browser, "reject_all", base_url=HELP)
    toss(browser, grant)
    choose(browser, action, base_url=HELP)

    assert browser.get_cookie("__Secure-consent", domain="example.com") is None
    assert read_state(browser, HELP)["needs_prompt"] is False
    assert is_open(browser, SHOP) is (action == "accept_all")


def test_first_choice_clears_what_a_sibling_has_set_before_it(browser, choose):
    toss(browser, "nonsense")
    choose(browser, "accept_all", base_url=SHOP)

    assert is_open(browser, SHOP)


def test_first_shared_choice_clears_the_cookie_of_the_host_alone(make_app, shared, choose):
    """Over plain HTTP the name is the same before and after the setting."""
    alone = make_app().test_client()
    choose(alone, "reject_all", base_url=f"http://{DOMAIN}")
    browser = shared.test_client()
    browser.set_cookie("consent", alone.get_cookie("consent", domain=DOMAIN).value, domain=DOMAIN, origin_only=True)
    answer = choose(browser, "accept_all", base_url=f"http://{DOMAIN}")

    assert "consent=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/" in answer.headers.getlist("Set-Cookie")
    assert is_open(browser, f"http://{DOMAIN}")


def test_unsigned_cookie_of_a_sibling_grants_nothing(browser):
    toss(browser, "nonsense", domain=DOMAIN)

    assert not is_open(browser, SHOP)


def test_cookie_of_one_host_alone_is_not_believed_in_its_place(shared, make_app, choose):
    alone = make_app().test_client()
    choose(alone, "accept_all", base_url=SHOP)
    value = alone.get_cookie("__Host-consent", domain=DOMAIN).value
    stranger = shared.test_client(use_cookies=False)

    for name in ("__Host-consent", "__Secure-consent", "consent"):
        assert not is_open(stranger, SHOP, Cookie=f"{name}={value}")


# -- what visitors are told


def test_banner_and_preferences_name_the_scope(browser):
    assert SCOPE in browser.get("/", base_url=SHOP).text
    assert SCOPE in browser.get("/privacy-choices/", base_url=HELP).text


def test_scope_is_named_where_visitors_object(make_app):
    app = make_app(CONSENT_COOKIE_DOMAIN=DOMAIN, CONSENT_JURISDICTION_HEADERS=["CF-IPCountry", "CF-Region-Code"])
    headers = {"CF-IPCountry": "US", "CF-Region-Code": "CO"}

    assert SCOPE in app.test_client().get("/", base_url=SHOP, headers=headers).text


def test_scope_is_not_named_where_it_does_not_hold(browser, client):
    browser.get("/", base_url=SHOP)

    assert "subdomains" not in browser.get("/", base_url="https://other.example").text
    assert SCOPE in browser.get("/", base_url=SHOP).text
    assert "subdomains" not in client.get("/", base_url=SHOP).text
    assert "subdomains" not in client.get("/privacy-choices/", base_url=SHOP).text


@pytest.mark.parametrize("language", ["ar", "de", "en", "es", "fr", "zh-Hans"])
def test_scope_is_named_in_every_language(make_app, language):
    page = make_app(CONSENT_COOKIE_DOMAIN=DOMAIN, CONSENT_LANGUAGE=language).test_client().get("/", base_url=SHOP)

    assert re.search(rf'<p class="pvc-banner__terms">[^<]*{re.escape(DOMAIN)}', page.text)
