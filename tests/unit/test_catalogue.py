from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import html5lib
import pytest
from jinja2 import Environment, StrictUndefined

from consent.catalogue import load_service, service_keys
from consent.core.declaration import Service
from consent.core.embed import Embed

KEYS = (
    "google-analytics",
    "google-maps",
    "google-tag-manager",
    "matomo",
    "meta-pixel",
    "plausible",
    "vimeo",
    "youtube",
)
SCRIPTED = ("google-analytics", "google-tag-manager", "matomo", "meta-pixel", "plausible")
EMBEDDED = ("google-maps", "vimeo", "youtube")
LANGUAGES = {"en", "de", "fr", "es", "zh-Hans", "ar"}
NONCE = "bm9uY2U"

HOSTILE = (
    '"><script>alert(1)</script>',
    "</script>",
    "<!--",
    "{{7*7}}",
    "{% raw %}",
    '"',
    "'",
    "`",
    "a\nb",
    "a\rb",
    "a\0b",
    "a\u2028b",
    "a\u2029b",
    "a\u202eb",
    "a\ud800b",
    "javascript:alert(1)",
    "//evil.example",
    "https://evil.example\\@stats.example",
    "",
)

SCRIPTS = {
    "google-analytics": [
        {"nonce": NONCE},
        {"async": "", "src": "https://www.googletagmanager.com/gtag/js?id=G-AB12CD34EF", "nonce": NONCE},
    ],
    "google-tag-manager": [
        {"nonce": NONCE},
        {"async": "", "src": "https://www.googletagmanager.com/gtm.js?id=GTM-AB12CD3", "nonce": NONCE},
    ],
    "matomo": [
        {"nonce": NONCE},
        {"async": "", "src": "https://example.matomo.cloud/matomo.js", "nonce": NONCE},
    ],
    "meta-pixel": [
        {"nonce": NONCE},
        {"async": "", "src": "https://connect.facebook.net/en_US/fbevents.js", "nonce": NONCE},
    ],
    "plausible": [
        {"defer": "", "src": "https://plausible.io/js/script.js", "data-domain": "example.com", "nonce": NONCE},
    ],
}


def examples(service: Service) -> dict[str, str]:
    return {parameter.name: parameter.example for parameter in service.parameters}


def render(service: Service, *, nonce: str = NONCE, **parameters: str) -> str:
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    return environment.from_string(service.snippet).render(nonce=nonce, **parameters)


def parse(markup: str) -> list[tuple[str, dict[str, str], str]]:
    """Return tag, attributes and text of every element; text between elements must be blank."""
    fragment = html5lib.parseFragment(markup, namespaceHTMLElements=False)
    assert not (fragment.text or "").strip()
    assert not any((element.tail or "").strip() for element in fragment.iter())
    return [
        (element.tag, dict(element.attrib), element.text or "")
        for element in fragment.iter()
        if element is not fragment
    ]


def empty_strings(script: str) -> str:
    """Return the script with nothing between the quotes of its strings."""
    return re.sub(r'"(?:[^"\\\n]|\\.)*"', '""', script)


def is_declared(host: str, hosts: tuple[str, ...]) -> bool:
    return host in hosts or any(pattern.startswith("*.") and host.endswith(pattern[1:]) for pattern in hosts)


def embed_of(key: str) -> Embed:
    embed = load_service(key).embed
    assert embed
    return embed


def read_raw(key: str) -> dict[str, Any]:  # Any: TOML values have no static type
    return tomllib.loads((files("consent.catalogue") / "services" / f"{key}.toml").read_text(encoding="utf-8"))


# The shipped entries


def test_service_keys_are_those_shipped_by_alphabet() -> None:
    assert service_keys() == KEYS


@pytest.mark.parametrize("key", KEYS)
def test_every_entry_loads_with_provider_and_purposes(key: str) -> None:
    service = load_service(key)

    assert service.key == key
    assert service.name
    assert service.provider
    assert re.fullmatch("[A-Z]{2}", service.provider_country)
    assert service.privacy_url.startswith("https://")
    assert set(service.purposes) <= {"preferences", "analytics", "marketing"}
    assert service.hosts
    assert bool(service.snippet) != bool(service.embed)


@pytest.mark.parametrize("key", KEYS)
def test_every_entry_is_described_in_all_languages(key: str) -> None:
    service = load_service(key)

    for text in (service.description, *(cookie.description for cookie in service.cookies)):
        assert isinstance(text, Mapping)
        assert set(text) == LANGUAGES
        assert all(words == words.strip() and words.endswith((".", "。")) for words in text.values())
        assert len(set(text.values())) == len(LANGUAGES)


@pytest.mark.parametrize("key", KEYS)
def test_every_cookie_has_a_lifetime(key: str) -> None:
    for cookie in load_service(key).cookies:
        assert cookie.months or cookie.days or cookie.minutes or cookie.session
        assert bool(cookie.domain) == cookie.third_party


