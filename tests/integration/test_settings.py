"""`CONSENT_*` settings: read once, and refused when wrong."""

from __future__ import annotations

import pytest

from consent import Consent
from consent.errors import ConfigError


def refuse(app):
    with pytest.raises(ConfigError) as caught:
        Consent(app)
    return caught.value


def test_unknown_setting_is_refused_with_the_closest(bare_app):
    error = refuse(bare_app(CONSENT_ACCEPT_MONTH=3))

    assert str(error).startswith(
        "Unknown setting 'CONSENT_ACCEPT_MONTH'. Known settings, the closest first: 'CONSENT_ACCEPT_MONTHS', "
    )
    assert (error.key, error.value) == ("CONSENT_ACCEPT_MONTH", 3)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("CONSENT_CONTROLLER", 7, "'CONSENT_CONTROLLER' must be a text that is not empty, got 7."),
        ("CONSENT_CONTROLLER", " ", "'CONSENT_CONTROLLER' must be a text that is not empty, got ' '."),
        ("CONSENT_ACCEPT_MONTHS", "6", "'CONSENT_ACCEPT_MONTHS' must be a whole number of months between 1 and 13, got '6'."),
        ("CONSENT_ACCEPT_MONTHS", 6.0, "'CONSENT_ACCEPT_MONTHS' must be a whole number of months between 1 and 13, got 6.0."),
        ("CONSENT_REFUSE_MONTHS", True, "'CONSENT_REFUSE_MONTHS' must be a whole number of months between 1 and 13, got True."),
        ("CONSENT_ACCEPT_MONTHS", 24, "'CONSENT_ACCEPT_MONTHS' must be between 1 and 13, got 24. Browsers cap cookies at 400 days."),
        ("CONSENT_REFUSE_MONTHS", 0, "'CONSENT_REFUSE_MONTHS' must be between 1 and 13, got 0. Browsers cap cookies at 400 days."),
        ("CONSENT_INJECT", "yes", "'CONSENT_INJECT' must be True or False, got 'yes'."),
        ("CONSENT_INJECT", 1, "'CONSENT_INJECT' must be True or False, got 1."),
        ("CONSENT_LOCALE", "de", "'CONSENT_LOCALE' must be a function without arguments, got 'de'."),
        ("CONSENT_CSP_NONCE", "abc", "'CONSENT_CSP_NONCE' must be a function without arguments, got 'abc'."),
        (
            "CONSENT_EXCLUDED_ENDPOINTS",
            "admin.index",
            ("'CONSENT_EXCLUDED_ENDPOINTS' must be a list of endpoint names, such as ['admin.index', 'admin.*'], "
            "got 'admin.index'."),
        ),
        (
            "CONSENT_EXCLUDED_ENDPOINTS",
            [7],
            "'CONSENT_EXCLUDED_ENDPOINTS' must be a list of endpoint names, such as ['admin.index', 'admin.*'], got [7].",
        ),
        (
            "CONSENT_TEXTS",
            {"banner.title": "Hello"},
            ("'CONSENT_TEXTS' must be texts by language and key, such as {'en': {'banner.title': 'Your choice'}}, "
            "got {'banner.title': 'Hello'}."),
        ),
        (
            "CONSENT_TEXTS",
            {"en": {"banner.title": 7}},
            "\"CONSENT_TEXTS['en']['banner.title']\" must be a text, got 7.",
        ),
    ],
)  # fmt: skip
def test_wrong_value_is_refused(bare_app, key, value, message):
    assert str(refuse(bare_app(**{key: value}))) == message


async def answer_later():
    """Answer with a promise."""


class AsyncAnswer:
    """Answer with a promise, as an object."""

    async def __call__(self):
        """Answer with a promise."""


@pytest.mark.parametrize(
    "key", ["CONSENT_LOCALE", "CONSENT_CSP_NONCE", "CONSENT_LEDGER_RATE_LIMIT", "CONSENT_LEDGER_DASHBOARD"]
)
@pytest.mark.parametrize(
    ("function", "allowed"),
    [
        (answer_later, "a plain function, not an 'async' one: it is asked in the middle of a request"),
        (AsyncAnswer(), "a plain function, not an 'async' one: it is asked in the middle of a request"),
        (lambda user: user, "a function that can be called without arguments"),
    ],
    ids=["async", "async object", "argument"],
)
def test_function_that_could_not_be_asked_is_refused(bare_app, key, function, allowed):
    error = refuse(bare_app(**{key: function}))

    assert (str(error), error.key) == (f"{key!r} must be {allowed}, got {function!r}.", key)


@pytest.mark.parametrize("key", ["CONSENT_DNT", "CONSENT_GPC_FILE"])
@pytest.mark.parametrize("value", ["yes", 1, 0, None, [True]], ids=repr)
def test_flag_that_is_no_flag_is_refused(bare_app, key, value):
    error = refuse(bare_app(**{key: value}))

    assert (str(error), error.key) == (f"{key!r} must be True or False, got {value!r}.", key)


