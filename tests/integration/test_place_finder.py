"""Where a visitor is, as a database of addresses on the server says: real files, written for the test."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.test import create_environ, run_wsgi_app
from werkzeug.wrappers import Response

from consent.core.jurisdiction import Place
from consent.errors import ConfigError, MissingExtraError
from consent.web.geo import open_database
from consent.web.place import make_finder

FRANCE = {"country": {"iso_code": "FR", "names": {"en": "France"}}}
CALIFORNIA = {"country": {"iso_code": "US"}, "subdivisions": [{"iso_code": "CA"}, {"iso_code": "LA"}]}
REGISTERED_ONLY = {"registered_country": {"iso_code": "US"}}
CITIES = {
    "10.1.0.0/16": FRANCE,
    "192.0.2.0/24": FRANCE,
    "198.51.100.0/24": CALIFORNIA,
    "203.0.113.0/24": REGISTERED_ONLY,
    "2001:db8:1::/48": FRANCE,
    "2001:db8:2::/48": CALIFORNIA,
}
# fmt: off
NO_ADDRESSES = [
    "", " ", None, "localhost", "unix:", "192.0.2", "192.0.2.7:443", "192.0.2.07", "[2001:db8:1::7]", "192.0.2.7, 192.0.2.7",
    "%", "%eth0", "1" * 9999, ":" * 9999, "\xb9\xb2", "192.0.2.7\n", 3221225991,
]
# fmt: on
ADVICE = "Give the path of an unpacked country or city database in MMDB format, such as GeoLite2-Country.mmdb."


def make(path):
    finder = make_finder(database=path)
    assert finder
    return finder


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a database and returns its path."""

    def write_database(records, *, database_type="Test-City", ip_version=6):
        writer = MMDBWriter(ip_version, database_type, languages=["en"], ipv4_compatible=ip_version == 6)
        for network, record in records.items():
            writer.insert_network(IPSet([network]), record)
        path = tmp_path / "places.mmdb"
        writer.to_db_file(str(path))
        return path

    return write_database


@pytest.fixture
def find(write):
    finder = make(write(CITIES))
    return lambda address: finder.find({"REMOTE_ADDR": address})


def refuse(path):
    with pytest.raises(ConfigError) as caught:
        make_finder(database=path)
    return caught.value


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("192.0.2.7", Place("FR")),
        ("198.51.100.255", Place("US", "CA")),
        ("2001:db8:1::7", Place("FR")),
        ("2001:DB8:2:0:0::7", Place("US", "CA")),
        ("::ffff:198.51.100.1", Place("US", "CA")),
        ("::ffff:c000:207", Place("FR")),
        ("2001:db8:1::7%eth0", Place("FR")),
        ("10.1.2.3", Place("FR")),
    ],
)
def test_address_in_the_database_has_its_place(find, address, place):
    assert find(address) == place


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "2001:db8:3::1",
        "127.0.0.1",
        "::1",
        "::",
        "0.0.0.0",
        "10.0.0.1",
        "192.168.1.1",
        "fe80::1%eth0",
        "::ffff:0:0",
    ],
)
def test_address_that_is_nowhere_has_no_place(find, address, caplog):
    assert find(address) is None
    assert caplog.records == []


@pytest.mark.parametrize("address", NO_ADDRESSES)
def test_malformed_address_has_no_place(find, address, caplog):
    assert find(address) is None
    assert caplog.records == []


def test_request_without_an_address_has_no_place(write):
    assert make(write(CITIES)).find({}) is None


def test_country_of_registration_does_not_count(find):
    assert find("203.0.113.5") is None


@pytest.mark.parametrize(
    "record",
    [
        "US",
        ["US"],
        5,
        {"country": "US"},
        {"country": {"iso_code": 5}},
        {"country": {"iso_code": "USA"}},
        {"country": ["US"]},
        {},
    ],
)
def test_record_of_another_shape_has_no_place(write, record):
    finder = make(write({"192.0.2.0/24": FRANCE, "198.51.100.0/24": record}))

    assert finder.find({"REMOTE_ADDR": "198.51.100.1"}) is None


