"""Where a visitor is, as a CDN's headers or the site's own function say."""

from __future__ import annotations

import functools
import logging

import pytest

from consent.core.jurisdiction import Place
from consent.errors import ConfigError
from consent.web.place import make_finder

CLOUDFLARE = ["CF-IPCountry", "CF-Region-Code"]
# fmt: off
WRITTEN_BY_VISITORS = [
    "X-Forwarded-For", "x-forwarded-host", "Forwarded", "Accept-Language", "Cookie", "Host", "Origin", "Referer", "Sec-GPC",
    "User-Agent", "X-Real-IP", "CF-Connecting-IP", "True-Client-IP", "Authorization", "Content-Language",
]
# fmt: on


def make(**settings):
    finder = make_finder(**settings)
    assert finder
    return finder


def read_headers(country, region=None, headers=CLOUDFLARE):
    finder = make(headers=headers)
    fields = {"HTTP_CF_IPCOUNTRY": country, "HTTP_CF_REGION_CODE": region}
    return finder.find({name: value for name, value in fields.items() if value is not None})


def ask(answer):
    return make(jurisdiction=lambda: answer).find({})


def fail():
    raise KeyError("of the site")


def refuse(**settings):
    with pytest.raises(ConfigError) as caught:
        make_finder(**settings)
    return caught.value


@pytest.mark.parametrize("nothing", [{}, {"headers": ()}, {"headers": []}, {"database": None}])
def test_no_way_to_find_the_place_gives_no_finder(nothing):
    assert make_finder(**nothing) is None


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"jurisdiction": str, "headers": CLOUDFLARE}, "'jurisdiction', 'CONSENT_JURISDICTION_HEADERS'"),
        ({"jurisdiction": str, "database": "x.mmdb"}, "'jurisdiction', 'CONSENT_JURISDICTION_DATABASE'"),
        (
            {"headers": CLOUDFLARE, "database": "x.mmdb"},
            "'CONSENT_JURISDICTION_HEADERS', 'CONSENT_JURISDICTION_DATABASE'",
        ),
    ],
)
def test_two_ways_to_find_the_place_are_refused(settings, named):
    assert str(refuse(**settings)) == f"More than one setting says where visitors are: {named}. Keep one of them."


@pytest.mark.parametrize(
    ("country", "region", "place"),
    [
        ("FR", None, Place("FR")),
        ("fr", "", Place("FR")),
        ("US", "CA", Place("US", "CA")),
        ("us", "ca", Place("US", "CA")),
        ("US", "US-CA", Place("US", "CA")),
        ("US-CA", None, Place("US", "CA")),
        ("US-CA", "CA", Place("US", "CA")),
        (" US\t", " CA ", Place("US", "CA")),
        ("JP", "13", Place("JP", "13")),
        ("US", "California", Place("US")),
        ("US", "?", Place("US")),
        ("CA", "US-CA", Place("CA")),
    ],
)
def test_headers_say_the_place(country, region, place):
    assert read_headers(country, region) == place


@pytest.mark.parametrize(
    "country", [None, "", ",", "XX", "T1", "ZZ", "FRA", "F", "France", "F\x00", "F\xc9", "\xdf", "1.2.3.4"]
)
def test_country_that_is_not_known_gives_no_place(country):
    assert read_headers(country, "CA") is None


@pytest.mark.parametrize(
    ("country", "region"), [("FR,FR", None), ("fr, FR", None), ("US, US", "CA"), ("US", "CA,ca"), ("US", "CA , CA")]
)
def test_header_that_says_the_same_twice_counts(country, region):
    assert str(read_headers(country, region)) in {"FR", "US-CA"}


@pytest.mark.parametrize(
    ("country", "region"),
    [("FR, US", None), ("US,", None), (",US", None), ("US", "CA, TX"), ("US", "CA,"), ("US-CA", "TX"), ("US", "C\xc1")],
)
def test_headers_that_contradict_each_other_give_no_place(country, region):
    assert read_headers(country, region) is None


def test_header_that_is_not_configured_is_not_believed():
    assert read_headers("US", "CA", headers=["X-Vercel-IP-Country"]) is None
    assert read_headers("US", "CA", headers=["CF-IPCountry"]) == Place("US")


@pytest.mark.parametrize("headers", [CLOUDFLARE, tuple(CLOUDFLARE), ["X-AppEngine-Country"]])
def test_answer_depends_on_the_configured_headers(headers):
    assert make(headers=headers).vary == tuple(headers)


