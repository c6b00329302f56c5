"""Scripts, styles and import maps that are the site's own and name a service's host: what of them is held, and what stays."""

from __future__ import annotations

import json

import pytest

from tests.held_markup import END, HEAD, PIXEL, ask_for, contacts, list_blocks

SERVICES = ("google-analytics", "youtube", "meta-pixel", "google-fonts")
VIDEO_URL = "https://www.youtube.com/embed/aqz-KE-bpKQ"
REMINDER = 'data-consent-key="">""</script>'


@pytest.fixture
def site(make_app):
    return make_app(services=SERVICES, CONSENT_AUTO_HOLD="enforce", CONSENT_INJECT=False)


@pytest.fixture
def stranger(make_app):
    """A site that declares none of what its pages name."""
    return make_app(services=("plausible",), CONSENT_AUTO_HOLD="enforce", CONSENT_INJECT=False)


@pytest.fixture
def get(site, add_page):
    """Return a function that asks for a page of this markup, as a visitor who granted these keys."""

    def ask(markup, *granted, app=None, **how):
        return ask_for(app or site, add_page, None if markup is None else HEAD + markup + END, *granted, **how)

    return ask


@pytest.fixture
def told(caplog):
    """Return a function that lists what was logged: kind, and host."""

    def read():
        lines = [record.getMessage().partition("consent-audit ")[2] for record in caplog.records]
        return [(leak["kind"], leak["subject"]) for leak in (json.loads(line) for line in lines if line)]

    return read


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('(new Image()).src="https://www.facebook.com/tr?id=1&ev=PageView"', "meta-pixel"),
        ('fetch("https://www.google-analytics.com/g/collect?v=2")', "google-analytics"),
        ('navigator.sendBeacon("https://www.google-analytics.com/collect","x")', "google-analytics"),
        ("document.write('<img src=\"https://www.facebook.com/tr?id=1\">')", "meta-pixel"),
        (f"document.write('<iframe src=\"{VIDEO_URL}\"></iframe>')", "youtube"),
    ],
)
def test_inline_pixel_of_a_declared_service_is_held(get, text, key):
    script = f"<script>{text}</script>"
    shut = get(script).text

    assert contacts(shut) == set()
    assert [block.endswith(script) for block in list_blocks(shut)] == [True]
    assert f'data-consent-gate="{key}"' in shut
    assert script in get(None, key).text


PAYLOADS = [
    'self.__next_f.push([1,"{\\"embed\\":\\"https://www.youtube.com/embed/aqz-KE-bpKQ\\"}"])',
    'window.__NUXT__={video:"https://www.youtube.com/embed/aqz-KE-bpKQ",thumb:"https://i.ytimg.com/vi/x/0.jpg"}',
    'window.__STATE__={"gtm":"https://www.googletagmanager.com/gtag/js?id=G-ABC1234"}',
    'window.cfg={allowed:["https://js.stripe.com","https://connect.facebook.net"]}',
    "/* docs: https://www.youtube.com/embed/aqz-KE-bpKQ */ cart.init()",
    'function share(u){window.open("https://www.facebook.com/sharer/sharer.php?u="+u)}',
    'footer.show({page:"https://www.facebook.com/example"})',
]


@pytest.mark.parametrize("text", PAYLOADS)
def test_script_of_the_sites_own_that_merely_names_a_service_stays(get, stranger, told, text):
    script = f"<script>{text}</script>"

    assert script in get(script).text
    assert script in get(script, app=stranger).text
    assert told() == []


@pytest.mark.parametrize(
    "text",
    [
        "t.src='https://connect.facebook.net/en_US/fbevents.js'",
        "cart.init({sdk:'https://connect.facebook.net/en_US/sdk.js'})",
        "(new Image()).src='https://connect.facebook.net/x.gif'",
    ],
)
def test_script_without_a_source_is_told_of_and_stays_where_its_service_is_not_declared(get, stranger, told, text):
    script = f"<script>{text}</script>"

    assert script in get(script, app=stranger).text
    assert told() == [("markup_sent", "connect.facebook.net")]


def test_script_that_names_two_services_waits_for_the_declared_one_alone(get, told):
    script = "<script>load('https://connect.facebook.net/a.js'), load('https://static.hotjar.com/b.js')</script>"

    assert f"</script>{script}" not in get(script).text
    assert script in get(None, "meta-pixel").text
    assert set(told()) == {("markup_held", "connect.facebook.net"), ("markup_sent", "static.hotjar.com")}


def test_text_of_an_external_script_never_runs_and_counts_for_nothing(get):
    script = "<script src=/own.js>load('https://connect.facebook.net/a.js')</script>"

    assert script in get(script).text


