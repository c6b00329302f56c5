"""The policy of a page: which hosts it names, and how those of the app's own policy are read."""

from __future__ import annotations

import pytest

from consent.core.content_security_policy import overlap, read_sources, write_policy
from consent.core.declaration import Service

SELF = "'self' data: blob:"


def make(key, **hosts):
    hosts = {use: tuple(names.split()) for use, names in hosts.items()}
    return Service(key, name=key, purposes=("analytics",), hosts=hosts.pop("any", ()), hosts_by_use=hosts)


def write(opened=(), shut=(), *, app="", **options):
    """Return the directives of a policy."""
    text = write_policy(opened, shut, app_sources=read_sources(app), **{"own_hosts": (), "report_uri": "/r"} | options)
    return dict(part.split(" ", 1) for part in text.split("; "))


def test_policy_of_a_site_without_services_allows_its_own_host():
    assert write() == {
        "default-src": SELF,
        "script-src": f"{SELF} 'unsafe-inline' 'unsafe-eval'",
        "style-src": f"{SELF} 'unsafe-inline'",
        "report-uri": "/r",
    }


def test_hosts_are_allowed_for_what_they_serve():
    service = make("s", script="js.example", style="css.example", image="*.px.example", frame="f.example")

    policy = write([service])

    assert policy["script-src"].endswith(" js.example:*")
    assert policy["style-src"].endswith(" css.example:*")
    assert policy["img-src"] == f"{SELF} *.px.example:*"
    assert policy["frame-src"] == f"{SELF} f.example:*"
    assert policy["default-src"] == SELF
    assert "font-src" not in policy


def test_websockets_are_allowed_where_scripts_connect():
    assert write([make("s", connect="c.example")])["connect-src"] == f"{SELF} c.example:* ws://c.example:*"


def test_host_without_a_use_is_allowed_for_all():
    policy = write([make("s", any="a.example")])

    names = {"default-src", "script-src", "style-src", "connect-src"}
    assert all("a.example:*" in policy[name] for name in names)
    assert policy.keys() == names | {"report-uri"}


def test_host_that_is_only_linked_to_is_not_allowed():
    assert "example" not in str(write([make("s", page="p.example", form="f.example")]))


def test_host_of_a_shut_service_is_not_allowed():
    assert "example" not in str(write([], [make("s", script="js.example")]))


def test_host_that_an_open_service_shares_is_allowed():
    """Nobody can tell for which of them it is asked."""
    policy = write([make("a", script="js.example")], [make("b", script="js.example")])

    assert "js.example:*" in policy["script-src"]


def test_own_hosts_are_allowed_for_all():
    policy = write(own_hosts=("cdn.example", "*.img.example"))

    assert policy["default-src"] == f"{SELF} cdn.example:* *.img.example:*"
    assert policy["script-src"].endswith(" cdn.example:* *.img.example:*")


@pytest.mark.parametrize(
    ("header", "directive", "found"),
    [
        ("img-src a.example", "img-src", ("a.example",)),
        ("default-src a.example", "img-src", ("a.example",)),
        ("default-src a.example; img-src b.example", "img-src", ("b.example",)),
        ("child-src a.example; default-src b.example", "frame-src", ("a.example",)),
        ("script-src a.example", "worker-src", ("a.example",)),
        ("script-src-elem a.example; script-src b.example", "script-src", ("b.example", "a.example")),
        ("img-src a.example; img-src b.example", "img-src", ("a.example",)),
        ("IMG-SRC\tA.example", "img-src", ("A.example",)),
        ("img-src a.example,img-src b.example", "img-src", ("a.example", "b.example")),
        (
            "img-src https://a.example:8443/x/ wss://b.example *.c.example:*",
            "img-src",
            ("https://a.example:8443/x/", "wss://b.example", "*.c.example:*"),
        ),
        ("img-src 'self' 'nonce-abc' 'strict-dynamic' 'none' data: blob:", "img-src", ()),
        ("img-src * https: http://* https://*:443 *:8080", "img-src", ()),
        ("img-src ftp://a.example javascript://a.example", "img-src", ()),
        ("img-src http://[::1] a..example <script> a.example%2f", "img-src", ()),
        ("img-src b\xe4.example; font-src a.example", "font-src", ("a.example",)),
        ("img-src", "img-src", ()),
        (";;, ;img-src a.example;;", "img-src", ("a.example",)),
        ("\0", "img-src", ()),
    ],
)
def test_sources_of_the_app_are_read_as_browsers_read_them(header, directive, found):
    assert read_sources(header)[directive] == found


def test_huge_policy_is_read():
    names = tuple(f"h{number}.example" for number in range(5000))

    assert read_sources("img-src " + " ".join(names) + ";" * 100_000)["img-src"] == names


def test_sources_of_the_app_are_taken_over():
    policy = write(app="default-src 'none'; img-src 'self' https://cdn.example/img/; script-src 'nonce-x' js.example")

    assert policy["img-src"] == f"{SELF} https://cdn.example/img/"
    assert policy["script-src"].endswith(" 'unsafe-eval' js.example")
    assert policy["default-src"] == SELF


@pytest.mark.parametrize(
    "source",
    ["t.example", "https://t.example/x", "T.EXAMPLE:443", "*.example", "*.t.example", "a.w.example", "*.a.w.example"],
)
def test_source_that_means_a_host_of_a_shut_service_is_not_taken_over(source):
    shut = make("s", script="t.example u.t.example *.w.example")

    assert source not in write([], [shut], app=f"img-src {source}").get("img-src", "")
    assert source in write([shut], [], app=f"img-src {source}")["img-src"]


def test_source_that_only_looks_like_a_host_of_a_shut_service_is_taken_over():
    shut = make("s", script="t.example *.w.example")

    assert write([], [shut], app="img-src nott.example w.example")["img-src"] == f"{SELF} nott.example w.example"


def test_library_host_that_everybody_shares_is_taken_over():
    shut = make("s", script="cdn.jsdelivr.net *.googleapis.com")

    policy = write(
        [],
        [shut],
        app="script-src cdn.jsdelivr.net ajax.googleapis.com fonts.googleapis.com",
        shared_hosts={"cdn.jsdelivr.net", "ajax.googleapis.com"},
    )

    assert policy["script-src"].endswith(" 'unsafe-eval' cdn.jsdelivr.net ajax.googleapis.com")


def test_path_of_the_site_ends_no_directive():
    text = write_policy([], [], own_hosts=(), app_sources={}, report_uri="/a;script-src *,default-src b/r")

    assert text.endswith("; report-uri /a%3Bscript-src *%2Cdefault-src b/r")


@pytest.mark.parametrize(
    ("one", "other", "is_common"),
    [
        ("a.example", "a.example", True),
        ("a.example", "b.example", False),
        ("*.example", "a.example", True),
        ("a.example", "*.example", True),
        ("*.a.example", "*.example", True),
        ("*.example", "*.a.example", True),
        ("*.a.example", "*.b.example", False),
        ("*.a.example", "a.example", False),
        ("xa.example", "*.a.example", False),
    ],
)
def test_patterns_overlap_where_a_host_is_meant_by_both(one, other, is_common):
    assert overlap(one, other) is is_common
