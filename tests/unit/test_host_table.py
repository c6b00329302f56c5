"""Which service a host or an address belongs to."""

from __future__ import annotations

import tracemalloc

import pytest

from consent.catalogue.host_index import load_shared
from consent.core.declaration import HostUse, Service
from consent.core.host_table import ANY_USE, HostOwner, HostRow, HostTable, list_rows
from consent.core.loader import Address, Loader, read_address

ROWS = (
    HostRow("stats", "stats.example", HostUse.SCRIPT),
    HostRow("maps", "*.maps.example", HostUse.IMAGE),
    HostRow("tiles", "tile.maps.example", HostUse.IMAGE),
    HostRow("ads", "tag.example", HostUse.SCRIPT),
    HostRow("analytics", "tag.example", HostUse.SCRIPT),
)
KNOWN = (
    HostRow("pixel", "pixel.example", HostUse.IMAGE),
    HostRow("wide", "*.apis.example", HostUse.SCRIPT),
    HostRow("frames", "stats.example", HostUse.FRAME),
    HostRow("stats", "old.example", HostUse.SCRIPT),
)
LOADERS = (
    Loader("ads", "tag.example", "/js", (("id", "AW-[0-9]+"),)),
    Loader("analytics", "tag.example", "/js", (("id", "G-[A-Z]+"),)),
    Loader("other", "tag.example", "/other", ()),
    Loader("captcha", "cdn.jsdelivr.net", "/npm/captcha/[0-9.]+\\.js", ()),
)
TABLE = HostTable(
    ROWS,
    known=KNOWN,
    own_hosts=("own.maps.example", "*.cdn.example"),
    loaders=LOADERS,
    shared_hosts=("cdn.jsdelivr.net", "ajax.googleapis.com"),
)


@pytest.mark.parametrize(
    ("host", "use", "services", "is_declared"),
    [
        ("stats.example", HostUse.SCRIPT, ("stats",), True),
        ("a.maps.example", HostUse.IMAGE, ("maps",), True),
        ("tile.maps.example", HostUse.IMAGE, ("tiles",), True),
        ("tag.example", HostUse.SCRIPT, ("ads", "analytics"), True),
        ("pixel.example", HostUse.IMAGE, ("pixel",), False),
        # What another service is known to use it for comes before what a declared one uses it for.
        ("stats.example", HostUse.FRAME, ("frames",), False),
        # Nobody is known to use it for that, and yet it is the tracker's.
        ("stats.example", HostUse.MEDIA, ("stats",), True),
        ("stats.example", ANY_USE, ("stats",), True),
    ],
)
def test_host_belongs_to_the_closest_entry(host, use, services, is_declared):
    assert TABLE.find_owner(host, use) == HostOwner(services, is_declared)


@pytest.mark.parametrize(
    ("host", "use"),
    [
        ("example.org", HostUse.SCRIPT),
        ("maps.example", HostUse.IMAGE),
        ("own.maps.example", HostUse.IMAGE),
        ("a.cdn.example", HostUse.SCRIPT),
        # A known service's wide host would take along files that have nothing to do with it.
        ("files.apis.example", HostUse.SCRIPT),
        # Of a service that the site declares, its own declaration counts.
        ("old.example", HostUse.SCRIPT),
        ("a.maps.example", HostUse.MEDIA),
    ],
)
def test_host_of_nobody(host, use):
    assert TABLE.find_owner(host, use) is None


def test_host_counts_for_nothing_else_where_the_address_may_never_be_loaded():
    assert TABLE.find_owner("stats.example", HostUse.MEDIA, is_strict=True) is None
    assert TABLE.find_owner("stats.example", HostUse.SCRIPT, is_strict=True) == HostOwner(("stats",), is_declared=True)


@pytest.mark.parametrize("host", sorted(load_shared()))
def test_host_of_anybodys_files_belongs_to_nobody(host):
    rows = [HostRow("captcha", host, HostUse.SCRIPT), HostRow("maps", "*.googleapis.com", HostUse.SCRIPT)]

    assert HostTable(rows, shared_hosts=load_shared()).find_owner(host, HostUse.SCRIPT) is None
    assert HostTable(rows).find_owner(host, HostUse.SCRIPT)


class Name(str):
    """Note what is cut off a host's name to look it up."""

    __slots__ = ("cuts",)
    cuts: list[object]

    def __getitem__(self, key):
        self.cuts.append(key)
        return str.__getitem__(self, key)


LOOK_UPS = [
    TABLE.has_host,
    TABLE.is_own,
    TABLE.find_listed_name,
    lambda host: TABLE.find_owner(host, HostUse.SCRIPT),
    lambda host: TABLE.find_address_owner(Address(host), HostUse.SCRIPT),
]


@pytest.mark.parametrize("look_up", LOOK_UPS, ids=["has_host", "is_own", "listed_name", "owner", "address_owner"])
@pytest.mark.parametrize(("length", "count"), [(253, 2), (254, 0), (64_000, 0)])
def test_host_of_many_labels_is_looked_up_no_deeper_than_any_entry(look_up, length, count):
    host = Name(("a." * length)[-length:])
    host.cuts = []
    tracemalloc.start()
    try:
        look_up(host)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    # The widest entry is `*.maps.example`.
    assert len(host.cuts) == count
    assert peak < 10_000


def test_host_that_dns_cannot_hold_is_nobodys():
    longest = "a" * (253 - len(".maps.example")) + ".maps.example"

    assert TABLE.find_owner(longest, HostUse.IMAGE) == HostOwner(("maps",), is_declared=True)
    assert TABLE.find_owner(f"a{longest}", HostUse.IMAGE) is None
    assert not TABLE.has_host(f"a{longest}")


@pytest.mark.parametrize(
    ("url", "owner"),
    [
        ("https://tag.example/js?id=AW-12", HostOwner(("ads",), is_declared=True)),
        ("https://tag.example/js?l=x&id=G-AB", HostOwner(("analytics",), is_declared=True)),
        # A loader of neither for certain: of both.
        ("https://tag.example/js?id=GT-1", HostOwner(("ads", "analytics"), is_declared=True)),
        ("https://tag.example/js", HostOwner(("ads", "analytics"), is_declared=True)),
        ("https://tag.example/other", HostOwner(("other",), is_declared=False)),
        ("https://tag.example/anything", HostOwner(("ads", "analytics"), is_declared=True)),
        ("https://cdn.jsdelivr.net/npm/captcha/1.0.js", HostOwner(("captcha",), is_declared=False)),
        ("https://cdn.jsdelivr.net/npm/jquery/1.0.js", None),
        ("https://own.maps.example/js?id=AW-12", None),
    ],
)
def test_address_tells_services_of_one_host_apart(url, owner):
    assert TABLE.find_address_owner(read_address(url), HostUse.SCRIPT) == owner


def test_quick_test_knows_every_host_that_may_have_an_owner():
    hosts = ("stats.example", "a.maps.example", "pixel.example", "cdn.jsdelivr.net", "tag.example")

    assert [TABLE.has_host(host) for host in hosts] == [True] * 5
    assert not TABLE.has_host("example.org")


def test_hosts_that_are_only_linked_to_or_posted_to_are_nobodys():
    service = Service(
        "video",
        name="Video",
        purposes=("marketing",),
        hosts=("any.example",),
        hosts_by_use={"frame": ("player.example",), "page": ("www.example",), "form": ("post.example",)},
    )

    assert list_rows([service]) == (
        HostRow("video", "player.example", "frame"),
        HostRow("video", "any.example", ANY_USE),
    )
