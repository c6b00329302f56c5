"""Where a visitor is, under any text that a server may pass on: a place or none, never an error."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from consent.core.jurisdiction import Place
from consent.web.place import make_finder

often = settings(max_examples=400, deadline=None)

# WSGI gives header bytes as Latin-1.
fields = st.binary(max_size=40).map(lambda value: value.decode("latin-1")) | st.text(
    st.sampled_from(list("USCAfrx19-, \t\x00\xdf\xff")), max_size=8
)
addresses = (
    fields
    | st.ip_addresses().map(str)
    | st.text(st.sampled_from(list("0123456789abcdef.:%[]/ ")), max_size=45)
    | st.sampled_from(["192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1%", "::192.0.2.1"])
)
environs = st.fixed_dictionaries(
    {}, optional={"HTTP_CF_IPCOUNTRY": fields, "HTTP_CF_REGION_CODE": fields, "REMOTE_ADDR": addresses}
)
answers = st.recursive(
    st.none() | st.booleans() | st.integers() | st.binary(max_size=5) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


def make(**settings):
    finder = make_finder(**settings)
    assert finder
    return finder


@pytest.fixture(scope="module")
def database_finder(tmp_path_factory):
    writer = MMDBWriter(6, "Test-Country", languages=["en"], ipv4_compatible=True)
    writer.insert_network(IPSet(["192.0.2.0/24"]), {"country": {"iso_code": "FR"}})
    path = tmp_path_factory.mktemp("geo") / "places.mmdb"
    writer.to_db_file(str(path))
    return make(database=path)


@often
@given(environ=environs)
@example(environ={"HTTP_CF_IPCOUNTRY": "\xdf"})
def test_any_header_gives_a_place_or_none(environ):
    place = make(headers=["CF-IPCountry", "CF-Region-Code"]).find(environ)

    assert place is None or (isinstance(place, Place) and place.country in environ["HTTP_CF_IPCOUNTRY"].upper())


@often
@given(first=fields, second=fields)
def test_a_second_header_never_changes_the_country(first, second):
    finder = make(headers=["CF-IPCountry"])
    alone, joined = (finder.find({"HTTP_CF_IPCOUNTRY": value}) for value in (first, f"{first},{second}"))

    assert joined in (None, alone)


@often
@given(environ=environs)
def test_any_address_gives_a_place_or_none(database_finder, environ):
    assert database_finder.find(environ) in (None, Place("FR"))


@often
@given(answer=answers)
def test_any_answer_of_the_site_gives_a_place_or_none(answer):
    place = make(jurisdiction=lambda: answer).find({})

    assert place is None or isinstance(place, Place)
