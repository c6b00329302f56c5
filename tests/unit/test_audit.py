"""Lines of any log are read back into leaks, and nothing that somebody made up comes in their place."""

from __future__ import annotations

import json

import pytest

from consent.core.audit import Audit, Position, count_kinds
from consent.core.leak import Leak, LeakKind
from consent.wire.leak_line import encode_leak, find_leak, read_leak

LEAK = Leak(
    kind=LeakKind.COOKIE_SUPPRESSED,
    subject="_ga",
    services=("google-analytics",),
    purposes=("analytics",),
    page="/articles/<slug>",
    endpoint="articles.show",
)
LINE = f"The cookie '_ga' of 'google-analytics' was not sent: it is not granted. consent-audit {encode_leak(LEAK)}"
HERE = Position("app.log", 1)


@pytest.mark.parametrize(
    "line",
    [
        LINE,
        f"{LINE}\n",
        f"[2026-11-23 10:00:00] WARNING in leak_log: {LINE} [in leak_log.py:53]",
        json.dumps({"level": "WARNING", "message": LINE}),
        json.dumps({"log": json.dumps({"message": LINE}) + "\n", "stream": "stderr"}),
        json.dumps({"event": {"original": LINE}}),
        f"Nov 23 10:00:00 web1 app[7]: {json.dumps({'message': LINE})}",
    ],
    ids=["plain", "newline", "around", "json", "json in json", "member of member", "syslog"],
)
def test_leak_is_found_in_a_line(line):
    assert find_leak(line) == LEAK


@pytest.mark.parametrize("kind", LeakKind)
def test_every_kind_comes_back_as_it_was_written(kind):
    leak = Leak(kind=kind, subject="x.example", element="iframe")

    assert find_leak(f"consent-audit {encode_leak(leak)}") == leak


def test_name_that_quotes_a_line_does_not_pass_for_it():
    """What stands in front of the JSON quotes the name, and what is within has its quotes escaped."""
    forged = Leak(kind=LeakKind.HOST_BLOCKED, subject="forged.example")
    leak = Leak(kind=LeakKind.COOKIE_UNDECLARED, subject=f"x consent-audit {encode_leak(forged)}")

    assert find_leak(f"The cookie {leak.subject!r} was sent. consent-audit {encode_leak(leak)}") == leak


VALUES = json.loads(encode_leak(LEAK))


@pytest.mark.parametrize(
    "values",
    [
        None,
        [],
        7,
        {},
        VALUES | {"kind": "cookie"},
        VALUES | {"kind": []},
        VALUES | {"subject": ""},
        VALUES | {"subject": 7},
        VALUES | {"subject": "\ud800"},
        VALUES | {"subject": "x" * 5000},
        VALUES | {"services": "google-analytics"},
        VALUES | {"services": [7]},
        VALUES | {"purposes": ["x"] * 65},
        VALUES | {"page": None},
    ],
    ids=range(14),
)
def test_values_that_nobody_wrote_are_no_leak(values):
    assert read_leak(values) is None


@pytest.mark.parametrize(
    "line",
    [
        "",
        "consent-audit ",
        "consent-audit {",
        "consent-audit {}",
        "consent-audit []",
        "consent-audit\t{}",
        f"consent-audit  {encode_leak(LEAK)}",
        "consent-audit " + "[" * 100_000,
        "consent-audit " + '{"a":' * 100_000,
        "consent-audit {" * 10_000,
        '{"message": "consent-audit {"}',
        '{"a":' * 50_000 + '"consent-audit {}"',
        f'consent-audit {{"kind": {"9" * 10_000}}}',
    ],
    ids=range(13),
)
def test_malformed_line_is_no_leak_and_never_raises(line):
    assert find_leak(line) is None


def test_members_that_a_later_version_adds_are_passed_over():
    assert read_leak(VALUES | {"since": "2027"}) == LEAK


def test_same_leak_is_one_entry_with_its_places():
    audit = Audit()
    for number in (3, 5, 9):
        audit.add(find_leak(LINE), Position("app.log", number))
    (entry,) = audit.list_entries()

    assert (entry.leak, entry.count) == (LEAK, 3)
    assert (str(entry.first), str(entry.last)) == ("app.log:3", "app.log:9")


def test_marked_lines_that_cannot_be_read_are_counted():
    audit = Audit()
    audit.add(find_leak("consent-audit {"), HERE)

    assert (audit.malformed, audit.list_entries()) == (1, ())


def test_entries_are_sorted_by_page_then_kind_then_subject():
    leaks = [
        Leak(kind=LeakKind.HOST_BLOCKED, subject="a.example", page="/a"),
        Leak(kind=LeakKind.COOKIE_SENT, subject="b", page="/a"),
        Leak(kind=LeakKind.COOKIE_SENT, subject="a", page="/a"),
        Leak(kind=LeakKind.HOST_BLOCKED, subject="a.example", page="/"),
    ]
    audit = Audit()
    for leak in leaks:
        audit.add(leak, HERE)
    entries = audit.list_entries()

    assert [each.leak for each in entries] == [leaks[3], leaks[2], leaks[1], leaks[0]]
    assert count_kinds(entries) == {LeakKind.COOKIE_SENT: 2, LeakKind.HOST_BLOCKED: 2}
    assert [each.leak for each in audit.list_entries(frozenset({LeakKind.HOST_BLOCKED}))] == [leaks[3], leaks[0]]


def test_made_up_names_do_not_fill_the_memory():
    audit = Audit()
    for number in range(20_003):
        audit.add(Leak(kind=LeakKind.COOKIE_UNDECLARED, subject=f"name{number}"), HERE)
    audit.add(Leak(kind=LeakKind.COOKIE_UNDECLARED, subject="name0"), HERE)

    assert (len(audit.list_entries()), audit.left_out) == (20_000, 3)
