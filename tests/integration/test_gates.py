"""Gates: open with every key granted, else held as inert data."""

from __future__ import annotations

import json
import re

import pytest
from flask import render_template, render_template_string

from consent import Embed, Parameter, Service
from consent.errors import ConfigError, ConsentError, SetupError, UnknownKeyError
from tests.runtime_tag import without_tag

IMPORT = '{% from "consent/macros.html" import gate, script, embed %}'
HELD = re.compile(
    r'<script type="application/json" data-consent-gate="([^"]*)" data-consent-key="([\w-]{22})"( nonce="[^"]*")?>([^<]*)</script>'
)


@pytest.fixture
def failing(make_app):
    """Return a function that renders a template in testing mode, so that its error comes through."""

    def render(source, name="page.html", **arguments):
        app = make_app({name: source}, **arguments)
        app.testing = True
        app.add_url_rule("/page", "page", lambda: render_template(name))
        app.test_client().get("/page")

    return render


def test_held_block_is_exact(render):
    text = render(
        IMPORT + "{% call gate('analytics') %}<script async src=\"https://stats.example/s.js\"></script>{% endcall %}"
    ).text
    key = re.search(r'data-consent-key="([^"]+)"', text)

    assert key
    assert without_tag(text) == (
        f'<script type="application/json" data-consent-gate="analytics" data-consent-key="{key[1]}">'
        '"\\u003cscript async src=\\"https://stats.example/s.js\\"\\u003e\\u003c/script\\u003e"</script>'
    )


def test_open_gate_shows_its_markup_as_it_is(render):
    source = IMPORT + "{% call gate('analytics') %}<script src=\"https://stats.example/s.js\"></script>{% endcall %}"

    assert render(source, granted=["analytics"]).text == '<script src="https://stats.example/s.js"></script>'


@pytest.mark.parametrize(
    ("granted", "is_open"),
    [
        ([], False),
        (["analytics"], False),
        (["marketing"], False),
        (["analytics", "marketing"], True),
        (["analytics", "youtube"], False),
    ],
)
def test_gate_with_several_keys_needs_all(make_app, choose, granted, is_open):
    app = make_app(CONSENT_INJECT=False)
    source = IMPORT + "{% call gate('analytics', 'marketing') %}<b>x</b>{% endcall %}"
    app.add_url_rule("/page", "page", lambda: render_template_string(source))
    client = app.test_client()
    choose(client, "save", *granted)
    text = client.get("/page").text

    assert ("<b>x</b>" in text) is is_open
    assert ('data-consent-gate="analytics marketing"' in text) is not is_open


def test_gate_on_what_is_necessary_is_open(render):
    assert render(IMPORT + "{% call gate('necessary') %}x{% endcall %}").text == "x"


@pytest.mark.parametrize(
    "markup",
    [
        "</script><script>alert(1)</script>",
        "<!--<script>",
        "]]>",
        "\u2028\u2029",
        'quotes " and \\ backslashes',
        "line\nbreaks\tand tabs",
        "emoji 🍪 and ümlauts",
        "<img src=x onerror='a()'>&amp;",
    ],
)
def test_held_markup_comes_back_as_it_was_and_cannot_break_out(make_app, markup):
    app = make_app(CONSENT_INJECT=False)
    app.add_url_rule(
        "/page",
        "page",
        lambda: render_template_string(
            IMPORT + "{% call gate('analytics') %}{{ markup|safe }}{% endcall %}", markup=markup
        ),
    )
    found = HELD.fullmatch(without_tag(app.test_client().get("/page").text))

    assert found
    assert json.loads(found[4]) == markup
    assert not re.search("[<>&\u2028\u2029]", found[4])


def test_blocks_of_one_response_share_a_key_and_responses_do_not(make_app):
    app = make_app(CONSENT_INJECT=False)
    block = "{% call gate('analytics') %}x{% endcall %}"
    app.add_url_rule("/page", "page", lambda: render_template_string(IMPORT + block + block))
    client = app.test_client()
    keys = [[found[2] for found in HELD.finditer(client.get("/page").text)] for _ in range(2)]

    assert [len(each) for each in keys] == [2, 2]
    assert [len(set(each)) for each in keys] == [1, 1]
    assert keys[0] != keys[1]