@pytest.mark.parametrize(
    "value",
    ["", "localhost", ".example.com", "Example.com", "example.com.", "https://example.com", "a b.example", "10.0.0.1",
     "-a.example", "example..com", "example.com:80", 7, ["example.com"]],
    ids=repr,
)  # fmt: skip
def test_malformed_cookie_domain_is_refused(bare_app, value):
    assert str(refuse(bare_app(CONSENT_COOKIE_DOMAIN=value))) == (
        "'CONSENT_COOKIE_DOMAIN' must be a domain that the site and its subdomains share, such as 'example.com', in lower "
        f"case and without a dot before it, got {value!r}."
    )


@pytest.mark.parametrize("value", ["CF-IPCountry", b"CF-IPCountry", 7, True, [7], ["CF-IPCountry", None]], ids=repr)
def test_country_headers_that_are_no_list_of_names_are_refused(bare_app, value):
    assert str(refuse(bare_app(CONSENT_JURISDICTION_HEADERS=value))) == (
        "'CONSENT_JURISDICTION_HEADERS' must be a list of header names, such as ['CF-IPCountry', 'CF-Region-Code'], "
        f"got {value!r}."
    )


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"CF-IPCountry"}, "must be a list, which keeps the country before the region; a set does not"),
        (["A", "B", "C"], "must be a list of one or two request header names, the country's first"),
        (["X_Country"], "names 'X_Country', which is no header name that can be used here."),
        ([""], "names '', which is no header name that can be used here."),
        (["X-Country\r\nSet-Cookie"], "which is no header name that can be used here."),
        (["Cookie"], "names 'Cookie', which visitors can write"),
        (["X-Forwarded-For"], "names 'X-Forwarded-For', which visitors can write"),
        (["Accept-Language"], "names 'Accept-Language', which visitors can write"),
        (["CF-IPCountry", "cf-ipcountry"], "names 'CF-IPCountry', twice."),
    ],
    ids=repr,
)
def test_unusable_country_headers_are_refused(bare_app, value, words):
    error = refuse(bare_app(CONSENT_JURISDICTION_HEADERS=value))

    assert words in str(error)
    assert error.key == "CONSENT_JURISDICTION_HEADERS"


@pytest.mark.parametrize("value", ["", 7, True, ["geo.mmdb"], b"geo.mmdb"], ids=repr)
def test_database_that_is_no_path_is_refused(bare_app, value):
    assert str(refuse(bare_app(CONSENT_JURISDICTION_DATABASE=value))) == (
        f"'CONSENT_JURISDICTION_DATABASE' must be the path of an MMDB file, got {value!r}."
    )


@pytest.mark.parametrize("value", ["FR", {"key": "FR"}, 7, ["FR"], [None]], ids=repr)
def test_rules_that_are_no_list_of_rows_are_refused(bare_app, value):
    assert str(refuse(bare_app(CONSENT_JURISDICTION_RULES=value))) == (
        "'CONSENT_JURISDICTION_RULES' must be a list of rows, such as [{'key': 'BR', 'refuse_months': 12}], "
        f"got {value!r}."
    )


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({}, "CONSENT_JURISDICTION_RULES[0]"),
        ({"key": "FR", "regim": "opt_in"}, "'regim'"),
        ({"key": "FR", "regime": "opt-in"}, "'opt-in'"),
        ({"key": "FR", "refuse_months": 24}, "24"),
        ({"key": "FR", "refuse_months": "6"}, "'6'"),
        ({"key": "FR", "rules": ["show_everything"]}, "'show_everything'"),
        ({"key": "FR", "effective_from": "2027-01-01"}, "'2027-01-01'"),
        ({"key": "Atlantis"}, "'Atlantis'"),
        ({"key": "unknown", "regime": "opt_out"}, "'unknown'"),
    ],
    ids=repr,
)
def test_malformed_row_is_refused_with_what_was_found(bare_app, row, words):
    message = str(refuse(bare_app(CONSENT_JURISDICTION_RULES=[row])))

    assert "CONSENT_JURISDICTION_RULES" in message
    assert words in message


def test_two_ways_to_find_the_place_are_refused(bare_app):
    app = bare_app(CONSENT_JURISDICTION_HEADERS=["CF-IPCountry"])
    with pytest.raises(ConfigError) as caught:
        Consent(app, jurisdiction=lambda: "FR")

    assert str(caught.value) == (
        "More than one setting says where visitors are: 'jurisdiction', 'CONSENT_JURISDICTION_HEADERS'. Keep one of them."
    )


@pytest.mark.parametrize("jurisdiction", ["FR", 7, str.lower], ids=["text", "number", "argument"])
def test_jurisdiction_that_is_no_plain_function_is_refused(bare_app, jurisdiction):
    with pytest.raises(ConfigError, match="'jurisdiction' must be a function"):
        Consent(bare_app(), jurisdiction=jurisdiction)


@pytest.mark.parametrize("value", [(), [], None], ids=repr)
def test_no_way_to_find_the_place_means_the_strictest_rules(make_app, value):
    config = {} if value is None else {"CONSENT_JURISDICTION_HEADERS": value}
    client = make_app(**config, CONSENT_JURISDICTION_DATABASE=None, CONSENT_COOKIE_DOMAIN=None).test_client()

    assert client.get("/privacy-choices/state", headers={"CF-IPCountry": "JP"}).json["regime"] == "opt_in"