@pytest.mark.parametrize(
    ("style", "left"),
    [
        (
            '@import url("https://fonts.googleapis.com/css?family=Roboto");body{color:red}',
            '@import url("about:invalid");body{color:red}',
        ),
        (
            "@font-face{font-family:R;src:url(https://fonts.gstatic.com/s/r.woff2)}.hero{display:grid}",
            "@font-face{font-family:R;src:url(about:invalid)}.hero{display:grid}",
        ),
    ],
)
def test_sheet_loses_its_address_and_nothing_else(get, stranger, told, style, left):
    shut, strange = get(f"<style>{style}</style>").text, get(f"<style>{style}</style>", app=stranger)

    assert f"<style>{left}</style>" in shut
    assert shut.index('data-consent-gate="google-fonts"') < shut.index("<style>")
    assert REMINDER in shut
    # Nobody can grant it there, and nobody is to load the page again for it.
    assert f"<style>{left}</style>" in strange.text
    assert "data-consent-gate" not in strange.text
    assert f"<style>{style}</style>" in get(None, "google-fonts").text
    assert [kind for kind, _ in told()] == ["markup_held", "markup_undeclared"]


ESCAPED = "<style>@import '\\2f\\2f fonts.googleapis.com/css';body{color:red}</style>"


def test_sheet_whose_address_cannot_be_taken_out_is_held(get):
    assert list_blocks(get(ESCAPED).text) == [ESCAPED]


def test_sheet_whose_address_cannot_be_taken_out_stays_where_its_service_is_not_declared(get, stranger, told):
    assert ESCAPED in get(ESCAPED, app=stranger).text
    assert told() == [("markup_sent", "fonts.googleapis.com")]


@pytest.mark.parametrize(
    ("tag", "left"),
    [
        (
            '<p style="color:red;background:url(//i.ytimg.com/a)">',
            '<p style="color:red;background:url(about:invalid)">',
        ),
        ("<p style=background:url(//i.ytimg.com/a)>", "<p style=background:url(about:invalid)>"),
        (
            "<p style='background:url(&quot;//i.ytimg.com/a&quot;)'>",
            "<p data-consent-style='background:url(&quot;//i.ytimg.com/a&quot;)'>",
        ),
        (
            "<p style=a:b STYLE=b:url(//i.ytimg.com/a)>",
            "<p data-consent-style=a:b data-consent-STYLE=b:url(//i.ytimg.com/a)>",
        ),
    ],
)
def test_style_of_an_element_loses_its_address_or_else_its_name(get, tag, left):
    text = get(tag).text

    assert left in text
    assert REMINDER in text


def test_import_map_comes_back_with_the_page(get):
    script = '<script type="importmap">{"imports":{"own":"/own.js","fb":"https://connect.facebook.net/en_US/sdk.js"}}</script>'
    shut = get(script).text

    assert list_blocks(shut) == [""]
    assert REMINDER in shut
    assert script in get(None, "meta-pixel").text


def test_import_map_stays_where_its_service_is_not_declared(get, stranger):
    script = '<script type="importmap">{"imports":{"own":"/own.js","fb":"https://connect.facebook.net/en_US/sdk.js"}}</script>'

    assert script in get(script, app=stranger).text


def test_rules_of_what_is_loaded_ahead_are_held_whosever_it_is(get, stranger):
    script = '<script type="speculationrules">{"prefetch":[{"urls":["https://connect.facebook.net/a"]}]}</script>'

    assert list_blocks(get(script).text)[0].endswith(script)
    assert script not in get(script, app=stranger).text


def test_preload_that_becomes_the_stylesheet_is_no_hint(get, told):
    link = (
        "<link rel=preload as=style href='https://fonts.googleapis.com/css?family=R' onload=\"this.rel='stylesheet'\">"
    )

    assert list_blocks(get(link).text) == [link]
    assert told() == [("markup_held", "fonts.googleapis.com")]


def test_beyond_a_number_of_elements_addresses_go_without_blocks(get, monkeypatch):
    monkeypatch.setattr("consent.web.markup_holding._REPLACED_LIMIT", 2)
    script = "<script src=//connect.facebook.net/a.js></script>"
    text = get(PIXEL * 2 + PIXEL + script).text

    assert list_blocks(text) == ["", PIXEL, PIXEL]
    assert PIXEL.replace("src", "data-consent-src") in text
    assert '<script type="text/plain" data-consent-src=//connect.facebook.net/a.js>' in text
    assert contacts(text) == set()


def test_attribute_that_stands_in_a_tag_a_thousand_times_is_told_once_and_renamed_everywhere(get, told):
    text = get("<video " + "poster=//i.ytimg.com/a " * 1000 + ">").text

    assert text.count("data-consent-poster=") == 1000
    assert told() == [("markup_held", "*.ytimg.com")]
