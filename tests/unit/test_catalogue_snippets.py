"""Snippets of the shipped catalogue: a few scripts, whatever values they are given."""

from __future__ import annotations

import re
from collections import Counter
from urllib.parse import urlsplit

import pytest

from tests.catalogue_entries import (
    BREAKING,
    NONCE,
    SCRIPTED,
    examples,
    find_urls,
    hosts_of,
    inline_scripts,
    parse,
    render,
    render_example,
    service_of,
)

# What elements may carry; `id` and `data-` where the provider's script looks for them.
ATTRIBUTES = {
    "div": {"id", "class"},
    "link": {"rel", "href", "crossorigin", "nonce"},
    "script": {
        *("src", "async", "defer", "type", "id", "charset", "crossorigin", "integrity", "referrerpolicy"),
        *("fetchpriority", "nonce"),
    },
}
# Freshchat's script reads attributes of its element that HTML does not know.
OWN_ATTRIBUTES = {"freshchat": {"chat"}}
LOADERS = {
    "google-analytics": "https://www.googletagmanager.com/gtag/js?id=G-AB12CD34EF",
    "google-tag-manager": "https://www.googletagmanager.com/gtm.js?id=GTM-AB12CD3",
    "matomo": "https://example.matomo.cloud/matomo.js",
    "meta-pixel": "https://connect.facebook.net/en_US/fbevents.js",
    "plausible": "https://plausible.io/js/script.js",
}

each_snippet = pytest.mark.parametrize("key", SCRIPTED)


def shape(elements):
    return [(tag, sorted(attributes)) for tag, attributes, _ in elements]


def empty_values(script):
    """Return the script without what its strings and numbers say."""
    return re.sub(r'"(?:[^"\\\n]|\\.)*"|\b\d+\b', "0", script)


def count_marks(script):
    """Count what could end a script, a string or a line in it."""
    return Counter(re.findall("[<>&'\u2028\u2029]", script))


# What it is made of


@each_snippet
def test_snippet_is_made_of_scripts_style_sheets_and_containers(key):
    elements = parse(render_example(key))

    assert {tag for tag, _, _ in elements} <= {"script", "link", "div"}
    assert {tag for tag, _, _ in elements} & {"script", "link"}
    assert [tag for tag, _, text in elements if tag != "script" and text.strip()] == []


@each_snippet
def test_snippet_has_neither_handlers_nor_styles(key):
    for tag, attributes, _ in parse(render_example(key)):
        own = {name for name in attributes if not name.startswith("data-")} - OWN_ATTRIBUTES.get(key, set())
        assert own <= ATTRIBUTES[tag]


@each_snippet
def test_snippet_gives_each_script_and_style_sheet_the_nonce(key):
    assert [attributes["nonce"] for tag, attributes, _ in parse(render_example(key)) if tag != "div"] == [
        NONCE for tag, _, _ in parse(render_example(key)) if tag != "div"
    ]


@each_snippet
def test_snippet_without_nonce_has_no_nonce_attribute(key):
    service = service_of(key)
    markup = render(service, nonce="", **examples(service))

    assert "nonce" not in markup
    assert shape(parse(markup)) == [
        (tag, [name for name in names if "nonce" not in name]) for tag, names in shape(parse(render_example(key)))
    ]


@each_snippet
def test_script_has_either_an_address_or_text(key):
    scripts = [each for each in parse(render_example(key)) if each[0] == "script"]

    assert all(bool(text.strip()) != ("src" in attributes) for _, attributes, text in scripts)


@each_snippet
def test_snippet_takes_no_more_parameters_than_it_needs(key):
    service = service_of(key)

    assert shape(parse(render(service, **examples(service, only_required=True))))


@each_snippet
def test_snippet_marks_nothing_as_safe(key):
    assert not re.search(r"\|\s*safe|autoescape|Markup", service_of(key).snippet)


@each_snippet
def test_snippet_makes_no_elements_and_runs_no_text(key):
    scripts = "\n".join(inline_scripts(render_example(key)))

    # A policy with nonces lets only those run that the page itself was given.
    assert not re.search(
        r"createElement|insertBefore|innerHTML|document\.write|\beval\b|new Function|import\(", scripts
    )


# Where it loads from


