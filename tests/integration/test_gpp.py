"""IAB GPP in a site: where it applies, and what it says of a visitor to scripts, to the server and to the record."""

from __future__ import annotations

import json
import re

import pytest

from consent import Policy, Purpose
from consent.errors import ConfigError, SetupError
from consent.testing import grant, refuse
from tests.conftest import CONTROLLER
from tests.gpp_site import HEALTH, MACROS, NOWHERE, SHOP, STATE, STATS, TRACE, make_visitor, read_macros, read_state
from tests.traveller import GPC, SAME_ORIGIN, make_traveller


def read_fields(visitor, name="usca", headers=None):
    """Return all fields of a section, its part for the signal included."""
    core, signal = read_state(visitor, headers=headers)["parsedSections"][name]
    return core | signal


# Where it applies


@pytest.mark.parametrize(
    ("place", "section_id", "prefix"),
    [("US-CA", 8, "usca"), ("US-TX", 7, "usnat"), ("US-VA", 7, "usnat"), ("US", 7, "usnat")],
)
def test_section_is_that_of_the_place(place, section_id, prefix):
    state = read_state(make_visitor(place))

    assert state["applicableSections"] == state["sectionList"] == [section_id]
    assert list(state["parsedSections"]) == [prefix]


@pytest.mark.parametrize("place", NOWHERE)
@pytest.mark.parametrize("headers", [{}, GPC])
def test_nothing_is_said_elsewhere(place, headers):
    visitor = make_visitor(place)

    assert read_state(visitor, headers=headers) is None
    assert read_macros(visitor, headers) == {}


@pytest.mark.parametrize(
    "declared", [{"services": (SHOP,), "page": MACROS}, {"CONSENT_SIGNALS": {"gpp": False}}], ids=["unread", "off"]
)
def test_nothing_is_said_where_nobody_reads_it(declared):
    visitor = make_visitor(**declared)
    grant(visitor.client)

    assert read_state(visitor, headers=GPC) is None
    assert not TRACE.search(visitor.look().response.text)
    assert visitor.last["signal_map"] == {}
    with pytest.raises(SetupError, match="'gpp'"):
        read_macros(visitor)


def test_nothing_is_said_where_the_site_asks_first():
    strict = make_visitor(CONSENT_JURISDICTION_RULES=[{"key": "US-CA", "regime": "opt_in"}])

    assert read_state(strict) is None


# What it says


def test_visitor_who_has_said_nothing_has_not_opted_out():
    assert read_state(make_visitor())["gppString"] == "DBABBg~BUoAAACA.QA"


def test_signal_opts_out_on_that_same_answer():
    assert read_state(make_visitor(), headers=GPC)["gppString"] == "DBABBg~BUUAAACA.YA"


def test_signal_opts_out_of_all_three_nationally():
    state = read_state(make_visitor("US-TX"), headers=GPC)

    assert state["gppString"] == "DBABLA~CVQVAAAAAACA.YA"
    assert [
        state["parsedSections"]["usnat"][0][f"{name}OptOut"] for name in ("Sale", "Sharing", "TargetedAdvertising")
    ] == [1] * 3


@pytest.mark.parametrize(
    ("act", "headers", "opt_out"),
    [
        (lambda visitor: visitor.press("reject_all"), {}, 1),
        (lambda visitor: visitor.press("acknowledge"), {}, 2),
        (lambda visitor: visitor.press("acknowledge"), GPC, 1),
        (lambda visitor: visitor.press("accept_all"), {}, 2),
        (lambda visitor: visitor.press("accept_all"), GPC, 1),
        (lambda visitor: visitor.press("accept_all", headers=GPC), GPC, 2),
        (lambda visitor: visitor.press("accept_all", headers=GPC), {}, 2),
        (lambda visitor: visitor.press("save", "analytics"), {}, 1),
        (lambda visitor: visitor.press("save", "marketing"), {}, 2),
        (lambda visitor: visitor.press("save", "marketing", headers=GPC), GPC, 2),
        (lambda visitor: visitor.press("withdraw"), {}, 1),
    ],
    ids=[
        *("refused", "noted", "noted and signal", "granted", "granted before the signal", "granted in spite of it"),
        *("granted in spite of a signal that is gone", "only statistics", "only advertising"),
        *("only advertising in spite of the signal", "withdrawn"),
    ],
)
def test_opt_out_follows_advertising(act, headers, opt_out):
    visitor = make_visitor()
    act(visitor)
    fields = read_fields(visitor, headers=headers)

    assert (fields["SaleOptOut"], fields["SharingOptOut"], fields["Gpc"]) == (opt_out, opt_out, headers == GPC)


