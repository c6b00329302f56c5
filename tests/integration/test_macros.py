"""The macros, wherever a site's templates call them."""

from __future__ import annotations

import pytest
from flask import Blueprint, render_template, render_template_string

from consent.errors import SetupError

IMPORT = '{% from "consent/macros.html" import banner, cookie_table, embed, gate, head, script, settings_link %}'
USE = (
    "{% call gate('analytics') %}<b>gate</b>{% endcall %}"
    "{{ script('google-analytics', measurement_id='G-AB12CD34EF') }}"
    "{{ embed('youtube', 'aqz-KE-bpKQ', title='Big Buck Bunny') }}"
    "{{ settings_link() }}{{ cookie_table() }}{{ head() }}{{ banner() }}"
)
MARKS = (
    'data-consent-gate="analytics"',
    'data-consent-gate="google-analytics"',
    'data-consent-embed="youtube"',
    'class="pvc-settings-link"',
    '<table class="pvc-table"',
    'data-consent-ui="banner"',
)
TEMPLATES = {
    "direct": {"page.html": IMPORT + USE},
    "prefixed": {
        "page.html": '{% import "consent/macros.html" as consent %}'
        + USE.replace("{{ ", "{{ consent.").replace("call gate", "call consent.gate")
    },
    "inherited": {
        "base.html": "<main>{% block main %}{% endblock %}</main>",
        "page.html": '{% extends "base.html" %}{% block main %}' + IMPORT + USE + "{% endblock %}",
    },
    "imported-at-the-top-of-a-child": {
        "base.html": "<main>{% block main %}{% endblock %}</main>",
        "page.html": '{% extends "base.html" %}' + IMPORT + "{% block main %}" + USE + "{% endblock %}",
    },
    "included": {"page.html": '{% include "part.html" %}', "part.html": IMPORT + USE},
    "included-without-context": {"page.html": '{% include "part.html" without context %}', "part.html": IMPORT + USE},
    "within-a-macro": {"page.html": IMPORT + "{% macro part() %}" + USE + "{% endmacro %}{{ part() }}"},
    "macro-of-another-file": {
        "page.html": '{% from "parts.html" import part %}{{ part() }}',
        "parts.html": IMPORT + "{% macro part() %}" + USE + "{% endmacro %}",
    },
    "within-a-call": {
        "page.html": IMPORT
        + "{% macro box() %}<div>{{ caller() }}</div>{% endmacro %}{% call box() %}"
        + USE
        + "{% endcall %}"
    },
    "within-a-loop": {"page.html": IMPORT + "{% for each in [1] %}" + USE + "{% endfor %}"},
    "within-set": {"page.html": IMPORT + "{% set part %}" + USE + "{% endset %}{{ part }}"},
}


@pytest.fixture
def get(make_app):
    """Return a function that renders `page.html` of some templates and fetches it."""

    def fetch(templates, **config):
        app = make_app(templates, CONSENT_INJECT=False, **config)
        app.add_url_rule("/page", "page", lambda: render_template("page.html"))
        return app.test_client().get("/page")

    return fetch


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_macro_works(get, name):
    text = get(TEMPLATES[name]).text

    assert [mark for mark in MARKS if text.count(mark) != 1] == []


@pytest.mark.parametrize("setting", [False, lambda _name: False], ids=["off", "function"])
@pytest.mark.parametrize("name", TEMPLATES)
def test_every_macro_escapes_although_the_site_does_not(make_app, name, setting):
    templates = {key: source.replace("Big Buck Bunny", '"><img src=x>') for key, source in TEMPLATES[name].items()}
    app = make_app(templates, CONSENT_INJECT=False, CONSENT_CONTROLLER="A <b>& Sons")
    app.jinja_env.autoescape = setting
    app.add_url_rule("/page", "page", lambda: render_template("page.html"))
    text = app.test_client().get("/page").text

    assert [mark for mark in MARKS if text.count(mark) != 1] == []
    assert "<img" not in text
    assert "A &lt;b&gt;&amp; Sons asks" in text