@each_snippet
def test_snippet_loads_from_secure_addresses(key):
    urls = find_urls(render_example(key))

    assert urls
    assert {urlsplit(url).scheme for url in urls} == {"https"}


@each_snippet
def test_snippet_names_declared_hosts_only(key):
    service = service_of(key)

    assert [host for host in hosts_of(render_example(key)) if not service.has_host(host)] == []


@each_snippet
def test_loaded_host_is_declared_for_what_it_serves(key):
    service = service_of(key)
    for tag, attributes, _ in parse(render_example(key)):
        use, url = ("style", attributes.get("href")) if tag == "link" else ("script", attributes.get("src"))
        host = urlsplit(url or "").hostname
        if host:
            declared = service.hosts_by_use[use]
            assert host in declared or [each for each in declared if each[:2] == "*." and host.endswith(each[1:])]


# Hostile values, as if no pattern had checked them


@each_snippet
@pytest.mark.parametrize("value", BREAKING, ids=ascii)
def test_snippet_keeps_its_shape_with_a_hostile_value(key, value):
    service = service_of(key)
    given = examples(service)
    elements = parse(render(service, nonce=value, **dict.fromkeys(given, value)))
    genuine = parse(render_example(key))

    assert shape(elements) == shape(genuine)
    for (_, _, text), (_, _, expected) in zip(elements, genuine, strict=True):
        assert empty_values(text) == empty_values(expected)
        assert count_marks(text) == count_marks(expected)


@each_snippet
def test_value_that_names_the_host_names_nothing_else(key):
    service = service_of(key)
    for each in service.parameters:
        hosts = find_hosts(render(service, **examples(service) | {each.name: "m4rk"}))
        if any("m4rk" in host for host in hosts):
            around = ("{}/", "evil.example/{}", "{}@evil.example", "{}:x", "{}#", "{}?", "{}\\", "{}%2f", "{} ")
            assert not [text for text in around if re.fullmatch(each.pattern, text.format(each.example))]
        else:
            hostile = render(service, **examples(service) | {each.name: "/../@evil.example?x#"})
            assert all(map(service.has_host, find_hosts(hostile))) or each.example.startswith("https://")


@each_snippet
def test_value_in_the_path_of_an_address_is_encoded(key):
    service = service_of(key)
    for each in service.parameters:
        # Of an address of its own nothing may be encoded.
        if not each.example.startswith("https://"):
            urls = find_urls(render(service, **examples(service) | {each.name: 'm4rk "&#'}))
            assert [url for url in urls if re.search('/.*[ "#]', url.partition("://")[2])] == []


def find_hosts(markup):
    return [urlsplit(url).hostname or "" for url in find_urls(markup)]


# What some of them say


@pytest.mark.parametrize(("key", "url"), LOADERS.items())
def test_snippet_loads_the_provider_s_script_last(key, url):
    (_, attributes, _) = parse(render_example(key))[-1]

    assert attributes["src"] == url


def test_analytics_says_its_id_before_it_loads():
    (inline,) = inline_scripts(render_example("google-analytics"))

    assert inline.strip().splitlines()[-2:] == ['gtag("js", new Date());', 'gtag("config", "G-AB12CD34EF");']


@pytest.mark.parametrize("url", ["https://stats.example.com/matomo", "https://stats.example.com/matomo/"])
def test_matomo_takes_its_address_with_or_without_a_slash(url):
    elements = parse(render(service_of("matomo"), url=url, site_id="7"))
    inline = "".join(text for _, _, text in elements)

    assert '_paq.push(["setTrackerUrl", "https://stats.example.com/matomo/matomo.php"]);' in inline
    assert '_paq.push(["setSiteId", "7"]);' in inline
    assert elements[-1][1]["src"] == "https://stats.example.com/matomo/matomo.js"


def test_pixel_starts_with_its_id():
    (inline,) = inline_scripts(render(service_of("meta-pixel"), pixel_id="1234567890123456"))

    assert inline.endswith('fbq("init", "1234567890123456");\nfbq("track", "PageView");\n')


@pytest.mark.parametrize(("script_host", "host"), [("", "plausible.io"), ("stats.example.com", "stats.example.com")])
def test_plausible_loads_from_its_cloud_unless_told_otherwise(script_host, host):
    (url,) = find_urls(render(service_of("plausible"), domain="example.com", script_host=script_host))

    assert url == f"https://{host}/js/script.js"
