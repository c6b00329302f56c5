"""`flask consent audit`: what got past the templates, out of a site's log."""

from __future__ import annotations

import json
import logging

import pytest
from flask.cli import ScriptInfo

from consent.cli import group
from consent.core.leak import Leak, LeakKind
from consent.web.leak_log import describe_leak
from consent.web.visit import get_site
from consent.wire.leak_line import encode_leak
from tests.command_runner import make_runner

SUPPRESSED = Leak(
    kind=LeakKind.COOKIE_SUPPRESSED, subject="_ga", services=("google-analytics",), purposes=("analytics",), page="/a"
)
UNDECLARED = Leak(kind=LeakKind.COOKIE_UNDECLARED, subject="_hjSessionUser_1", page="/a")
UNKNOWN = Leak(kind=LeakKind.MARKUP_UNKNOWN, subject="cdn.nobody.example", element="script", page="/b/<int:number>")


def write(leak):
    return f"2026-11-23 WARNING in leak_log: {describe_leak(leak)} consent-audit {encode_leak(leak)}"


@pytest.fixture
def log_file(tmp_path):
    """Return a function that writes a log of leaks and other lines."""

    def make(*lines, name="app.log"):
        path = tmp_path / name
        path.write_text("".join(f"{write(line) if isinstance(line, Leak) else line}\n" for line in lines))
        return str(path)

    return make


@pytest.fixture
def run(app):
    """Return a function that runs the command and gives what it prints."""

    def invoke(*options, code=0, **more):
        result = make_runner().invoke(group, ["audit", *options], obj=ScriptInfo(create_app=lambda: app), **more)
        assert result.exit_code == code, result.output + result.stderr
        return result.stdout if code < 2 else result.stderr

    return invoke


def test_leaks_are_grouped_by_page_with_what_to_do(run, log_file):
    path = log_file("GET / 200", SUPPRESSED, UNDECLARED, SUPPRESSED, UNKNOWN)

    assert run(path).splitlines() == [
        "/a",
        "  cookies that were set without a grant, and not sent",
        "    _ga (google-analytics): 2 times, app.log:2 to app.log:4",
        "      Set it only where it is granted: if current_consent.allows('google-analytics').",
        "  cookies that nobody declares, sent",
        "    _hjSessionUser_1: 1 time, app.log:3",
        "      Declare it: flask consent services show hotjar",
        "",
        "/b/<int:number>",
        "  markup of hosts that nobody knows, live",
        "    cdn.nobody.example by script: 1 time, app.log:5",
        (
            "      If the host is the site's own, name it in 'CONSENT_OWN_HOSTS'. Else declare a service: "
            "flask consent services new KEY --host cdn.nobody.example"
        ),
        "",
        "5 lines: 3 leaks on 2 routes.",
        "  1  cookie_suppressed  cookies that were set without a grant, and not sent",
        "  1  cookie_undeclared  cookies that nobody declares, sent",
        "  1  markup_unknown     markup of hosts that nobody knows, live",
    ]


def test_log_without_leaks_says_so(run, log_file):
    assert run(log_file("GET / 200", "GET /a 200")) == "2 lines: nothing got past the templates.\n"


def test_line_that_cannot_be_read_is_counted(run, log_file):
    path = log_file("consent-audit {oops", "consent-audit {}")

    assert run(path).splitlines() == [
        "2 lines: nothing got past the templates.",
        "2 lines marked 'consent-audit' could not be read.",
    ]


def test_json_holds_the_same(run, log_file):
    found = json.loads(run(log_file(SUPPRESSED, "consent-audit {", SUPPRESSED), "--json"))

    assert found == {
        "lines": 3,
        "malformed": 1,
        "left_out": 0,
        "visits": [],
        "troubles": {},
        "kinds": {"cookie_suppressed": 1},
        "leaks": [
            {
                "kind": "cookie_suppressed",
                "subject": "_ga",
                "services": ["google-analytics"],
                "purposes": ["analytics"],
                "element": "",
                "page": "/a",
                "endpoint": "",
                "count": 2,
                "first": "app.log:1",
                "last": "app.log:3",
                "advice": "Set it only where it is granted: if current_consent.allows('google-analytics').",
            }
        ],
    }


def test_several_files_are_one_audit(run, log_file):
    found = json.loads(run(log_file(SUPPRESSED, name="a.log"), log_file("", SUPPRESSED, name="b.log"), "--json"))

    assert [(each["count"], each["first"], each["last"]) for each in found["leaks"]] == [(2, "a.log:1", "b.log:2")]


def test_what_is_piped_in_is_read(run):
    assert "_ga (google-analytics): 1 time, standard input:1" in run("-", input=write(SUPPRESSED))


def test_only_the_kinds_asked_for_are_listed(run, log_file):
    path = log_file(SUPPRESSED, UNDECLARED, UNKNOWN)
    found = json.loads(run(path, "--json", "--kind", "markup_unknown, cookie_undeclared"))

    assert found["kinds"] == {"cookie_undeclared": 1, "markup_unknown": 1}


@pytest.mark.parametrize(
    ("kinds", "code"),
    [("any", 1), ("markup_unknown", 0), ("markup_unknown,cookie_suppressed", 1)],
    ids=["any", "other", "several"],
)
def test_exit_code_tells_whether_there_is_what_must_not_be(run, log_file, kinds, code):
    run(log_file(SUPPRESSED), "--fail-on", kinds, code=code)
    run(log_file("GET /"), "--fail-on", kinds)