def test_nonce_is_on_every_held_block_and_stylesheet(make_app):
    app = make_app(CONSENT_CSP_NONCE=lambda: 'r4nd"0m')
    source = (
        "<!doctype html><body>"
        + IMPORT
        + "{% call gate('analytics') %}x{% endcall %}{{ script('google-analytics', measurement_id='G-AB12CD34EF') }}"
    )
    app.add_url_rule("/page", "page", lambda: render_template_string(source))
    text = app.test_client().get("/page").text

    assert text.count(' nonce="r4nd&quot;0m">"') + text.count(' nonce="r4nd&#34;0m">"') == 2
    assert re.search(r'<link rel="stylesheet" href="[^"]+" nonce="r4nd&#34;0m">', text)


def test_nonce_is_found_as_a_template_global(make_app):
    app = make_app()
    app.jinja_env.globals["csp_nonce"] = lambda: "abc"

    assert re.search(r'<link rel="stylesheet" href="[^"]+" nonce="abc">', app.test_client().get("/").text)


def test_nested_gates_hold_and_open_each_on_its_own(render):
    source = (
        IMPORT + "{% call gate('analytics') %}<i>a</i>{% call gate('marketing') %}<b>m</b>{% endcall %}{% endcall %}"
    )

    assert "<i>a</i>" not in render(source).text
    open_text = render(source, granted=["analytics"]).text
    assert without_tag(open_text).startswith("<i>a</i><script type=")
    assert "<b>m</b>" not in open_text


@pytest.mark.parametrize(
    "source",
    [
        "{% call gate('analitics') %}x{% endcall %}",
        "{{ embed('analitics', 'x', title='T') }}",
        "{{ script('analitics') }}",
    ],
    ids=["gate", "embed", "script"],
)
def test_unknown_key_names_the_closest_and_the_place(failing, source):
    with pytest.raises(UnknownKeyError) as caught:
        failing(f"{IMPORT}\n\n{source}")

    assert str(caught.value).startswith("Unknown purpose or service 'analitics' (in template 'page.html', line 3). ")
    assert "analytics" in caught.value.allowed[0]


def test_unknown_key_in_an_imported_macro_names_that_file(make_app):
    app = make_app(
        {
            "page.html": '{% from "parts.html" import part %}\n\n\n{{ part() }}',
            "parts.html": IMPORT + "\n{% macro part() %}{% call gate('nothing') %}x{% endcall %}{% endmacro %}",
        }
    )
    app.testing = True
    app.add_url_rule("/page", "page", lambda: render_template("page.html"))

    with pytest.raises(UnknownKeyError, match=r"\(in template 'parts.html', line 2\)"):
        app.test_client().get("/page")


def test_unknown_key_is_an_error_although_the_gate_is_shut_anyway(failing):
    with pytest.raises(UnknownKeyError):
        failing(IMPORT + "{% call gate('marketing', 'nothing') %}x{% endcall %}")


def test_gate_without_a_key_is_refused(failing):
    with pytest.raises(SetupError) as caught:
        failing(IMPORT + "{% call gate() %}x{% endcall %}")

    assert str(caught.value) == (
        "gate() was given no key in template 'page.html', line 1. Name what must be granted, such as gate('analytics')."
    )


def test_gate_without_a_block_is_refused(failing):
    with pytest.raises(SetupError) as caught:
        failing(IMPORT + "{{ gate('analytics') }}")

    assert str(caught.value) == (
        "gate() wraps markup in template 'page.html', line 1: write {% call gate('analytics') %}…{% endcall %}, with what it "
        "holds in between."
    )