def test_one_refused_advertising_purpose_is_an_opt_out():
    personal = Purpose("personal", title="Personal ads", description="Ads.", kind="advertising")
    visitor = make_visitor(purposes=[personal])
    visitor.press("save", "marketing", "analytics")

    assert read_fields(visitor)["SaleOptOut"] == 1


def test_site_without_advertising_says_opted_out():
    policy = Policy(
        controller=CONTROLLER,
        purposes=(Purpose("necessary"), Purpose("analytics", kind="statistics")),
        services=(STATS,),
    )
    visitor = make_traveller("US-CA", policy=policy)

    assert read_fields(visitor)["SaleOptOut"] == 1


@pytest.mark.parametrize(("value", "is_on"), [("1", True), ("0", False), ("", False), ("true", False), (None, False)])
@pytest.mark.parametrize(("place", "name"), [("US-CA", "usca"), ("US-TX", "usnat")])
def test_part_for_the_signal_says_what_the_browser_sent(place, name, value, is_on):
    headers = {} if value is None else {"Sec-GPC": value}

    assert read_fields(make_visitor(place), name, headers=headers)["Gpc"] is is_on


def test_part_for_the_signal_says_what_a_script_has_seen():
    visitor = make_visitor()
    visitor.client.post("/privacy-choices/gpc", data={"gpc": "1"}, headers=SAME_ORIGIN)
    fields = read_fields(visitor)

    assert (fields["SaleOptOut"], fields["Gpc"]) == (1, True)


# The agreement


def read_mspa(visitor, name):
    fields = read_fields(visitor, name)
    return [fields[f"Mspa{each}"] for each in ("CoveredTransaction", "OptOutOptionMode", "ServiceProviderMode")]


@pytest.mark.parametrize(
    ("options", "values"),
    [
        ({}, [2, 0, 0]),
        ({"mspa_signatory": False}, [2, 0, 0]),
        ({"mspa_signatory": True, "mspa_mode": "opt_out_option"}, [1, 1, 2]),
        ({"mspa_signatory": True, "mspa_mode": "service_provider"}, [1, 2, 1]),
    ],
)
@pytest.mark.parametrize(("place", "name"), [("US-CA", "usca"), ("US-TX", "usnat")])
@pytest.mark.parametrize("is_refused", [False, True])
def test_no_contract_is_claimed_that_was_not_signed(options, values, place, name, is_refused):
    visitor = make_visitor(place, CONSENT_SIGNALS={"gpp": options})
    if is_refused:
        refuse(visitor.client)

    assert read_mspa(visitor, name) == values


# Sensitive data

SENSITIVE = {"usca": {2: "health"}, "usnat": {3: "health"}}


def read_sensitive(visitor, name):
    fields = read_fields(visitor, name)
    return [fields["SensitiveDataLimitUseNotice"], *fields["SensitiveDataProcessing"][:4]]


@pytest.mark.parametrize(
    ("place", "name", "before", "granted", "refused"),
    [
        ("US-CA", "usca", [1, 0, 2, 0, 0], [1, 0, 2, 0, 0], [1, 0, 1, 0, 0]),
        ("US-TX", "usnat", [1, 0, 0, 1, 0], [1, 0, 0, 2, 0], [1, 0, 0, 1, 0]),
    ],
)
def test_sensitive_data_follow_the_purpose_that_stands_for_them(place, name, before, granted, refused):
    visitor = make_visitor(place, purposes=[HEALTH], CONSENT_SIGNALS={"gpp": {"sensitive": SENSITIVE}})
    seen = [read_sensitive(visitor, name)]
    for choose in (grant, refuse):
        choose(visitor.client)
        seen.append(read_sensitive(visitor, name))

    assert seen == [before, granted, refused]


def test_section_without_sensitive_data_says_that_there_are_none():
    options = {"gpp": {"sensitive": {"usnat": {3: "health"}}}}

    assert read_sensitive(make_visitor(purposes=[HEALTH], CONSENT_SIGNALS=options), "usca") == [0] * 5


# The older string, and calls of the server's own


