"""Where the tag of the browser runtime goes: once into each page that asks or holds something, and nowhere else."""

from __future__ import annotations

import itertools
import re

import pytest
from flask import Response, render_template, render_template_string, request, stream_template_string

import consent.testing
from consent import requires_consent
from tests.runtime_tag import TAG, count_tags, read_tags

MACROS = '{% from "consent/macros.html" import banner, cookie_table, embed, gate, head, script, settings_link %}'
GATE = "{% call gate('analytics') %}<b>live</b>{% endcall %}"
SCRIPT = "{{ script('google-analytics', measurement_id='G-AB12CD34EF') }}"
EMBED = "{{ embed('youtube', 'aqz-KE-bpKQ', title='Big Buck Bunny') }}"
HOLDING = {"gate": GATE, "script": SCRIPT, "embed": EMBED}
BANNER = '<section class="pvc-banner"'
LINK = '<a class="pvc-settings-link" href="/privacy-choices/" data-consent-action="settings" data-turbo="false" data-hx-boost="false" data-hx-history="false">Privacy choices</a>'


@pytest.fixture
def get():
    """Return a function that serves a template as a page of an app and fetches it, as a stranger or after a choice."""

    def fetch(app, source, *, granted=None, headers=None, is_streamed=False):
        if "page" not in app.view_functions:
            app.add_url_rule("/page", "page")
        render = stream_template_string if is_streamed else render_template_string
        app.view_functions["page"] = lambda: render(MACROS + source)
        client = app.test_client()
        if granted is not None:
            decide(client, *granted)
        return client.get("/page", headers=headers or {})

    return fetch


def decide(client, *granted):
    if granted:
        consent.testing.grant(client, *granted)
    else:
        consent.testing.refuse(client)


# --- Pages that ask ---

PLACINGS = list(itertools.product(["", "{{ head() }}", GATE], ["", "{{ banner() }}"], ["", GATE + EMBED + SCRIPT]))