@pytest.mark.parametrize("key", KEYS)
def test_every_fact_names_source_and_date(key: str) -> None:
    raw = read_raw(key)

    assert raw["sources"]
    for table in (raw, *raw.get("cookies", ())):
        assert isinstance(table["checked"], date)
    assert all(cookie["source"] for cookie in raw.get("cookies", ()))


def test_tag_manager_needs_both_of_its_purposes() -> None:
    assert load_service("google-tag-manager").purposes == ("analytics", "marketing")


def test_cookie_patterns_are_exact() -> None:
    names = {key: [cookie.name for cookie in load_service(key).cookies] for key in ("google-analytics", "matomo")}

    assert names == {
        "google-analytics": ["_ga", "_ga_*"],
        "matomo": ["_pk_id.*", "_pk_ref.*", "_pk_ses.*", "_pk_cvar.*", "_pk_hsr.*"],
    }


# Snippets


def test_services_are_scripted_or_embedded() -> None:
    assert tuple(key for key in KEYS if load_service(key).snippet) == SCRIPTED
    assert tuple(key for key in KEYS if load_service(key).embed) == EMBEDDED


@pytest.mark.parametrize("key", SCRIPTED)
def test_snippet_is_exactly_its_scripts(key: str) -> None:
    service = load_service(key)
    elements = parse(render(service, **examples(service)))

    assert [tag for tag, _, _ in elements] == ["script"] * len(SCRIPTS[key])
    assert [attributes for _, attributes, _ in elements] == SCRIPTS[key]
    assert all(bool(text.strip()) != ("src" in attributes) for _, attributes, text in elements)


@pytest.mark.parametrize("key", SCRIPTED)
def test_snippet_without_nonce_has_no_nonce_attribute(key: str) -> None:
    service = load_service(key)

    assert "nonce" not in render(service, nonce="", **examples(service))


@pytest.mark.parametrize("key", SCRIPTED)
def test_snippet_loads_from_declared_hosts_only(key: str) -> None:
    service = load_service(key)
    urls = re.findall(r"https?:[^\"'\s]+|(?<=[\"'])//[^\"'\s]+", render(service, **examples(service)))

    assert urls
    assert all(urlsplit(url).scheme == "https" for url in urls)
    assert all(is_declared(urlsplit(url).hostname or "", service.hosts) for url in urls)


@pytest.mark.parametrize("key", SCRIPTED)
@pytest.mark.parametrize("value", [value for value in HOSTILE if "\ud800" not in value])
def test_snippet_stays_in_shape_even_with_a_value_that_no_pattern_checked(key: str, value: str) -> None:
    service = load_service(key)
    elements = parse(render(service, nonce=value, **dict.fromkeys(examples(service), value)))

    assert [tag for tag, _, _ in elements] == ["script"] * len(SCRIPTS[key])
    assert all(
        set(attributes) <= set(expected) for (_, attributes, _), expected in zip(elements, SCRIPTS[key], strict=True)
    )
    genuine = parse(render(service, **examples(service)))
    for (_, _, text), (_, _, expected) in zip(elements, genuine, strict=True):
        assert empty_strings(text) == empty_strings(expected)
        assert not re.search("[<>&'\u2028\u2029]", text)


@pytest.mark.parametrize("key", SCRIPTED)
def test_snippet_marks_nothing_as_safe(key: str) -> None:
    assert not re.search(r"\|\s*safe|autoescape|Markup", load_service(key).snippet)


def test_analytics_queues_arguments_before_it_loads() -> None:
    service = load_service("google-analytics")
    (_, _, inline), _ = parse(render(service, **examples(service)))

    assert inline.split("\n")[1:-1] == [
        "window.dataLayer = window.dataLayer || [];",
        "function gtag() { dataLayer.push(arguments); }",
        'gtag("js", new Date());',
        'gtag("config", "G-AB12CD34EF");',
    ]


@pytest.mark.parametrize("url", ["https://stats.example.com/matomo", "https://stats.example.com/matomo/"])
def test_matomo_takes_its_address_with_or_without_a_slash(url: str) -> None:
    (_, _, inline), (_, loader, _) = parse(render(load_service("matomo"), url=url, site_id="7"))

    assert '_paq.push(["setTrackerUrl", "https://stats.example.com/matomo/matomo.php"]);' in inline
    assert '_paq.push(["setSiteId", "7"]);' in inline
    assert loader["src"] == "https://stats.example.com/matomo/matomo.js"


def test_pixel_starts_with_its_id() -> None:
    (_, _, inline), _ = parse(render(load_service("meta-pixel"), pixel_id="1234567890123456"))

    assert inline.endswith('fbq("init", "1234567890123456");\nfbq("track", "PageView");\n')


