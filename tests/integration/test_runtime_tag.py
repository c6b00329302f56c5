"""The tag of the browser runtime: what it tells, in which words, and that nothing breaks out of it."""

from __future__ import annotations

import re

import pytest
from flask import Response, render_template_string

import consent.testing
from consent import CookieDeclaration, Service
from consent.web.visit import get_site
from tests.runtime_tag import TAG, read_page, read_tags

STATE = "/privacy-choices/state"
GATE = (
    '{% from "consent/macros.html" import gate, settings_link %}{% call gate("analytics") %}<b>live</b>{% endcall %}'
    "{{ settings_link() }}"
)
SAVED, FAILED = "Your choice is saved.", "Your choice could not be saved. Nothing was changed. Please try again."


def keeper(*cookies, key="keeper", purposes=("analytics",)):
    """Make a service that keeps something in the browser."""
    justification = "Keeps the basket." if purposes == ("necessary",) else ""
    return Service(key, name=key, purposes=purposes, cookies=cookies, justification=justification)


def asset(app, name):
    return f"/privacy-choices/assets/{get_site(app).assets[name].file_name}"


# --- The tag itself ---


def test_tag_is_exact(make_app):
    app = make_app(services=["youtube"])
    tag = TAG.search(app.test_client().get("/").text)

    assert tag
    assert re.sub('data-consent-key="[^"]+"', 'data-consent-key="KEY"', tag[0]) == (
        f'<script src="{asset(app, "consent.js")}" defer data-consent-key="KEY" data-consent-page=\''
        f'{{"url":"/privacy-choices/","state_url":"{STATE}","more":"{asset(app, "preferences.js")}","chosen":"{asset(app, "chosen.js")}",'
        '"state":{"choices":{"analytics":"denied","marketing":"denied","necessary":"granted","preferences":"denied"},'
        f'"decided_at":null,"needs_prompt":true,"policy_version":"{get_site(app).engine.policy.version}",'
        '"regime":"opt_in","services":{"youtube":"denied"}},'
        f'"saved":"{SAVED}","failed":"{FAILED}"}}\'></script>'
    )


def test_nonce_of_the_response_is_on_the_tag(make_app):
    text = make_app(CONSENT_CSP_NONCE=lambda: "r4nd0m").test_client().get("/").text

    assert re.search(r'<script src="[^"]+" defer nonce="r4nd0m" data-consent-key="', text)


@pytest.mark.parametrize("nonce", ['"><b>', "' onload='x", "<&>", '"'])
def test_nonce_is_escaped(make_app, structure, nonce):
    texts = [make_app(CONSENT_CSP_NONCE=lambda each=each: each).test_client().get("/").text for each in (nonce, "abc")]

    assert structure(texts[0]) == structure(texts[1])
    assert [tag["nonce"] for tag in read_tags(texts[0])] == [nonce]


def test_key_of_the_tag_is_on_each_block_and_each_response_has_its_own(app, add_page):
    add_page(app, "/page", lambda: render_template_string(f"<!doctype html><body>{GATE}{GATE}"))
    client = app.test_client()
    keys = [re.findall(r'data-consent-key="([^"]+)"', client.get("/page").text) for _ in range(2)]

    # The head's tag, that of the first gate and two blocks.
    assert [len(each) for each in keys] == [4, 4]
    assert [len(set(each)) for each in keys] == [1, 1]
    assert keys[0] != keys[1]


def test_files_that_the_tag_names_are_scripts_to_keep(client):
    text = client.get("/").text
    answers = [client.get(path) for path in (read_tags(text)[0]["src"], read_page(text)["more"])]

    assert [answer.content_type for answer in answers] == ["text/javascript; charset=utf-8"] * 2
    assert {answer.headers["Cache-Control"] for answer in answers} == {"public, max-age=31536000, immutable"}


def test_head_and_get_have_the_same_length(client):
    assert client.head("/").content_length == client.get("/").content_length


# --- What it tells ---


@pytest.mark.parametrize("headers", [{}, {"Sec-GPC": "1"}], ids=["quiet", "gpc"])
def test_state_of_a_stranger_is_that_of_the_route(client, headers):
    assert read_page(client.get("/", headers=headers).text)["state"] == client.get(STATE, headers=headers).json