def test_gate_with_a_list_of_keys_is_refused_in_words(failing):
    with pytest.raises(ConsentError, match=r"page\.html"):
        failing(IMPORT + "{% call gate(['analytics', 'marketing']) %}x{% endcall %}")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("script('google-analytics')", "Service 'google-analytics' needs the parameter 'measurement_id', such as measurement_id='G-AB12CD34EF'. This is in template 'page.html', line 1."),
        (
            "script('google-analytics', id='G-AB12CD34EF')",
            "Service 'google-analytics' has no parameter 'id'. Its parameters: 'measurement_id'. This is in template 'page.html', line 1.",
        ),
        (
            "script('google-analytics', measurement_id='x')",
            "Parameter 'measurement_id' of service 'google-analytics' must match 'G-[A-Z0-9]{4,16}', such as 'G-AB12CD34EF', got 'x'. This is in template 'page.html', line 1.",
        ),
        (
            "script('youtube')",
            "Service 'youtube' has no snippet in template 'page.html', line 1. Write its markup in {% call gate('youtube') %}.",
        ),
    ],
)  # fmt: skip
def test_wrong_script_call_is_refused(failing, call, message):
    with pytest.raises(ConsentError) as caught:
        failing(f"{IMPORT}{{{{ {call} }}}}")

    assert str(caught.value) == message


@pytest.mark.parametrize(
    "value",
    ["G-AB12\n", "G-AB12</script>", 'G-AB12"', "G-AB12'-alert(1)-'", "g-ab12", "G-AB12\u2028", "", "G-ＡＢ１２"],
    ids=ascii,
)
def test_hostile_parameter_is_refused(failing, value):
    with pytest.raises(ConfigError, match="must match"):
        failing(f"{IMPORT}{{{{ script('google-analytics', measurement_id={value!r}) }}}}")


def test_parameter_that_its_pattern_lets_through_is_still_escaped(make_app):
    service = Service(
        "open",
        name="Open",
        purposes=("necessary",),
        justification="a test",
        parameters=(Parameter("value", pattern=r"(?s).*", example="a"),),
        snippet='<i title="{{ value }}">{{ value }}</i><script>x = {{ value|tojson }}</script>',
    )
    app = make_app(services=[service], CONSENT_INJECT=False)
    source = IMPORT + "{{ script('open', value=value) }}"
    app.add_url_rule("/page", "page", lambda: render_template_string(source, value="\"'</script><b>&\u2028"))
    text = app.test_client().get("/page").text

    assert text.startswith('<i title="&#34;&#39;&lt;/script&gt;&lt;b&gt;&amp;\u2028">')
    assert text.count("</script>") == 1
    assert "\\u0027\\u003c/script\\u003e\\u003cb\\u003e\\u0026\\u2028" in text


def test_script_is_live_with_its_nonce_once_granted(render):
    text = render(
        IMPORT + "{{ script('google-analytics', measurement_id='G-AB12CD34EF') }}",
        granted=["google-analytics"],
        CONSENT_CSP_NONCE=lambda: "abc",
    ).text

    assert re.findall(r"<script[^>]*>", text) == [
        '<script nonce="abc" data-consent-told="google">',
        '<script nonce="abc">',
        '<script async src="https://www.googletagmanager.com/gtag/js?id=G-AB12CD34EF" nonce="abc">',
    ]
    assert 'gtag("config", "G-AB12CD34EF");' in text
    assert "data-consent-gate" not in text


@pytest.mark.parametrize("snippet", ["{{ value }}", "{% if %}", "{{ value|nothing }}"])
def test_snippet_with_a_mistake_is_refused_at_the_start(make_app, snippet):
    with pytest.raises(ConfigError, match="The snippet of service 'own' has a mistake"):
        make_app(services=[Service("own", name="Own", purposes=("analytics",), snippet=snippet)])


def test_service_without_a_frame_cannot_be_embedded(failing):
    with pytest.raises(SetupError) as caught:
        failing(IMPORT + "{{ embed('google-analytics', 'x', title='T') }}")

    assert str(caught.value) == (
        "Service 'google-analytics' cannot be embedded in template 'page.html', line 1: its declaration has no 'embed'."
    )


@pytest.mark.parametrize("url", ["javascript:{id}", "//evil.example/{id}", "data:text/html,{id}", "https://a.example/"])
def test_frame_of_an_unsafe_address_is_refused(url):
    with pytest.raises(ConfigError):
        Embed(url=url, source_url="https://a.example/{id}", id_pattern=".*", id_example="a")