def test_kinds_that_are_not_listed_fail_as_well(run, log_file):
    path = log_file(SUPPRESSED, UNKNOWN)

    assert "cookie_suppressed" not in run(path, "--kind", "markup_unknown", "--fail-on", "cookie_suppressed", code=1)
    run(path, "--kind", "markup_unknown", "--fail-on", "cookie_sent")


def test_unknown_kind_is_named_with_the_closest(run, log_file):
    for option in ("--kind", "--fail-on"):
        told = " ".join(run(log_file(), option, "cookie_undeclard", code=2).split())

        assert "There is no kind 'cookie_undeclard'. The kinds, the closest first: 'cookie_undeclared'," in told


def test_nothing_to_read_is_an_error(run, tmp_path):
    assert "There is nothing to audit. Name a log file" in run(code=2)
    assert "No such file or directory" in run(str(tmp_path / "none.log"), code=2)
    assert "It is a folder" in run(str(tmp_path), code=2)


HOSTILE = Leak(kind=LeakKind.COOKIE_UNDECLARED, subject="a\x1b[2J\n\x85\u202e\u009bb", page="/\x07")


def test_terminal_is_safe_from_names(run, log_file):
    """T44: a name cannot clear the screen, begin a line or turn the direction."""
    printed, as_json = run(log_file(HOSTILE)), run(log_file(HOSTILE), "--json")

    assert "a\\x1b[2J\\n\\x85\\u202e\\x9bb: 1 time" in printed
    assert all(each.isprintable() for text in (printed, as_json) for each in text.replace("\n", ""))
    assert json.loads(as_json)["leaks"][0]["subject"] == HOSTILE.subject


def test_line_without_an_end_is_passed_over(run, tmp_path):
    path = tmp_path / "huge.log"
    path.write_bytes(b"x" * 1_000_000 + b" consent-audit {}\n" + write(SUPPRESSED).encode() + b"\xff\xfe\n")
    found = json.loads(run(str(path), "--json"))

    assert (found["lines"], found["malformed"], found["leaks"][0]["first"]) == (2, 0, "huge.log:2")


def test_log_of_a_site_is_read_back(app, run, tmp_path):
    path = tmp_path / "site.log"
    handler = logging.FileHandler(path)
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(message)s"))
    logging.getLogger("consent").addHandler(handler)
    try:
        with app.test_request_context("/"):
            get_site(app).leaks.note(
                Leak(kind=LeakKind.HINT_REMOVED, subject="ads.example", services=("youtube",), purposes=("marketing",))
            )
    finally:
        logging.getLogger("consent").removeHandler(handler)
        handler.close()

    assert run(str(path)).splitlines()[:4] == [
        "/",
        "  hints to hosts without a grant, taken out",
        "    ads.example (youtube): 1 time, site.log:1",
        "      Take it out of the template, or put it into {% call gate('youtube') %}.",
    ]


ADVICE = {
    Leak(
        kind=LeakKind.COOKIE_HIDDEN, subject="_ga", services=("google-analytics",)
    ): "Nothing: it goes from the browser",
    Leak(kind=LeakKind.COOKIE_BLOCKED, subject="of nobody"): "The catalogue does not know it.",
    Leak(kind=LeakKind.COOKIE_UNDECLARED, subject="id_of_nobody"): "The catalogue does not know it.",
    Leak(
        kind=LeakKind.MARKUP_HELD, subject="y.example", services=("youtube",), purposes=("marketing",)
    ): "Put it into {% call gate('youtube') %}",
    Leak(kind=LeakKind.MARKUP_UNDECLARED, subject="h.example", services=("hotjar",)): (
        "Declare it: flask consent services show hotjar"
    ),
    Leak(kind=LeakKind.MARKUP_UNDECLARED, subject="C0004"): (
        "It is a tag for another consent manager. The log says, in a line of its own, what is wrong with it;"
    ),
    Leak(kind=LeakKind.HINT_REMOVED, subject="nobody.example"): "If the host is the site's own",
    Leak(
        kind=LeakKind.HINT_REMOVED, subject="static.hotjar.com", services=("hotjar",)
    ): "flask consent services show hotjar",
    Leak(kind=LeakKind.HOST_BLOCKED, subject="b.example", services=("youtube",), purposes=("marketing",)): (
        "Find what loads it, and put that into {% call gate('youtube') %}"
    ),
    Leak(
        kind=LeakKind.HOST_BLOCKED, subject="connect.facebook.net"
    ): "Declare it: flask consent services show meta-pixel",
    Leak(
        kind=LeakKind.HEADER_REMOVED, subject="r.example", services=("youtube",), purposes=("marketing",)
    ): "Send it only where it is granted: if current_consent.allows('youtube').",
    Leak(
        kind=LeakKind.HOST_REDIRECTED, subject="www.example.com"
    ): "The address itself is allowed, and redirects to another host",
}


@pytest.mark.parametrize(("leak", "advice"), ADVICE.items(), ids=[each.subject for each in ADVICE])
def test_each_kind_has_its_advice(run, log_file, leak, advice):
    assert advice in run(log_file(leak))