@pytest.mark.parametrize("granted", [("marketing",), ("youtube", "preferences")])
def test_state_of_a_decided_visitor_is_that_of_the_route(app, add_page, choose, granted):
    add_page(app, "/page", lambda: render_template_string(GATE))
    client = app.test_client()
    client.get("/page")  # as a stranger: what is kept of that is not for others
    choose(client, "save", *granted)
    state = client.get(STATE).json

    assert read_page(client.get("/page").text)["state"] == state
    assert state["decided_at"].endswith("Z")


def test_state_of_a_visitor_who_is_asked_again_is_that_of_the_route(make_app, choose):
    clients = [make_app(services=[keeper(key=key)]).test_client() for key in ("old", "new")]
    choose(clients[0], "accept_all")
    clients[1].set_cookie("consent", clients[0].get_cookie("consent").value)
    state = clients[1].get(STATE).json

    assert read_page(clients[1].get("/").text)["state"] == state
    assert (state["needs_prompt"], state["choices"]["analytics"]) == (True, "granted")


def test_storage_names_what_first_parties_keep_besides_cookies(make_app):
    services = [
        keeper(
            CookieDeclaration("_seen", months=1),
            CookieDeclaration("seen_*", kind="local_storage"),
            CookieDeclaration("tab", session=True, kind="session_storage"),
            CookieDeclaration("pages", kind="indexed_db"),
            CookieDeclaration("frame", kind="local_storage", third_party=True),
        ),
        keeper(CookieDeclaration("seen_*", kind="local_storage"), key="other", purposes=("marketing", "preferences")),
        keeper(CookieDeclaration("basket", kind="local_storage"), key="shop", purposes=("necessary",)),
    ]

    assert read_page(make_app(services=services).test_client().get("/").text)["storage"] == [
        {"service": "keeper", "area": "localStorage", "name": "seen_*"},
        {"service": "keeper", "area": "sessionStorage", "name": "tab"},
        {"service": "keeper", "area": "indexedDB", "name": "pages"},
        {"service": "other", "area": "localStorage", "name": "seen_*"},
        {"service": "shop", "area": "localStorage", "name": "basket"},
    ]


@pytest.mark.parametrize(
    "services",
    [
        [keeper()],
        [keeper(CookieDeclaration("_seen", months=1))],
        [keeper(CookieDeclaration("frame", kind="local_storage", third_party=True))],
        [keeper(CookieDeclaration("basket", kind="local_storage"), purposes=("necessary",))],
    ],
    ids=["nothing", "cookies-alone", "third-party", "necessary"],
)
def test_storage_is_left_out_where_there_is_nothing_to_clear(make_app, services):
    assert "storage" not in read_page(make_app(services=services).test_client().get("/").text)


# --- In which words ---


@pytest.mark.parametrize("language", ["ar", "de", "en", "es", "fr", "zh-Hans"])
def test_words_and_address_are_in_the_language_of_the_page(app, add_page, language):
    add_page(app, "/page", f'<!doctype html><html lang="{language}"><body>x')
    text = app.test_client().get("/page").text
    page = read_page(text)
    spoken = get_site(app).messages

    assert (page["saved"], page["failed"]) == tuple(
        spoken.text(language, key) for key in ("preferences.saved", "preferences.failed")
    )
    assert page["url"] == ("/privacy-choices/" if language == "en" else f"/privacy-choices/?lang={language}")
    assert f'method="post" action="{page["url"]}"' in text


@pytest.mark.parametrize("place", ["<head>[]</head><body>", "<head></head><body>[]"], ids=["head", "body"])
@pytest.mark.parametrize("is_streamed", [False, True], ids=["whole", "streamed"])
def test_tag_that_a_gate_wrote_too_early_speaks_the_language_of_the_page(app, add_page, place, is_streamed):
    gate = '{% from "consent/macros.html" import gate %}{% call gate("analytics") %}x{% endcall %}'
    source = f'<!doctype html><html lang="de">{place.replace("[]", gate)}<p>x</p></body></html>'

    def answer():
        text = render_template_string(source)
        return Response(iter([text])) if is_streamed else text

    add_page(app, "/page", answer)
    text = app.test_client().get("/page").text

    assert read_page(text)["saved"] == "Ihre Auswahl ist gespeichert."
    assert f'method="post" action="{read_page(text)["url"]}"' in text
    assert text.index("data-consent-page") < text.index("data-consent-gate")