@pytest.mark.parametrize("headers", ["CF-IPCountry", "", b"CF-Region-Code", {"CF-IPCountry"}, ["A", "B", "C"], 1, True])
def test_headers_that_are_no_list_of_one_or_two_are_refused(headers):
    error = refuse(headers=headers)

    assert str(error) == (
        "'CONSENT_JURISDICTION_HEADERS' must be a list of one or two request header names, the country's first, such as "
        f"['CF-IPCountry', 'CF-Region-Code'], got {headers!r}."
    )
    assert (error.key, error.value) == ("CONSENT_JURISDICTION_HEADERS", headers)


@pytest.mark.parametrize(
    "name", ["", "CF IPCountry", "CF-IPCountry:", "HTTP_CF_IPCOUNTRY", "Länder", "a\r\nb", "a\n", None, 5]
)
def test_malformed_header_name_is_refused(name):
    assert str(refuse(headers=["CF-IPCountry", name])) == (
        f"'CONSENT_JURISDICTION_HEADERS' names {name!r}, which is no header name that can be used here. "
        "Use letters, digits and hyphens, as in 'CF-IPCountry'."
    )


@pytest.mark.parametrize("name", WRITTEN_BY_VISITORS)
def test_header_that_visitors_write_is_refused(name):
    assert str(refuse(headers=[name])) == (
        f"'CONSENT_JURISDICTION_HEADERS' names {name!r}, which visitors can write: each could choose the law that holds for "
        "them. Name a header that your CDN writes on every request, such as 'CF-IPCountry'."
    )


def test_one_header_for_both_is_refused():
    assert str(refuse(headers=["CF-IPCountry", "cf-ipcountry"])) == (
        "'CONSENT_JURISDICTION_HEADERS' names 'CF-IPCountry', twice. Leave one of them out, or name the region's header second."
    )


@pytest.mark.parametrize(
    ("answer", "place"),
    [
        ("FR", Place("FR")),
        ("us-ca", Place("US", "CA")),
        (Place("US", "TX"), Place("US", "TX")),
        (("US", "CA"), Place("US", "CA")),
        (["us", None], Place("US")),
        ((None, "CA"), None),
        (("", ""), None),
        ("", None),
        ("XX", None),
        (None, None),
    ],
)
def test_function_of_the_site_says_the_place(answer, place, caplog):
    assert ask(answer) == place
    assert caplog.records == []


@pytest.mark.parametrize(
    "answer",
    [
        0,
        True,
        b"FR",
        {"country": "FR"},
        ("US",),
        ("US", "CA", "x"),
        ("US", 5),
        object(),
        "France",
        "192.0.2.7",
        ("Texas", "TX"),
    ],
)
def test_answer_that_is_no_place_is_unknown_and_logged_without_its_value(answer, caplog):
    assert ask(answer) is None
    assert caplog.records[0].getMessage() == (
        "The function given as 'jurisdiction' did not say where the visitor is: it counts as unknown. This is logged once."
    )
    assert "192.0.2.7" not in caplog.text


def test_function_that_raises_is_logged_once(caplog):
    finder = make(jurisdiction=fail)

    assert [finder.find({}), finder.find({})] == [None, None]
    assert [(record.levelno, record.exc_info[0]) for record in caplog.records] == [(logging.ERROR, KeyError)]


def test_function_of_the_site_is_asked_each_time():
    places = iter(["FR", "DE"])
    finder = make(jurisdiction=lambda: next(places))

    assert [finder.find({}), finder.find({})] == [Place("FR"), Place("DE")]
    assert finder.vary == ()


async def find_later():
    return "FR"


async def generate_later():
    yield "FR"


class LaterFinder:
    async def __call__(self):
        return "FR"


@pytest.mark.parametrize("function", [find_later, generate_later, LaterFinder(), functools.partial(find_later)])
def test_async_function_is_refused(function):
    assert str(refuse(jurisdiction=function)) == (
        "'jurisdiction' must be a plain function, not an 'async' one: it is asked in the middle of a request, got "
        f"{function!r}."
    )


@pytest.mark.parametrize("value", ["FR", 5, ["FR"], {}, False])
def test_jurisdiction_that_is_no_function_is_refused(value):
    assert str(refuse(jurisdiction=value)) == (
        f"'jurisdiction' must be a function without arguments that returns where the visitor is, got {value!r}."
    )


def test_function_that_wants_an_argument_is_refused():
    assert str(refuse(jurisdiction=str.upper)) == (
        f"'jurisdiction' must be a function that can be called without arguments, got {str.upper!r}."
    )


def test_function_written_in_c_that_does_not_say_what_it_takes_is_asked(caplog):
    finder = make(jurisdiction=max)

    assert finder.find({}) is None
    assert len(caplog.records) == 1