@pytest.mark.parametrize(
    "subdivisions", [[], ["CA"], {"iso_code": "CA"}, "CA", [{"names": {}}], [{"iso_code": "Calif"}], 5]
)
def test_subdivision_of_another_shape_is_not_known(write, subdivisions):
    finder = make(write({"198.51.100.0/24": CALIFORNIA | {"subdivisions": subdivisions}}))

    assert finder.find({"REMOTE_ADDR": "198.51.100.1"}) == Place("US")


@pytest.mark.parametrize("kind", [str, os.fspath, lambda path: path])
def test_database_of_countries_alone_is_enough(write, kind):
    finder = make(kind(write({"192.0.2.0/24": FRANCE}, database_type="Test-Country")))

    assert finder.find({"REMOTE_ADDR": "192.0.2.1"}) == Place("FR")
    assert finder.vary == ()


def test_database_without_ipv6_knows_mapped_addresses_alone(write, caplog):
    finder = make(write({"192.0.2.0/24": FRANCE}, ip_version=4))

    assert finder.find({"REMOTE_ADDR": "::ffff:192.0.2.1"}) == Place("FR")
    assert finder.find({"REMOTE_ADDR": "2001:db8:1::7"}) is None
    assert caplog.records == []


def test_database_without_ipv4_is_enough(write):
    finder = make(write({"2001:db8:1::/48": FRANCE}))

    assert finder.find({"REMOTE_ADDR": "2001:db8:1::7"}) == Place("FR")


def test_countries_are_found_behind_networks_without_one(write):
    records = {f"10.0.{number}.0/24": {"connection": number} for number in range(200)}

    assert make(write(records | {"192.0.2.0/24": FRANCE}))


@pytest.mark.parametrize(
    "records",
    [
        {"192.0.2.0/24": {"autonomous_system_number": 64496}},
        {"192.0.2.0/24": {"country": "FR"}},
        {"192.0.2.0/24": {"country_code": "FR"}},
        {"192.0.2.0/24": REGISTERED_ONLY},
    ],
    ids=["networks", "flat", "code", "registered"],
)
def test_database_without_countries_is_refused(write, records):
    path = write(records, database_type="GeoLite2-ASN")

    assert str(refuse(path)) == (
        f"'CONSENT_JURISDICTION_DATABASE' names {str(path)!r}, a database of type 'GeoLite2-ASN', which has no 'country' with an "
        f"'iso_code'. {ADVICE}"
    )


def test_missing_file_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    error = refuse("none.mmdb")

    assert str(error) == (
        f"'CONSENT_JURISDICTION_DATABASE' names {str(tmp_path / 'none.mmdb')!r}, which cannot be read: No such file. {ADVICE}"
    )
    assert (error.key, error.value) == ("CONSENT_JURISDICTION_DATABASE", str(tmp_path / "none.mmdb"))


def test_folder_and_pipe_are_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")

    assert "which cannot be read: No such file." in str(refuse(tmp_path))
    assert "which cannot be read: No such file." in str(refuse(tmp_path / "pipe"))


def test_file_that_cannot_be_read_is_refused_with_the_reason():
    assert "which cannot be read: File name too long." in str(refuse("x" * 300))


@pytest.mark.parametrize(
    "content", [b"", b"\x1f\x8b packed", b"<!doctype html>", b"\0" * 4096, b"\xab\xcd\xefMaxMind.com"]
)
def test_file_that_is_no_database_is_refused(tmp_path, content):
    path = tmp_path / "other.mmdb"
    path.write_bytes(content)

    assert str(refuse(path)) == (
        f"'CONSENT_JURISDICTION_DATABASE' names {str(path)!r}, which is no MMDB database, or a damaged or packed one. {ADVICE}"
    )