@pytest.mark.parametrize(("value", "status"), [(True, 200), (False, 404)])
def test_file_about_the_signal_is_there_unless_switched_off(make_app, value, status):
    assert make_app(CONSENT_GPC_FILE=value).test_client().get("/.well-known/gpc.json").status_code == status


def test_row_of_the_site_is_in_force(make_app):
    rows = [
        {"key": "BR", "refuse_months": 12},
        {"key": "AQ", "name": "Antarctica", "regime": "opt_out", "basis": "none"},
    ]
    client = make_app(CONSENT_JURISDICTION_RULES=rows, jurisdiction=lambda: "AQ").test_client()

    assert client.get("/privacy-choices/state").json["regime"] == "opt_out"


def test_rules_changed_after_setup_have_no_effect(make_app):
    rows = [{"key": "JP", "regime": "opt_in"}]
    app = make_app(CONSENT_JURISDICTION_RULES=rows, jurisdiction=lambda: "JP")
    rows[0]["regime"] = "notice"
    app.config.update(CONSENT_JURISDICTION_RULES=[], CONSENT_DNT=True)

    assert app.test_client().get("/privacy-choices/state").json["regime"] == "opt_in"


@pytest.mark.parametrize(
    "prefix", ["", "/", "privacy", "/privacy/", "//evil", "/a b", "/<x>", "https://a.example/b", 7], ids=repr
)
def test_malformed_prefix_is_refused(bare_app, prefix):
    assert str(refuse(bare_app(CONSENT_URL_PREFIX=prefix))) == (
        f"'CONSENT_URL_PREFIX' must be a path such as '/privacy-choices', without a slash at its end, got {prefix!r}."
    )


def test_language_without_texts_is_refused(bare_app):
    error = refuse(bare_app(CONSENT_LANGUAGE="tlh"))

    assert str(error).startswith("'CONSENT_LANGUAGE' is 'tlh', for which there are no texts. Known languages, ")


def test_unknown_text_key_is_refused_with_the_closest(bare_app):
    error = refuse(bare_app(CONSENT_TEXTS={"en": {"banner.tittle": "Hello"}}))

    assert str(error).startswith(
        "CONSENT_TEXTS['en'] holds the unknown key 'banner.tittle'. The closest known keys: 'banner.title', "
    )


def test_unknown_placeholder_is_refused(bare_app):
    error = refuse(bare_app(CONSENT_TEXTS={"en": {"banner.text": "{company} asks"}}))

    assert str(error) == (
        "CONSENT_TEXTS['en']['banner.text'] uses the placeholder 'company'; this text knows 'controller'."
    )


@pytest.mark.parametrize("tag", ["../../etc", "english", "e", "de_AT "])
def test_malformed_language_tag_is_refused(bare_app, tag):
    assert "is not a language tag" in str(refuse(bare_app(CONSENT_TEXTS={tag: {"banner.title": "Hello"}})))


def test_own_prefix_is_used_everywhere(make_app, choose):
    client = make_app(CONSENT_URL_PREFIX="/legal/choices").test_client()
    text = client.get("/").text

    assert 'action="/legal/choices/"' in text
    assert 'href="/legal/choices/policy"' in text
    assert 'href="/legal/choices/assets/banner.' in text
    assert client.get("/legal/choices/").status_code == 200
    assert client.get("/privacy-choices/").status_code == 404
    assert choose(client, "reject_all").status_code == 303


def test_setting_changed_after_setup_has_no_effect(make_app, choose):
    names = ["other"]
    texts = {"en": {"banner.title": "Before"}}
    app = make_app(CONSENT_TEXTS=texts, CONSENT_EXCLUDED_ENDPOINTS=names)
    app.config.update(
        CONSENT_CONTROLLER="Later Ltd", CONSENT_ACCEPT_MONTHS=1, CONSENT_INJECT=False, CONSENT_URL_PREFIX="/later"
    )
    names.append("index")
    texts["en"]["banner.title"] = "After"
    client = app.test_client()
    text = client.get("/").text

    assert "Example News Ltd asks to store" in text
    assert '<h2 class="pvc-banner__title" id="pvc-banner-title">Before</h2>' in text
    assert "Your choice lasts 6 months." in text


def test_secret_key_changed_after_setup_has_no_effect(app, choose):
    client = app.test_client()
    choose(client, "accept_all")
    app.config["SECRET_KEY"] = "z" * 32

    assert client.get("/privacy-choices/state").json["needs_prompt"] is False


def test_months_are_told_apart_when_they_differ(make_app):
    text = make_app(CONSENT_ACCEPT_MONTHS=12, CONSENT_REFUSE_MONTHS=1).test_client().get("/").text

    assert "If you agree, that lasts 12 months." in text
    assert "If you refuse, that lasts 1 month." in text


def test_injection_switched_off_leaves_pages_alone(make_app, page):
    response = make_app(CONSENT_INJECT=False).test_client().get("/")

    assert response.text == page
    assert "Vary" not in response.headers
    assert "Cache-Control" not in response.headers