def test_macros_work_in_a_blueprint(make_app):
    app = make_app({"page.html": IMPORT + USE}, CONSENT_INJECT=False)
    part = Blueprint("part", "part")
    part.add_url_rule("/page", "page", lambda: render_template("page.html"))
    app.register_blueprint(part, url_prefix="/part")
    text = app.test_client().get("/part/page").text

    assert [mark for mark in MARKS if text.count(mark) != 1] == []


def test_macros_work_on_an_error_page(make_app):
    app = make_app({"page.html": IMPORT + USE}, CONSENT_INJECT=False)
    app.register_error_handler(404, lambda _error: (render_template("page.html"), 404))
    text = app.test_client().get("/missing").text

    assert [mark for mark in MARKS if text.count(mark) != 1] == []


def test_macros_work_in_a_fragment(make_app):
    app = make_app()
    app.add_url_rule("/part", "part", lambda: render_template_string(IMPORT + "<p>{{ settings_link() }}</p>"))
    response = app.test_client().get("/part", headers={"HX-Request": "true"})

    assert response.text == (
        '<p><a class="pvc-settings-link" href="/privacy-choices/" data-consent-action="settings" data-turbo="false" data-hx-boost="false" data-hx-history="false">Privacy choices</a></p>'
    )


def test_settings_link_takes_a_label_as_text(render):
    text = render(IMPORT + "{{ settings_link('<b>Cookies</b>') }}").text

    assert text.endswith(
        'data-consent-action="settings" data-turbo="false" data-hx-boost="false" data-hx-history="false">&lt;b&gt;Cookies&lt;/b&gt;</a>'
    )


def test_banner_and_head_say_nothing_once_there_is_a_choice(render):
    assert render(IMPORT + "[{{ head() }}{{ banner() }}]", choose_everything=True).text == "[]"


def test_head_links_the_styles_once(render):
    text = render(IMPORT + "{{ head() }}{{ head() }}{{ banner() }}").text

    assert text.count('<link rel="stylesheet" href="/privacy-choices/assets/banner.') == 1


def test_cookie_table_lists_what_is_declared(render):
    text = render(IMPORT + "{{ cookie_table() }}").text

    assert '<code dir="ltr">_ga_*</code>' in text
    assert '<code dir="ltr">consent</code>' in text
    assert "24 months" in text or "2 years" in text


def test_link_without_consent_leaves_a_page_to_every_cache(render):
    response = render(IMPORT + "{{ settings_link() }}")

    assert "Vary" not in response.headers


def test_current_consent_is_known_to_templates(render):
    assert render("{{ current_consent.allows('analytics') }} {{ current_consent.language }}").text == "False en"


def test_macro_outside_a_request_is_refused(app):
    with app.app_context(), pytest.raises(SetupError, match="current_consent was read outside a request"):
        app.jinja_env.from_string(IMPORT + "{{ settings_link() }}").render()


@pytest.mark.parametrize(
    ("name", "block", "base"),
    [
        ("banner", "title", "consent/default/banner.html"),
        ("placeholder", "text", "consent/default/placeholder.html"),
    ],
)
def test_site_template_replaces_one_block(make_app, name, block, base):
    app = make_app(
        {
            f"consent/{name}.html": f'{{% extends "{base}" %}}{{% block {block} %}}<h2 id="pvc-banner-title">Ours</h2>{{% endblock %}}',
            "page.html": IMPORT + USE,
        },
        CONSENT_INJECT=False,
    )
    app.add_url_rule("/page", "page", lambda: render_template("page.html"))
    text = app.test_client().get("/page").text

    assert text.count("Ours") == 1
    assert [mark for mark in MARKS if text.count(mark) != 1] == []


def test_own_banner_template_is_not_kept_from_one_visitor_to_the_next(make_app):
    app = make_app(
        {
            "consent/banner.html": '{% extends "consent/default/banner.html" %}'
            "{% block title %}<h2>{{ request.args['name'] }}</h2>{% endblock %}"
        }
    )
    client = app.test_client()
    texts = [client.get(f"/?name={name}").text for name in ("Ann", "Ben")]

    assert ["<h2>Ann</h2>" in texts[0], "<h2>Ben</h2>" in texts[1]] == [True, True]