def test_truncated_database_is_refused_wherever_it_ends(write):
    path = write(CITIES)
    whole = path.read_bytes()
    for size in range(0, len(whole) - 1, 61):
        path.write_bytes(whole[:size])

        assert "which is no MMDB database" in str(refuse(path)), size


@pytest.mark.parametrize("value", ["", " ", 5, True, b"places.mmdb", ["places.mmdb"]])
def test_path_that_is_none_is_refused(value):
    assert str(refuse(value)) == (
        f"'CONSENT_JURISDICTION_DATABASE' must be the path of a country or city database in MMDB format, got {value!r}."
    )


def test_missing_reader_is_named_with_its_extra(write, monkeypatch):
    monkeypatch.setitem(sys.modules, "maxminddb", None)
    with pytest.raises(MissingExtraError) as caught:
        make_finder(database=write(CITIES))

    assert str(caught.value) == (
        "'CONSENT_JURISDICTION_DATABASE' needs maxminddb, which is not installed. "
        "Run: pip install 'flask-cookie-consent[geo]'"
    )
    assert (caught.value.package, caught.value.extra) == ("maxminddb", "geo")


def test_fault_of_a_look_up_is_logged_once_without_the_address(write, caplog):
    finder = open_database(write(CITIES))
    finder.reader.close()

    assert [finder.find({"REMOTE_ADDR": "192.0.2.7"}) for _ in range(3)] == [None] * 3
    (record,) = caplog.records
    assert record.getMessage() == (
        "The visitor's place could not be looked up (ValueError): it counts as unknown. Is the database of "
        "'CONSENT_JURISDICTION_DATABASE' damaged, or was it written over while the app ran? This is logged once."
    )
    assert "192.0.2" not in caplog.text


def test_damaged_data_gives_no_place_and_no_error(write):
    path = write({"10.1.0.0/16": FRANCE} | {f"192.0.2.{number}/32": {**FRANCE, "n": number} for number in range(64)})
    whole = bytearray(path.read_bytes())
    # The country of the first network, which the start looks at, is left whole; all behind it is not.
    at = whole.index(b"FR") + 40
    end = whole.index(b"\xab\xcd\xefMaxMind.com")
    whole[at:end] = b"\xff" * (end - at)
    path.write_bytes(whole)
    finder = make(path)

    assert {finder.find({"REMOTE_ADDR": f"192.0.2.{number}"}) for number in range(64)} <= {None, Place("FR")}


def test_file_replaced_while_in_use_keeps_its_answers(write):
    path = write(CITIES)
    finder = make(path)
    path.unlink()
    write({"192.0.2.0/24": CALIFORNIA})

    assert finder.find({"REMOTE_ADDR": "192.0.2.7"}) == Place("FR")


def test_many_threads_share_one_database(find):
    with ThreadPoolExecutor(8) as pool:
        places = list(pool.map(find, ["192.0.2.7", "198.51.100.1", "8.8.8.8"] * 500))

    assert places == [Place("FR"), Place("US", "CA"), None] * 500


def test_forked_process_uses_the_database_of_its_parent(find):
    child = os.fork()
    if child == 0:
        os._exit(0 if find("198.51.100.1") == Place("US", "CA") else 1)

    assert os.waitpid(child, 0)[1] == 0
    assert find("192.0.2.7") == Place("FR")


@pytest.mark.parametrize(("trusted", "place"), [(0, Place("FR")), (1, Place("US", "CA"))])
def test_forwarded_address_counts_only_through_proxyfix(write, trusted, place):
    finder = make(write(CITIES))
    found = []

    def application(environ, start_response):
        found.append(finder.find(environ))
        return Response()(environ, start_response)

    environ = {"REMOTE_ADDR": "192.0.2.7", "HTTP_X_FORWARDED_FOR": "203.0.113.5, 198.51.100.1"}
    run_wsgi_app(ProxyFix(application, x_for=trusted), create_environ() | environ)

    assert found == [place]