def test_tag_on_a_decided_page_speaks_the_language_of_the_injected_link(app, add_page):
    gate = '{% from "consent/macros.html" import gate %}{% call gate("analytics") %}x{% endcall %}'
    add_page(
        app, "/page", lambda: render_template_string(f'<!doctype html><html lang="fr"><body><p>é</p>{gate}</body>')
    )
    client = app.test_client()
    consent.testing.refuse(client)
    text = client.get("/page").text

    assert read_page(text)["saved"] == "Votre choix est enregistré."
    assert f'href="{read_page(text)["url"]}"' in text


def test_words_of_the_site_are_used(make_app):
    texts = {"en": {"preferences.saved": "Done.", "preferences.failed": "No luck."}}
    page = read_page(make_app(CONSENT_TEXTS=texts).test_client().get("/").text)

    assert (page["saved"], page["failed"]) == ("Done.", "No luck.")


# --- Nothing breaks out of it ---

HOSTILE = [
    "'><script>alert(1)</script>",
    '"><b>',
    "</script><!--",
    "&#39;&quot;&amp;",
    "\\' \\u0027 \\",
    "\u2028\u2029\n\r\t\x00",
    "\x7f\x80\x85\x9f",
    "{{ 7 * 7 }} ümlaut 🍪 שלום",
]


@pytest.mark.parametrize("content_type", ["text/html; charset=utf-8", "text/html"])
@pytest.mark.parametrize("words", HOSTILE, ids=ascii)
def test_words_come_back_as_they_were(make_app, add_page, structure, words, content_type):
    def fetch(saved):
        app = make_app(CONSENT_TEXTS={"en": {"preferences.saved": saved}})
        add_page(app, "/page", lambda: Response("<!doctype html><body>x", content_type=content_type))
        return app.test_client().get("/page").text

    assert structure(fetch(words)) == structure(fetch("Saved."))
    assert read_page(fetch(words))["saved"] == words


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_name_of_a_storage_entry_comes_back_as_it_was(make_app, name):
    service = keeper(CookieDeclaration(f"x{name}", kind="local_storage"))

    assert read_page(make_app(services=[service]).test_client().get("/").text)["storage"][0]["name"] == f"x{name}"


@pytest.mark.parametrize("root", ["/a'b", '/a"b', "/<b>", "/a&b", "/\\", "/é", "//evil.example"], ids=ascii)
def test_mount_point_is_escaped(app, structure, root):
    client = app.test_client()
    texts = [client.get("/", environ_overrides={"SCRIPT_NAME": each}).text for each in (root, "/app")]

    assert structure(texts[0]) == structure(texts[1])
    assert read_page(texts[0])["url"].startswith("/")
    assert not read_page(texts[0])["url"].startswith("//")
    assert read_tags(texts[0])[0]["src"].startswith(read_page(texts[0])["url"])


def test_url_prefix_is_in_every_address(make_app):
    text = make_app(CONSENT_URL_PREFIX="/a.b/c~d").test_client().get("/").text
    page = read_page(text)

    assert page["url"] == "/a.b/c~d/"
    assert page["more"].startswith("/a.b/c~d/assets/preferences.")
    assert read_tags(text)[0]["src"].startswith("/a.b/c~d/assets/consent.")


# --- What is kept of it for others ---


def test_kept_tag_of_one_mount_point_is_not_used_at_another(client):
    roots = ["", "/one", "", "/two", "/one"]
    pages = [read_page(client.get("/", environ_overrides={"SCRIPT_NAME": root}).text) for root in roots]

    assert [page["url"] for page in pages] == [f"{root}/privacy-choices/" for root in roots]
    assert [page["state_url"] for page in pages] == [f"{root}{STATE}" for root in roots]


def test_kept_tag_of_one_language_is_not_used_in_another(app, add_page):
    for language in ("de", "fr"):
        add_page(app, f"/{language}", f'<!doctype html><html lang="{language}"><body>x')
    client = app.test_client()
    pages = [read_page(client.get(path).text) for path in ("/de", "/fr", "/", "/de")]

    assert [page["saved"][:4] for page in pages] == ["Ihre", "Votr", "Your", "Ihre"]


def test_kept_tags_of_two_apps_do_not_mix(make_app):
    apps = [make_app(services=[keeper(key=key)]) for key in ("one", "two")]
    pages = [read_page(app.test_client().get("/").text) for app in (*apps, *apps)]

    assert [list(page["state"]["services"]) for page in pages] == [["one"], ["two"], ["one"], ["two"]]


def test_kept_tags_stay_few(app):
    client = app.test_client()
    for number in range(200):
        client.get("/", environ_overrides={"SCRIPT_NAME": f"/{number}"})

    assert 0 < len(get_site(app).scripts) <= 64