@pytest.mark.parametrize(
    ("parameters", "host"),
    [
        ({}, "plausible.io"),
        ({"script_host": ""}, "plausible.io"),
        ({"script_host": "stats.example.com"}, "stats.example.com"),
    ],
)
def test_plausible_loads_from_its_cloud_unless_told_otherwise(parameters: dict[str, str], host: str) -> None:
    ((_, attributes, _),) = parse(render(load_service("plausible"), domain="example.com", **parameters))

    assert attributes["src"] == f"https://{host}/js/script.js"


# Patterns


def patterns() -> list[tuple[str, str]]:
    services = [load_service(key) for key in KEYS]
    found = [(f"{each.key}.{one.name}", one.pattern) for each in services for one in each.parameters]
    return found + [(f"{each.key}.id", each.embed.id_pattern) for each in services if each.embed]


@pytest.mark.parametrize(("name", "pattern"), patterns())
def test_pattern_refuses_hostile_values(name: str, pattern: str) -> None:
    taken = {value for value in HOSTILE if re.fullmatch(pattern, value)}

    # A place may be called anything harmless as text: its name only ever stands percent-encoded, after `q=`.
    assert taken == ({"javascript:alert(1)", "//evil.example"} if name == "google-maps.id" else set())


@pytest.mark.parametrize("pattern", [pytest.param(pattern, id=name) for name, pattern in patterns()])
def test_pattern_refuses_a_trailing_newline_and_endless_values(pattern: str) -> None:
    for service in map(load_service, KEYS):
        for example in (*examples(service).values(), *([service.embed.id_example] if service.embed else [])):
            assert not re.fullmatch(pattern, f"{example}\n")

    assert not re.fullmatch(pattern, "1" * 5_000)


@pytest.mark.parametrize("pattern", [pytest.param(pattern, id=name) for name, pattern in patterns()])
def test_pattern_repeats_no_repetition(pattern: str) -> None:
    # What a group repeats without bound, or often, may not itself repeat: that is where matching turns exponential.
    assert not re.search(r"[*+}]\)[*+{]", pattern)
    assert not re.search(r"(?<!\\)[*+](?![^\[]*\])", pattern)


@pytest.mark.parametrize(
    ("key", "name", "value", "is_taken"),
    [
        ("google-analytics", "measurement_id", "UA-12345-1", False),
        ("google-analytics", "measurement_id", "g-ab12cd34ef", False),
        ("google-tag-manager", "container_id", "G-AB12CD34EF", False),
        ("matomo", "url", "https://stats.example.com:8443/a/b", True),
        ("matomo", "url", "http://stats.example.com", False),
        ("matomo", "url", "https://user@stats.example.com", False),
        ("matomo", "url", "https://stats.example.com/?x", False),
        ("matomo", "site_id", "1", True),
        ("matomo", "site_id", "-1", False),
        ("plausible", "domain", "example.com/shop", True),
        ("plausible", "script_host", "stats.example.com:8443", True),
        ("plausible", "script_host", "stats.example.com/js", False),
        ("meta-pixel", "pixel_id", "12x45", False),
    ],
)
def test_parameter_takes_what_the_vendor_gives_out(key: str, name: str, value: str, is_taken: bool) -> None:
    (parameter,) = [each for each in load_service(key).parameters if each.name == name]

    assert bool(re.fullmatch(parameter.pattern, value)) is is_taken


# Embeds


@pytest.mark.parametrize("key", EMBEDDED)
def test_embed_stays_on_declared_hosts(key: str) -> None:
    embed = embed_of(key)

    for template in (embed.url, embed.source_url):
        url = urlsplit(template.replace("{id}", quote(embed.id_example, safe="")))
        assert url.scheme == "https"
        assert is_declared(url.hostname or "", load_service(key).hosts)


@pytest.mark.parametrize(
    ("key", "url"),
    [
        ("youtube", "https://www.youtube-nocookie.com/embed/{id}"),
        ("vimeo", "https://player.vimeo.com/video/{id}?dnt=1"),
        ("google-maps", "https://www.google.com/maps?q={id}&output=embed"),
    ],
)
def test_embed_uses_the_quieter_address(key: str, url: str) -> None:
    assert embed_of(key).url == url


@pytest.mark.parametrize(
    "place", ["Köln", "故宫博物院", "القاهرة", "दिल्ली", "O’Connell Street 1 & 2, Dublin", "52.5163,13.3777"]
)
def test_map_takes_places_in_any_script(place: str) -> None:
    assert re.fullmatch(embed_of("google-maps").id_pattern, place)


# The documentation


def test_docs_list_every_service_with_its_parameters() -> None:
    page = (Path(__file__).parents[2] / "docs" / "catalogue.md").read_text(encoding="utf-8")

    for service in map(load_service, KEYS):
        (row,) = [line for line in page.splitlines() if line.startswith(f"| `{service.key}` |")]
        assert all(f"`{parameter.name}`" in row for parameter in service.parameters)
        assert all(f"`{purpose}`" in row for purpose in service.purposes)
