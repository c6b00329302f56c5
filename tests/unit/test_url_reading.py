"""URLs as browsers read them."""

from __future__ import annotations

import pytest

from consent.core.loader import Address
from consent.wire.url_reading import (
    find_urls_in_script,
    find_urls_in_srcset,
    find_urls_in_style,
    read_data_url,
    read_refresh,
    read_url,
)


@pytest.mark.parametrize(
    "url",
    [
        "https://t.example/a",
        "//t.example/a",
        "HTTPS://T.EXAMPLE/a",
        "https:t.example/a",
        "https:///t.example/a",
        "https:\\\\t.example\\a",
        "\\/t.example/a",
        " \x00\x1f//t.example/a\x0b ",
        "ht\ntps:/\t/t.exa\rmple/a",
        "https://user:pa@ss@t.example/a",
        "https://t.example:8443/a",
        "https://t.example./a",
        "https://%74.exampl%65/a",
        "https://t\uff0eexample/a",
        "https://t\u3002example/a",
        "https://\uff54.ex\u00adample/a",
        "wss://t.example/a",
        "https://t.example/b/../a",
        "https://t.example/./%61",
    ],
)
def test_host_is_read_however_it_is_written(url):
    assert read_url(url) == Address("t.example", "/a")


@pytest.mark.parametrize(
    "url",
    ["", "/a", "a//t.example", "?//t.example", "#//t.example", "data:,//t.example", "javascript:alert(1)", "https://", "//",
     "mailto:a@t.example", "about:blank", "blob:https://t.example/x", "//" + "a" * 2000, "//" + "a" * 254],
)  # fmt: skip
def test_url_that_names_no_host(url):
    assert read_url(url) is None


def test_host_of_the_greatest_length_is_read():
    assert read_url("//" + "a" * 253) == Address("a" * 253, "/")


def test_query_is_read_with_its_references():
    address = read_url("//t.example?id=G-1&u=https%3A%2F%2Fa&x")

    assert address is not None
    assert address.query == (("id", "G-1"), ("u", "https://a"), ("x", ""))


def test_query_of_too_many_fields_counts_as_none():
    assert read_url("//t.example?" + "a=1&" * 1000) == Address("t.example", "/")


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("data:text/html,%3Cimg src=//t.example%3E", "<img src=//t.example>"),
        ("DATA:text/html;base64,PGI+", "<b>"),
        ("data:;base64,%50GI+", "<b>"),
        ("data:;base64,\x80", ""),
        ("da\tta:text/html,\n<b>", "<b>"),
        ("data:;base64,PG\r\nI+", "<b>"),
        ("data:", ""),
        ("https://t.example", ""),
    ],
)
def test_text_of_a_data_url(url, text):
    assert read_data_url(url) == text


@pytest.mark.parametrize(
    "text",
    [
        "load('https://t.example/a')",
        "load('//t.example/a')",
        '{"src":"https:\\/\\/t.example\\/a"}',
        "location.protocol + '//t.example/a'",
        "import x from `https://t.example/a`",
    ],
)
def test_urls_in_a_script(text):
    assert [read_url(url) for url in find_urls_in_script(text)] == [Address("t.example", "/a")]


def test_comment_in_a_script_is_no_url():
    assert [read_url(url) for url in find_urls_in_script("a(); // see b\n//c")] == [Address("c", "/")]


@pytest.mark.parametrize(
    "text",
    [
        "a{background:url(//t.example/a)}",
        "a{background:url( '//t.example/a' )}",
        'a{background:URL("//t.example/a")}',
        "@import '//t.example/a';",
        "@import/**/url(//t.example/a)",
        "a{background:u\\72l(//t.example/a)}",
        "a{background:url(\\2f\\2f t.example/a)}",
        "a{background:image-set('//t.example/a' 1x)}",
    ],
)
def test_urls_in_a_style(text):
    assert Address("t.example", "/a") in [read_url(url) for url in find_urls_in_style(text)]


@pytest.mark.parametrize("text", ["\\110000 \\0 \\d800 url(\\", "url(", "'", "url('"])
def test_style_that_is_malformed_names_no_host(text):
    assert [read_url(url) for url in find_urls_in_style(text)] in ([], [None])


@pytest.mark.parametrize(
    "text", ["//t.example/a 1x, /b 2x", "/b, //t.example/a", "/b 1x,//t.example/a 2x", "/b,//t.example/a"]
)
def test_urls_in_a_srcset(text):
    assert Address("t.example", "/a") in [read_url(url) for url in find_urls_in_srcset(text)]


@pytest.mark.parametrize(
    "text",
    [
        "0;url=//t.example/a",
        "0; URL = //t.example/a",
        " 5.5 , url\t=\n'//t.example/a'; more",
        '0;"//t.example/a" more',
        "0; //t.example/a",
        # A space alone does: `0 url=…`.
        "0 url=//t.example/a",
        "0 //t.example/a",
        ".;uRl=//t.example/a",
    ],
)
def test_refresh_leads_where_browsers_say(text):
    assert read_refresh(text) == "//t.example/a"


@pytest.mark.parametrize("text", ["", "5", "5;", "5; ", "0;url=", "0;url=''", ";", "\x00"])
def test_refresh_of_the_page_itself_leads_nowhere(text):
    assert read_refresh(text) == ""


@pytest.mark.parametrize("text", ["0;url", "0; urls=//t.example", "0;;//t.example", "0; url=a, 0; url=//t.example"])
def test_refresh_to_an_address_of_the_site_names_no_host(text):
    assert read_url(read_refresh(text)) is None