@pytest.mark.parametrize("is_streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(("in_head", "first", "later"), PLACINGS)
def test_page_that_asks_has_its_tag_before_banner_and_blocks_whoever_places_it(
    app, get, in_head, first, later, is_streamed
):
    source = f"<!doctype html><html><head>{in_head}</head><body>{first}<p>x</p>{later}</body></html>"
    text = get(app, source, is_streamed=is_streamed).text

    assert text.count(BANNER) == 1
    # A gate cannot know that the page will get the tag in its head: a second one does nothing.
    assert count_tags(text) == (1 if in_head or first or not later or is_streamed else 2)
    assert text.index("data-consent-page") < text.index(BANNER)
    assert all(text.index("data-consent-page") < at.start() for at in re.finditer("data-consent-gate", text))


@pytest.mark.parametrize("in_head", ["", "{{ head() }}"])
def test_tag_follows_the_stylesheet_in_the_head(app, get, in_head):
    text = get(app, f"<!doctype html><html><head>{in_head}<title>T</title></head><body>x</body></html>").text

    assert re.search(r'<head><link rel="stylesheet" [^>]+><script src="[^"]+/consent\.[0-9a-f]+\.js" defer ', text)


def test_banner_alone_brings_stylesheet_and_tag_in_front_of_it(make_app, get):
    text = get(make_app(CONSENT_INJECT=False), "{{ banner() }}{{ head() }}{{ banner() }}").text

    assert re.fullmatch(rf'<link rel="stylesheet" [^>]+>{TAG.pattern}{BANNER}.*</section>', text, flags=re.DOTALL)


def test_page_whose_stylesheet_is_there_gets_the_tag_alone(app, get):
    source = (
        "<!doctype html><html><head><link rel='stylesheet' href=\"{{ current_consent.asset_url('banner.css') }}\">"
        "</head><body>x</body></html>"
    )
    text = get(app, source).text

    assert text.count('rel="stylesheet"') == 0
    assert count_tags(text) == 1


@pytest.mark.parametrize(
    "place",
    ["<noscript>[]</noscript>", "<template>[]</template>", "<p>[]</p>", "<table><tr>[]<td>x</td></tr></table>"],
    ids=["noscript", "template", "paragraph", "table"],
)
def test_tag_of_a_page_that_asks_is_in_the_head_wherever_its_first_gate_is(app, get, place):
    text = get(app, f"<!doctype html><html><head></head><body>{place.replace('[]', GATE)}</body></html>").text

    assert text.index("data-consent-page") < text.index("</head>")
    assert len({tag["data-consent-key"] for tag in read_tags(text)}) == 1


def test_tag_that_was_rendered_but_not_sent_is_made_up_for(app, get):
    text = get(app, f"<!doctype html><body>{{% set unused %}}{GATE}{{% endset %}}<p>x</p>").text

    assert count_tags(text) == 1


def test_tag_of_a_failed_rendering_is_made_up_for_on_the_error_page(app, get):
    app.register_error_handler(500, lambda _error: ("<!doctype html><body>Sorry", 500))
    text = get(app, f"<!doctype html><body>{{{{ banner() }}}}{GATE}{{{{ 1 / 0 }}}}").text

    assert count_tags(text) == 1


def test_tag_of_a_fragment_from_a_cache_does_not_come_first(app, get):
    kept = get(app, GATE + EMBED).text
    text = get(app, f"<!doctype html><html><head></head><body>{{% raw %}}{kept}{{% endraw %}}{GATE}</body></html>").text
    first, *others = read_tags(text)

    assert others[0] == read_tags(kept)[0]
    assert text.index(f'data-consent-key="{first["data-consent-key"]}"') < text.index("</head>")
    assert f'data-consent-gate="analytics" data-consent-key="{first["data-consent-key"]}"' in text


@pytest.mark.parametrize("in_head", ["", "{{ head() }}"], ids=["decided", "asking"])
def test_tag_from_a_cache_that_stands_before_our_own_does_not_come_first(app, get, in_head):
    kept = get(app, GATE).text
    source = f"<!doctype html><html><head>{{% raw %}}{kept}{{% endraw %}}{in_head}</head><body>{GATE}</body></html>"
    text = get(app, source, granted=None if in_head else ()).text

    assert read_tags(text)[1]["data-consent-key"] == read_tags(kept)[0]["data-consent-key"]
    assert f'data-consent-gate="analytics" data-consent-key="{read_tags(text)[0]["data-consent-key"]}"' in text


def test_banner_from_a_cache_does_not_stand_for_the_tag(app, get):
    kept = get(app, "{{ banner() }}").text
    text = get(app, f"<!doctype html><html><head></head><body>{{% raw %}}{kept}{{% endraw %}}</body></html>").text

    assert text.count(BANNER) == 1
    assert read_tags(text)[0] != read_tags(kept)[0]
    assert text.index("data-consent-page") < text.index("</head>")


def test_refusal_page_of_a_guarded_view_has_the_tag(app):
    app.add_url_rule("/guarded", "guarded", requires_consent("analytics")(lambda: "live"))
    response = app.test_client().get("/guarded")

    assert (response.status_code, count_tags(response.text)) == (403, 1)


# --- Pages that hold something ---


@pytest.mark.parametrize("holding", HOLDING)
@pytest.mark.parametrize("inject", [True, False])
def test_decided_page_has_the_tag_in_front_of_its_first_held_block(make_app, get, holding, inject):
    app = make_app(CONSENT_INJECT=inject)
    block = HOLDING[holding]
    text = get(app, f"<!doctype html><body><p>x</p>{block}{block}{{{{ settings_link() }}}}", granted=()).text
    keys = set(re.findall(r'data-consent-key="([^"]+)"', text))

    assert count_tags(text) == 1
    assert text.index("<p>x</p>") < text.index("data-consent-page") < text.index("data-consent-gate")
    assert len(keys) == 1


def test_tag_stands_directly_before_the_block(make_app, get):
    text = get(make_app(CONSENT_INJECT=False), f"<p>x</p>{GATE}{GATE}").text

    assert re.fullmatch(rf"<p>x</p>{TAG.pattern}(<script type=\"application/json\" [^>]+>[^<]+</script>){{2}}", text)


def test_placeholder_has_stylesheet_and_tag_before_it(make_app, get):
    text = get(make_app(CONSENT_INJECT=False), f"<p>x</p>{EMBED}").text

    assert re.match(rf'<p>x</p><link rel="stylesheet" [^>]+>{TAG.pattern}<div class="pvc-embed"', text)


@pytest.mark.parametrize("inner", HOLDING)
def test_tag_is_not_held_with_what_is_inside_a_gate(make_app, get, inner):
    source = "{% call gate('marketing') %}" + HOLDING[inner] + "{% endcall %}"
    text = get(make_app(CONSENT_INJECT=False), source).text

    assert TAG.match(text)
    assert text.count("data-consent-page") == 1


def test_tag_in_an_open_gate_stands_where_the_shut_one_inside_is(make_app, get):
    app = make_app(CONSENT_INJECT=False)
    source = "{% call gate('marketing') %}<i>x</i>" + GATE + "{% endcall %}"

    assert re.match(f"<i>x</i>{TAG.pattern}<script ", get(app, source, granted=["marketing"]).text)


def test_streamed_page_of_a_decided_visitor_has_the_tag_at_its_gate(app, get):
    text = get(app, f"<!doctype html><body><p>x</p>{GATE}{GATE}", granted=(), is_streamed=True).text

    assert count_tags(text) == 1
    assert text.startswith("<!doctype html><body><p>x</p><script src=")


def test_stream_has_its_tag_before_a_block_still_to_come(app, add_page):
    def answer():
        block = render_template_string(MACROS + GATE)
        return Response(iter(["<!doctype html><body>", "<p>x</p>", block]))

    add_page(app, "/page", answer)
    text = app.test_client().get("/page").text

    assert text.index("data-consent-page") < text.index("<p>x</p>")


def test_stream_asks_for_the_nonce_before_it_begins(make_app, add_page):
    """A stream may be read after its request: by then the site's function has nothing to tell the nonce from."""
    app = make_app(CONSENT_CSP_NONCE=lambda: request.args["nonce"])
    add_page(app, "/page", lambda: Response(iter(["<!doctype html><head>", "<body>", "x"])))
    (tag,) = read_tags(app.test_client().get("/page?nonce=abc").text)

    assert tag["nonce"] == "abc"


def test_excluded_page_has_the_tag_of_its_gates(make_app, get):
    text = get(make_app(CONSENT_EXCLUDED_ENDPOINTS=["*"]), f"<!doctype html><body>{GATE}").text

    assert TAG.match(text.removeprefix("<!doctype html><body>"))


# --- Pages without need of it ---


@pytest.mark.parametrize("granted", [(), ("analytics", "youtube", "google-analytics")], ids=["refused", "granted"])
def test_decided_page_that_holds_nothing_carries_nothing(app, get, granted):
    source = "<!doctype html><body><p>{{ settings_link() }}</p>" + (GATE + EMBED if granted else "") + "</body>"
    text = get(app, source, granted=granted).text

    assert "<script" not in text
    assert "stylesheet" not in text
    assert text.startswith(f"<!doctype html><body><p>{LINK}</p>")


def test_site_that_asks_nothing_carries_nothing(make_app, get):
    app = make_app(policy=consent.Policy(controller="Example", purposes=(consent.Purpose("necessary"),)))

    assert get(app, "<!doctype html><body>x{{ head() }}{{ banner() }}").text == "<!doctype html><body>x"


@pytest.mark.parametrize("source", ["{{ settings_link() }}", "{{ cookie_table() }}", "{{ current_consent.language }}"])
def test_macro_that_holds_nothing_brings_no_tag(make_app, get, source):
    assert "data-consent-page" not in get(make_app(CONSENT_INJECT=False), source).text


# --- Parts of pages ---

PARTS = [
    ({"HX-Request": "true"}, "HX-Request"),
    ({"Turbo-Frame": "main"}, "Turbo-Frame"),
    ({"Sec-Fetch-Dest": "iframe"}, "Sec-Fetch-Dest"),
    ({"Sec-Fetch-Dest": "object"}, "Sec-Fetch-Dest"),
]


@pytest.mark.parametrize("inject", [True, False])
@pytest.mark.parametrize("holding", HOLDING)
@pytest.mark.parametrize(("headers", "vary"), PARTS, ids=str)
def test_part_of_a_page_leaves_the_tag_to_the_page(make_app, get, headers, vary, holding, inject):
    response = get(make_app(CONSENT_INJECT=inject), HOLDING[holding], headers=headers)

    assert "data-consent-page" not in response.text
    assert "data-consent-gate" in response.text
    assert response.headers["Vary"] in (f"Cookie, Sec-GPC, {vary}", f"{vary}, Cookie, Sec-GPC")


@pytest.mark.parametrize(
    "headers",
    [
        {"HX-Request": "true", "HX-Boosted": "true"},
        {"HX-Request": "true", "HX-History-Restore-Request": "true"},
        {"Sec-Fetch-Dest": "empty"},
        {"X-Requested-With": "XMLHttpRequest"},
    ],
    ids=str,
)
def test_answer_that_may_be_a_page_has_the_tag(app, get, headers):
    response = get(app, GATE, headers=headers)

    assert count_tags(response.text) == 1
    assert response.headers["Vary"] == "Cookie, Sec-GPC"


# --- The library's own pages ---


@pytest.mark.parametrize("is_decided", [False, True], ids=["stranger", "decided"])
def test_preferences_page_has_the_tag_in_its_head(app, is_decided):
    client = app.test_client()
    if is_decided:
        decide(client)
    text = client.get("/privacy-choices/?lang=de").text

    assert count_tags(text) == 1
    assert text.rindex('rel="stylesheet"', 0, text.index("</head>")) < text.index("data-consent-page")
    assert text.index("data-consent-page") < text.index("</head>")


@pytest.mark.parametrize("setting", [False, lambda _name: False], ids=["off", "function"])
def test_head_of_the_preferences_page_is_markup_although_the_site_does_not_escape(make_app, structure, setting):
    apps = [make_app(), make_app()]
    apps[1].jinja_env.autoescape = setting
    texts = [app.test_client().get("/privacy-choices/").text for app in apps]

    assert structure(texts[0]) == structure(texts[1])


def test_other_own_pages_have_no_tag(client, choose):
    texts = [
        client.get("/privacy-choices/policy").text,
        choose(client, "once", service="youtube", id="aqz-KE-bpKQ").text,
        choose(client, "unheard-of").text,
    ]

    assert ["<script" in text for text in texts] == [False] * 3


FRAME = {
    "site.html": "<!doctype html><html><head>{% block head %}"
    + MACROS
    + "{{ head() }}[head]{% endblock %}</head><body>"
    "{{ banner() }}<main>{% block content %}{% endblock %}</main>[foot]</body></html>",
    "consent/layout.html": '{% extends "site.html" %}{% block head %}{{ super() }}'
    '{% include "consent/default/styles.html" %}{% endblock %}',
}


@pytest.mark.parametrize("at", ["[head]", "[foot]"])
def test_preferences_page_in_the_frame_of_the_site_has_one_tag(make_app, at):
    templates = {name: (MACROS + source).replace(at, GATE) for name, source in FRAME.items() if name == "site.html"}
    text = make_app(FRAME | templates).test_client().get("/privacy-choices/").text

    assert BANNER not in text
    assert count_tags(text) == 1
    assert text.index("data-consent-page") < text.index("data-consent-gate")


def test_own_page_in_the_frame_of_the_site_has_the_tag_of_its_gates(make_app):
    templates = {"site.html": (MACROS + FRAME["site.html"]).replace("[foot]", GATE)}
    text = make_app(FRAME | templates).test_client().get("/privacy-choices/policy").text

    assert count_tags(text) == 1


def test_page_in_a_template_file_has_one_tag(make_app):
    app = make_app(
        {"page.html": f"{MACROS}<!doctype html><html><head>{{{{ head() }}}}</head><body>{GATE}</body></html>"}
    )
    app.add_url_rule("/page", "page", lambda: render_template("page.html"))

    assert count_tags(app.test_client().get("/page").text) == 1
