"""Minimised forms: what is left of an address and of a browser's name, and that nothing else is."""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.web.minimised import minimise_network, read_browser

MOZILLA = "Mozilla/5.0 (X11; Linux x86_64)"
WEBKIT = f"{MOZILLA} AppleWebKit/537.36 (KHTML, like Gecko)"
HOSTILE = [
    '"><script>alert(1)</script>',
    "'; DROP TABLE consent_events; --",
    "Firefox\r\nSet-Cookie: a=b",
    "\x00\x1b[31m",
    "\xff\xfe\udcff",
    "=HYPERLINK(1)",
]


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("2002:cb00:714d:1::1", "203.0.113.0/24"),
        ("fe80::1%eth0", "fe80::/48"),
    ],
)
def test_address_loses_the_part_that_names_a_machine(address, network):
    assert minimise_network(address) == network


@pytest.mark.parametrize(
    "address",
    [
        None,
        "",
        "unknown",
        "203.0.113",
        "203.0.113.77:80",
        "203.0.113.77, 10.0.0.1",
        "٢٠٣.0.113.77",
        *HOSTILE,
        "1" * 65536,
    ],
)
def test_no_address_gives_no_network(address):
    assert minimise_network(address) == ""


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str))
def test_network_of_any_address_has_many(address):
    network = ip_network(minimise_network(address))

    assert network.num_addresses >= 256
    assert ip_address(minimise_network(address).partition("/")[0]) == network.network_address


@pytest.mark.parametrize(
    ("user_agent", "browser"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0", "Firefox 153"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 26_1) AppleWebKit/605.1.15 FxiOS/153.1 Mobile/15E148 Safari/605.1",
            "Firefox 153",
        ),
        (f"{WEBKIT} Chrome/147.0.7900.12 Safari/537.36", "Chrome 147"),
        (f"{WEBKIT} Chrome/147.0.0.0 Safari/537.36 Edg/147.0.3200.1", "Edge 147"),
        (f"{WEBKIT} Chrome/147.0.0.0 Safari/537.36 OPR/131.0.0.0", "Opera 131"),
        (f"{WEBKIT} SamsungBrowser/29.0 Chrome/136.0.0.0 Mobile Safari/537.36", "Samsung Internet 29"),
        (f"{MOZILLA} AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605.1.15", "Safari 26"),
        (f"{WEBKIT} Version/4.0 Chrome/147.0.0.0 Mobile Safari/537.36", "Chrome 147"),
        (f"{WEBKIT} Version/26.1 Mobile/15E148 DuckDuckGo/7 Safari/605.1.15", "DuckDuckGo 7"),
        ("Firefox/20251123", "Firefox"),
        ("Firefox/١٥٣", "Firefox"),
        ("Firefox/", "Firefox"),
        ("Firefox/007", "Firefox 7"),
        (f"{WEBKIT} HeadlessChrome/147.0.0.0 Safari/537.36", "other"),
        ("curl/8.5.0", "other"),
        ("", "other"),
        (None, "other"),
    ],
)
def test_browser_is_told_by_family_and_major_version(user_agent, browser):
    assert read_browser(user_agent) == browser


@given(st.one_of(st.text(), st.sampled_from(HOSTILE).map(lambda text: f"Firefox/{text} {text}/153 Chrome/{text}")))
def test_nothing_of_a_hostile_client_is_kept_but_a_number(user_agent):
    families = "Firefox|Chrome|Edge|Opera|Safari|Samsung Internet|Yandex|Vivaldi|DuckDuckGo"

    assert re.fullmatch(rf"other|(?:{families})(?: [0-9]{{1,3}})?", read_browser(user_agent))


def test_only_the_beginning_of_a_name_is_read():
    assert read_browser("x " * 32768 + "Firefox/153.0") == "other"