def test_server_is_told_the_same_as_the_page():
    visitor = make_visitor()

    assert read_macros(visitor, GPC) == {"gpp": "DBABBg~BUUAAACA.YA", "gpp_sid": "8"}
    assert read_macros(visitor) == {"gpp": "DBABBg~BUoAAACA.QA", "gpp_sid": "8"}


def test_older_string_is_written_only_where_the_site_says_so():
    visitor = make_visitor(CONSENT_SIGNALS={"gpp": {"legacy_usp": True}})
    before = read_macros(visitor)["us_privacy"]
    refuse(visitor.client)

    assert [before, read_macros(visitor)["us_privacy"]] == ["1YNN", "1YYN"]


@pytest.mark.parametrize("options", [{}, {"legacy_usp": False}])
@pytest.mark.parametrize("choose", [grant, refuse])
def test_older_string_is_never_written_otherwise(options, choose):
    visitor = make_visitor(CONSENT_SIGNALS={"gpp": options})
    choose(visitor.client)
    texts = [visitor.client.get(path).text for path in ("/", STATE, "/signals/gpp")]

    assert not re.search("1Y[YN]N|us_privacy|uspapi", "".join((*texts, json.dumps(visitor.last))))


# The route


def test_answer_is_kept_by_nobody():
    response = make_visitor().client.get(STATE)

    assert "no-store" in response.headers["Cache-Control"]
    assert (response.mimetype, response.headers["X-Content-Type-Options"]) == ("application/json", "nosniff")


def test_answer_where_it_does_not_apply_is_null_and_kept_by_nobody():
    response = make_visitor("FR").client.get(STATE)

    assert (response.status_code, response.text.strip()) == (200, "null")
    assert "no-store" in response.headers["Cache-Control"]


@pytest.mark.parametrize("query", ["?gpc=1", "?gpc", "?gpc=0"])
@pytest.mark.parametrize("headers", [{}, GPC, {"Sec-GPC": "0"}])
def test_word_of_the_pages_script_closes_and_sets_nothing(query, headers):
    visitor = make_visitor()
    response = visitor.client.get(STATE + query, headers=headers)

    assert json.loads(response.text)["gppString"] == "DBABBg~BUUAAACA.YA"
    assert response.headers.getlist("Set-Cookie") == []


def test_word_of_the_pages_script_takes_no_choice_back_that_knew_of_it():
    visitor = make_visitor()
    visitor.press("accept_all", headers=GPC)

    assert read_state(visitor, "?gpc=1")["gppString"] == "DBABBg~BUoAAACA.YA"


def test_nothing_can_be_posted():
    assert make_visitor().client.post(STATE, headers=SAME_ORIGIN).status_code == 405


# Records


def test_record_says_what_was_told_after_the_choice():
    visitor = make_visitor(CONSENT_SIGNALS={"gpp": {"legacy_usp": True}})
    visitor.press("reject_all")
    visitor.go("US-TX").press("accept_all", headers=GPC)
    visitor.go("FR").press("accept_all")

    assert [record.as_dict()["signal_map"] for record in visitor.records] == [
        {"gpp": {"gpp": "DBABBg~BUUAAACA.QA", "gpp_sid": "8", "us_privacy": "1YYN"}},
        {"gpp": {"gpp": "DBABLA~CVQqAAAAAACA.YA", "gpp_sid": "7", "us_privacy": "1YNN"}},
        {},
    ]


def test_record_heeds_the_word_of_the_pages_script():
    visitor = make_visitor()
    visitor.press("acknowledge", gpc="1")

    assert visitor.last["signal_map"]["gpp"]["gpp"] == "DBABBg~BUUAAACA.YA"


# Settings


def test_wrong_option_is_an_error_at_start_up():
    with pytest.raises(ConfigError, match=r"Option 'legacy' in 'CONSENT_SIGNALS' for 'gpp' is unknown\."):
        make_visitor(CONSENT_SIGNALS={"gpp": {"legacy": True}})


def test_service_that_only_reads_it_cannot_load_before_the_choice():
    with pytest.raises(ConfigError, match="'stats', which has no consent API that could be told"):
        make_visitor(CONSENT_ADVANCED=["stats"])


def test_options_that_do_nothing_are_warned_of(caplog):
    make_visitor(services=(SHOP,), CONSENT_SIGNALS={"gpp": {"legacy_usp": True}})

    assert "'CONSENT_SIGNALS' has options for 'gpp', but no declared service is told by it" in caplog.text
