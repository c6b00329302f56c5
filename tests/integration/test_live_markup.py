"""What of other hosts is live in a page as it is sent: the audit and the panel see all that auto-hold holds."""

from __future__ import annotations

from html import escape

import pytest

import consent.testing
from consent.web.live_markup import find_live_markup
from consent.web.visit import get_visit
from tests.held_markup import END, HEAD, PIXEL, SCRIPT, SERVICES, VIDEO, ask_for, contacts

TRACKER = "https://www.facebook.com/tr?id=1"
CASES = [
    PIXEL,
    SCRIPT,
    VIDEO,
    f'<iframe srcdoc="{escape(PIXEL)}"></iframe>',
    f'<iframe srcdoc="{escape(f"<iframe srcdoc={chr(39)}{PIXEL}{chr(39)}></iframe>")}"></iframe>',
    "<svg><style>rect { fill: url('https:/&#x2f;www.facebook.com/tr?id=1') }</style></svg>",
    f"{PIXEL}<svg><style>rect {{ fill: url('https:/<!-- -->/www.facebook.com/tr?id=1') }}</style></svg>",
    f'<div style="background: url({TRACKER})">x</div>',
    f'<video poster="{TRACKER}"></video>',
]


@pytest.fixture
def make_site(make_app):
    """Return a function that makes a site that audits pages."""
    return lambda **config: make_app(services=SERVICES, **config)


def find(site, page, **request):
    """Return kind and subject of what is live in a page."""
    with site.test_request_context(**request):
        return {(leak.kind.value, leak.subject) for leak in find_live_markup(get_visit(), page.encode())}


@pytest.mark.parametrize("markup", CASES)
def test_what_auto_hold_holds_is_found(make_site, add_page, markup):
    site = make_site(CONSENT_AUTO_HOLD="enforce")
    held = ask_for(site, add_page, HEAD + markup + END).text
    found = find(site, HEAD + markup + END)

    assert contacts(held) == set()
    assert {kind for kind, _ in found} == {"markup_sent"}
    assert find(site, held) == set()


@pytest.mark.parametrize("host", ["cdn.example.org", "img.cdn.example.org"])
def test_hosts_of_the_site_itself_are_not_told(make_site, host):
    site = make_site(CONSENT_OWN_HOSTS=["cdn.example.org", "*.cdn.example.org"])

    assert find(site, f'<img src="//{host}/a.png">') == set()
    assert find(site, '<img src="//shop.example.net/a.png">', base_url="https://shop.example.net") == set()


@pytest.mark.parametrize("markup", ['<img src="{}">', '<iframe srcdoc="<img src={}>"></iframe>'])
def test_host_that_nobody_knows_is_told(make_site, markup):
    assert find(make_site(), markup.format("//nobody.example.net/a.png")) == {("markup_unknown", "nobody.example.net")}


def test_what_is_granted_is_not_told(make_site):
    site = make_site()
    client = site.test_client()
    consent.testing.grant(client, "meta-pixel")
    cookie = client.get_cookie("consent")
    headers = {"Cookie": f"consent={cookie.value}"}

    assert find(site, PIXEL, headers=headers) == set()
    assert find(site, VIDEO, headers=headers) == {("markup_sent", "www.youtube.com")}
