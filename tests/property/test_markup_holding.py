"""Whatever a page holds: what is held loads nothing, nothing else changes, and nothing becomes more active than it was."""

from __future__ import annotations

import re
from collections import Counter

import html5lib
import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st

from consent import Consent, Service
from consent.web.auto_hold import hold_page
from consent.web.markup_holding import PageKind
from consent.web.visit import get_visit
from tests.markup_soup import make_soup

_URL_NAMES = frozenset(
    {
        *(
            "src",
            "srcset",
            "imagesrcset",
            "href",
            "data",
            "poster",
            "background",
            "ping",
            "style",
            "srcdoc",
            "manifest",
        ),
        *("codebase", "archive", "action", "formaction", "content", "{http://www.w3.org/1999/xlink}href"),
    }
)
HOSTS = tuple(f"h{number}.example" for number in range(200))
_INERT = frozenset({"application/json", "text/plain"})
INERT_TYPE = ' type="text/plain"'
# Of those that mean something on some elements only. In the pages is no `meta`, and no `link` that loads.
_ON = {
    "src": frozenset({"script", "iframe", "frame", "embed", "img", "input", "video", "audio", "source", "track"}),
    "href": frozenset({"image", "use", "base"}),
    "data": frozenset({"object"}),
    "poster": frozenset({"video"}),
    "action": frozenset(),
    "formaction": frozenset(),
    "content": frozenset(),
}
_HOST = re.compile(r"(?:[/\\][\t\n]*[/\\]|(?i:https?):)(h[0-9]+\.example)(?=[/:?#\s]|$)")
# In a style `\` escapes what follows; `//` in other texts leads nowhere.
_HOST_IN_TEXT = re.compile(r"(?:url\(|['\"])(?:https?:)?//(h[0-9]+\.example)(?=[/:?#\s'\")]|$)", re.IGNORECASE)
# What may go from a style, and nothing else.
_ADDRESS = re.compile(r"[A-Za-z0-9:.?=%@+,_~/-]*(?:h[0-9]+\.example|about:invalid)[A-Za-z0-9:.?=%@+,_~/-]*")
# As the library writes them.
_OURS = re.compile(r"/privacy-choices/\S*")


@pytest.fixture(scope="module")
def app():
    app = Flask("newspaper")
    app.config.from_mapping(SECRET_KEY="k" * 32, CONSENT_CONTROLLER="Example News Ltd")
    Consent(app, services=[Service("stats", name="Stats", purposes=("analytics",), hosts=HOSTS)])
    return app


def hold(app, page):
    with app.test_request_context():
        return hold_page(page, get_visit(), PageKind(encode=str.encode))


def list_activity(page, *, scripting):
    """Return all in a page by which something could load or run, each with how often it is there."""
    parser = html5lib.HTMLParser(tree=html5lib.getTreeBuilder("etree"), namespaceHTMLElements=False)
    found: Counter[object] = Counter()
    for element in parser.parse(page, transport_encoding="utf-8", scripting=scripting).iter():
        if not isinstance(element.tag, str):
            continue
        name = element.tag.removeprefix("{http://www.w3.org/2000/svg}").lower()
        is_inert = name in ("script", "style") and (element.get("type") or "").lower() in _INERT
        found.update(
            (name, key, value)
            for key, value in element.attrib.items()
            if (key in _URL_NAMES or key.startswith("on"))
            and not is_inert
            and not _OURS.fullmatch(value)
            and name != "a"
        )
        if (
            name in ("script", "style")
            and not is_inert
            and element.get("type") != "x"
            and not element.get("data-consent-key")
            # What stands between the tags of an external script never runs.
            and not (name == "script" and "svg" not in element.tag and element.get("src") is not None)
        ):
            # What parsers read differently may be a tag for one and a part of a script for another.
            found["text", "".join(element.itertext()).replace("data-consent-", "").replace(INERT_TYPE, "")] += 1
    return found


def blur(activity):
    """Return the same, with one word for each address of a service in a style, and for what stands in its place."""
    found: Counter[object] = Counter()
    for (*kind, text), count in activity.items():
        is_style = kind[-1] in ("text", "style")
        found[(*kind, _ADDRESS.sub("URL", text) if is_style else text)] += count
    return found


@settings(derandomize=True, deadline=None)
@given(st.randoms(use_true_random=False))
def test_nothing_of_a_page_becomes_more_active(app, random):
    page = make_soup(random)
    held = hold(app, page)

    for scripting in (True, False):
        active, before = (blur(list_activity(each, scripting=scripting)) for each in (held, page))
        assert active - before == Counter()


def list_hosts(activity):
    """Return the hosts of services in what `list_activity` gave, where browsers would ask for them."""
    found = set()
    for name, *rest in activity:
        if name == "text":
            found |= set(_HOST_IN_TEXT.findall(rest[0]))
        elif _is_loading(name, rest[0]):
            # In a list of images a tab ends an address.
            value = rest[1].replace("\t", " ") if "srcset" in rest[0] else rest[1]
            found |= set((_HOST_IN_TEXT if rest[0] == "style" else _HOST).findall(value))
    return found


def _is_loading(name, attribute):
    key = "href" if "}" in attribute else attribute
    return key in _URL_NAMES and (key not in _ON or name in _ON[key])


@settings(derandomize=True)
@given(st.randoms(use_true_random=False))
def test_nothing_loads_that_is_not_granted(app, random):
    held = hold(app, make_soup(random))

    for scripting in (True, False):
        assert list_hosts(list_activity(held, scripting=scripting)) == set()
