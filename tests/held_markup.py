"""What a page with held markup does in a browser, as an independent parser reads it: whom it contacts, and what it holds."""

from __future__ import annotations

import json
import re

import html5lib

import consent.testing

HEAD = '<!doctype html><html lang="de"><head><meta charset="utf-8"><title>T</title></head><body>'
SCRIPT = '<script async src="https://www.googletagmanager.com/gtag/js?id=G-ABCD"></script>'
PIXEL = '<img src="https://www.facebook.com/tr?id=1" width=1 height=1>'
VIDEO = '<iframe src="https://www.youtube.com/embed/aqz-KE-bpKQ?rel=0" title="Bunny" width=640 height=360></iframe>'
END = "</body></html>"
SERVICES = ("google-analytics", "youtube", "meta-pixel")

_URLS = (
    "src",
    "srcset",
    "href",
    "poster",
    "data",
    "background",
    "style",
    "content",
    "{http://www.w3.org/1999/xlink}href",
)
_HOST = re.compile(r"//([a-z0-9.-]+)")
_INERT = ("application/json", "text/plain")


def parse(page):
    """Return the elements of a page, as a browser with scripts builds them."""
    return html5lib.parse(page, namespaceHTMLElements=False, scripting=True)


def loads(page):
    """Return the hosts that the tags of a page load something from, whatever its scripts and styles say."""
    return contacts(page, has_texts=False)


def contacts(page, *, has_texts=True):
    """Return the hosts that a page loads something from by itself, with scripts and without."""
    found = set()
    for scripting in (True, False):
        tree = html5lib.parse(page, namespaceHTMLElements=False, scripting=scripting)
        for element in tree.iter():
            found |= _contacts_of(element, has_texts=has_texts)
    return found


def list_blocks(page):
    """Return what the held blocks of a page hold, in their order."""
    return [
        json.loads(element.text)
        for element in parse(page).iter("script")
        if element.get("data-consent-gate") is not None and element.get("type") == "application/json"
    ]


def _contacts_of(element, *, has_texts):
    if not isinstance(element.tag, str) or element.tag in ("a", "area", "form"):
        return set()
    is_dead = element.tag in ("script", "style", "{http://www.w3.org/2000/svg}style") and element.get("type") in _INERT
    is_canonical = element.tag == "link" and element.get("rel") == "canonical"
    if is_dead or is_canonical:
        return set()
    texts = [value for name, value in element.attrib.items() if name in _URLS]
    if has_texts and element.tag in ("script", "style", "{http://www.w3.org/2000/svg}style"):
        texts.append(element.text or "")
    return {host for text in texts for host in _HOST.findall(text)}


def ask_for(app, add_page, markup, *granted, method="GET", headers=None, **response_headers):
    """Ask for a page of this markup, or once more for the last one, as a visitor who granted these keys."""
    if markup is not None:
        add_page(app, "/page", markup, **response_headers)
    client = app.test_client()
    if granted:
        consent.testing.grant(client, *granted)
    return client.open("/page", method=method, headers=headers)
