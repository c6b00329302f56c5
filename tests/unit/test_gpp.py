"""GPP strings: the vectors of the standard and of the IAB's own encoder, and what is refused."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from consent.wire.gpp import (
    UsCalifornia,
    UsNational,
    decode_gpp,
    describe_section,
    describe_us_privacy_choices,
    encode_gpp,
)
from consent.wire.gpp_page import describe_gpp, read_gpp_stub

CALIFORNIA = describe_us_privacy_choices("usca", is_advertising_open=False, gpc=True)
NATIONAL = describe_us_privacy_choices("usnat", is_advertising_open=False, gpc=True)

# Made by @iabgpp/cmpapi 3.2.0, but for the headers of foreign sections, which the standard's text gives.
VECTORS = {
    "DBAA": {},
    "DBABBg~BUUAAACA.YA": {8: CALIFORNIA},
    "DBABBg~BUoAAACA.QA": {8: describe_us_privacy_choices("usca", is_advertising_open=True, gpc=False)},
    "DBABLA~CVQVAAAAAACA.YA": {7: NATIONAL},
    "DBABrw~CVQVAAAAAACA.YA~BUUAAACA.YA": {7: NATIONAL, 8: CALIFORNIA},
    "DBABJg~BVUAAIA.YA": {10: "BVUAAIA.YA"},
    "DBABMA~CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA": {2: "CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA"},
    "DBACNYA~CPXx~1YNN": {2: "CPXx", 6: "1YNN"},
    "DBABjw~CPXx~1YNN": {5: "CPXx", 6: "1YNN"},
}
SPEC_PADDING = {
    "DBABM~CPXx": {2: "CPXx"},
    "DBACNY~CPXx~1YNN": {2: "CPXx", 6: "1YNN"},
    "DBABBg~BUUAAACA.Y": {8: CALIFORNIA},
}


@pytest.mark.parametrize(("text", "sections"), VECTORS.items())
def test_vector_is_written_byte_for_byte(text, sections):
    assert encode_gpp(sections) == text


@pytest.mark.parametrize(("text", "sections"), [*VECTORS.items(), *SPEC_PADDING.items()])
def test_vector_is_read_in_either_padding(text, sections):
    assert decode_gpp(text) == sections


def test_encoder_default_of_the_reference_claims_the_agreement_and_ours_does_not():
    (claimed,) = decode_gpp("DBABBg~BQAAAABA.QA").values()

    assert claimed == UsCalifornia(sale_opt_out_notice=1, mspa_covered_transaction=1, gpc=False)
    assert encode_gpp({8: replace(claimed, mspa_covered_transaction=2)}) == "DBABBg~BQAAAACA.QA"


@pytest.mark.parametrize("text", ["DBABLA~BVVqqqqqqA.QA", "DBACGmA~AAAA~B.C.D", "DBABBg~CAAA", "DBABFDA~x.y.z-_"])
def test_unknown_section_or_version_comes_back_as_it_was(text):
    sections = decode_gpp(text)

    assert encode_gpp(sections) == text
    assert all(isinstance(section, str) for section in sections.values())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "ends before its last field"),
        ("D", "ends before its last field"),
        ("1YNN", "must begin with 'DB'"),
        ("CQSbk4AQSbk4ANwAAAENAwCg", "must begin with 'DB'"),
        ("DCAA", "must begin with 'DB'"),
        ("DBAA~", "names 0 sections, and 1 follow"),
        ("DBABBg", "names 1 sections, and 0 follow"),
        ("DBABBg~", "must be one or more letters"),
        ("DBABBg~B+UAAACA", "must be one or more letters"),
        ("DBABBg~BUUAAACA YA", "must be one or more letters"),
        ("DBABBg~.YA", "ends before its last field"),
        ("DBABBg~BUUAAAC", "ends before its last field"),
        ("DBABBg~BUUAAACAA", "more than its fields"),
        ("DBABBg~BUUAAACB", "more than its fields"),
        ("DBABBg~BUUAAACA.YAA", "more than its fields"),
        ("DBABBg~BUUAAACA.gA", "must be of type 1, got 2"),
        ("DBABBg~BUUAAACA.YA.YA", "must have at most 2 segments, got 3"),
        ("DBABBg~BwUAAACA", "must be one value of (0, 1, 2), got 3"),
        ("DBABBg~BUUAAAAA", "'mspa_covered_transaction' of 'usca' must be one value of (1, 2), got 0"),
        ("DBABBg~BUUwAACA", "'sensitive_data_processing' of 'usca' must be a tuple of 9 values, each of (0, 1, 2)"),
        ("DB AA", "got ' '"),
        ("DBÄA", "got 'Ä'"),
        ("DBAAA", "more than its fields"),
        ("DBAAB", "more than its fields"),
        ("DBAB" + "A" * 9, "must end within 20 bits"),
    ],
)
def test_other_text_is_refused(text, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        decode_gpp(text)


def test_few_characters_cannot_name_a_million_sections():
    with pytest.raises(ValueError, match="must be between 1 and 4095, got 9001"):
        decode_gpp("DBAB6kCm")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"sale_opt_out": 3}, "'sale_opt_out' of 'usca' must be one value of (0, 1, 2), got 3."),
        ({"sale_opt_out": True}, "'sale_opt_out' of 'usca' must be one value of (0, 1, 2), got True."),
        ({"sale_opt_out": -1}, "'sale_opt_out' of 'usca' must be one value of (0, 1, 2), got -1."),
        (
            {"mspa_covered_transaction": 0},
            "'mspa_covered_transaction' of 'usca' must be one value of (1, 2), got 0.",
        ),
        (
            {"known_child_sensitive_data_consents": (0,)},
            "'known_child_sensitive_data_consents' of 'usca' must be a tuple of 2 values, each of (0, 1, 2), got (0,).",
        ),
        ({"gpc": 1}, "'gpc' of 'usca' must be True, False or None, got 1."),
    ],
)
def test_value_that_the_field_does_not_have_is_refused(fields, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        UsCalifornia(**fields)


NOTICES = ("sale_opt_out", "sharing_opt_out", "targeted_advertising_opt_out")


@pytest.mark.parametrize("notice", [0, 2])
@pytest.mark.parametrize("name", NOTICES)
def test_opt_out_without_its_notice_is_not_written(name, notice):
    section = replace(NATIONAL, **{f"{name}_notice": notice})

    with pytest.raises(ValueError, match=f"'{name}' of 'usnat' must be 0 where '{name}_notice' is {notice}, got 1"):
        encode_gpp({7: section})


@pytest.mark.parametrize("notice", [0, 2])
@pytest.mark.parametrize("name", NOTICES)
def test_opt_out_that_does_not_apply_is_written_without_its_notice(name, notice):
    section = replace(NATIONAL, **{f"{name}_notice": notice, name: 0})

    assert decode_gpp(encode_gpp({7: section})) == {7: section}


@pytest.mark.parametrize("notice", [0, 2])
def test_limit_of_sensitive_data_without_its_notice_is_not_written(notice):
    data = (0, 0, 1, 0, 0, 0, 0, 0, 0)
    section = replace(CALIFORNIA, sensitive_data_processing=data, sensitive_data_limit_use_notice=notice)

    with pytest.raises(ValueError, match="must be 0 where 'sensitive_data_limit_use_notice' is"):
        encode_gpp({8: section})


@pytest.mark.parametrize("name", ["mspa_opt_out_option_mode", "mspa_service_provider_mode"])
@pytest.mark.parametrize("mode", [1, 2])
def test_mode_outside_of_a_covered_transaction_is_not_written(name, mode):
    with pytest.raises(ValueError, match="must be 0 outside of a covered transaction"):
        encode_gpp({8: replace(CALIFORNIA, **{name: mode})})


@pytest.mark.parametrize("modes", [(0, 0), (1, 1), (2, 2), (1, 0), (0, 2)])
def test_covered_transaction_without_exactly_one_mode_is_not_written(modes):
    option, provider = modes
    section = replace(
        CALIFORNIA, mspa_covered_transaction=1, mspa_opt_out_option_mode=option, mspa_service_provider_mode=provider
    )

    with pytest.raises(ValueError, match=r"must be 1 and the other 2 in a covered transaction, got \("):
        encode_gpp({8: section})


@pytest.mark.parametrize("name", ["sale_opt_out_notice", "sharing_opt_out_notice", "sensitive_data_limit_use_notice"])
def test_notice_of_a_sale_is_not_written_in_service_provider_mode(name):
    section: Any = describe_us_privacy_choices(
        "usca", is_advertising_open=True, gpc=False, mspa_signatory=True, mspa_mode="service_provider"
    )

    with pytest.raises(ValueError, match=f"'{name}' of 'usca' must be 0 in the MSPA's service provider mode"):
        encode_gpp({8: replace(section, **{name: 1})})


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        ({7: CALIFORNIA}, "Section 'usca' has the id 8, and stands under 7."),
        ({0: "x"}, "must be between 1 and 4095, got 0"),
        ({4096: "x"}, "must be between 1 and 4095, got 4096"),
        ({2: ""}, "Section 2 must be one or more letters"),
        ({2: "a~b"}, "Section 2 must be one or more letters"),
        ({2: "a\n"}, "Section 2 must be one or more letters"),
    ],
)
def test_string_that_nobody_could_read_is_not_written(sections, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        encode_gpp(sections)


# --- What a decision says ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["usnat", "usca"])
@pytest.mark.parametrize("gpc", [True, False])
def test_gpc_segment_is_the_signal_that_was_seen(prefix, gpc):
    assert describe_us_privacy_choices(prefix, is_advertising_open=False, gpc=gpc).gpc is gpc


@pytest.mark.parametrize(("is_open", "code"), [(True, 2), (False, 1)])
def test_one_switch_answers_for_sale_sharing_and_targeted_advertising(is_open, code):
    section = describe_us_privacy_choices("usnat", is_advertising_open=is_open, gpc=False)

    assert isinstance(section, UsNational)
    assert {getattr(section, name) for name in NOTICES} == {code}
    assert {getattr(section, f"{name}_notice") for name in NOTICES} | {section.sharing_notice} == {1}


@pytest.mark.parametrize("prefix", ["usnat", "usca"])
def test_nothing_of_the_agreement_is_claimed_unless_the_site_says_so(prefix):
    section = describe_us_privacy_choices(prefix, is_advertising_open=True, gpc=False)

    modes = (section.mspa_opt_out_option_mode, section.mspa_service_provider_mode)
    assert (section.mspa_covered_transaction, *modes) == (2, 0, 0)


@pytest.mark.parametrize(("mode", "codes"), [("opt_out_option", (1, 1, 2)), ("service_provider", (1, 2, 1))])
def test_signatory_is_in_one_mode(mode, codes):
    section = describe_us_privacy_choices(
        "usca", is_advertising_open=True, gpc=False, mspa_signatory=True, mspa_mode=mode
    )

    modes = (section.mspa_opt_out_option_mode, section.mspa_service_provider_mode)
    assert (section.mspa_covered_transaction, *modes) == codes


@pytest.mark.parametrize("is_open", [True, False])
@pytest.mark.parametrize("prefix", ["usnat", "usca"])
def test_service_provider_mode_says_that_nothing_is_sold_or_shared(prefix, is_open):
    section = describe_us_privacy_choices(
        prefix, is_advertising_open=is_open, gpc=True, mspa_signatory=True, mspa_mode="service_provider"
    )
    (core, _) = describe_section(section)
    found = {name: value for name, value in core.items() if name.endswith(("Notice", "OptOut"))}

    assert set(found.values()) == {0}
    assert encode_gpp({section.section_id: section})


def test_service_provider_mode_keeps_consents_and_drops_what_its_notice_would_limit():
    def make(prefix):
        return describe_us_privacy_choices(
            prefix,
            is_advertising_open=True,
            gpc=False,
            sensitive={1: False},
            mspa_signatory=True,
            mspa_mode="service_provider",
        )

    assert make("usnat").sensitive_data_processing[0] == 1
    assert make("usnat").sensitive_data_processing_opt_out_notice == 1
    assert set(make("usca").sensitive_data_processing) == {0}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"mspa_signatory": True},
            "'mspa_mode' must be 'opt_out_option' or 'service_provider' for a signatory of the MSPA, got None.",
        ),
        (
            {"mspa_mode": "opt_out_option"},
            "'mspa_mode' must be None for a site that has not signed the MSPA, got 'opt_out_option'.",
        ),
        ({"sensitive": {0: True}}, "'sensitive' must be numbered from 1 to 9 in this section, got 0."),
        ({"sensitive": {10: True}}, "'sensitive' must be numbered from 1 to 9 in this section, got 10."),
    ],
)
def test_choice_that_no_section_can_hold_is_refused(given, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        describe_us_privacy_choices("usca", is_advertising_open=True, gpc=False, **given)


def test_unknown_section_is_refused():
    with pytest.raises(ValueError, match="'prefix' must be 'usnat' or 'usca', got 'usva'"):
        describe_us_privacy_choices("usva", is_advertising_open=True, gpc=False)  # type: ignore[arg-type]


def test_sensitive_data_stand_under_the_numbers_of_the_section():
    section = describe_us_privacy_choices(
        "usca", is_advertising_open=True, gpc=False, sensitive={1: True, 3: False, 9: None}
    )

    assert section.sensitive_data_processing == (2, 0, 1, 0, 0, 0, 0, 0, 0)
    assert section.sensitive_data_limit_use_notice == 1


@pytest.mark.parametrize(("sensitive", "notice"), [({}, 0), ({16: None}, 0), ({16: False}, 1)])
def test_notice_of_sensitive_data_is_given_where_there_is_any(sensitive, notice):
    section = describe_us_privacy_choices("usnat", is_advertising_open=True, gpc=False, sensitive=sensitive)

    assert isinstance(section, UsNational)
    notices = (section.sensitive_data_processing_opt_out_notice, section.sensitive_data_limit_use_notice)
    assert notices == (notice, notice)


# --- What a page is told -------------------------------------------------------------------------------------------------------


def test_section_is_described_in_the_names_of_the_standard():
    assert describe_section(CALIFORNIA) == [
        {
            "Version": 1,
            "SaleOptOutNotice": 1,
            "SharingOptOutNotice": 1,
            "SensitiveDataLimitUseNotice": 0,
            "SaleOptOut": 1,
            "SharingOptOut": 1,
            "SensitiveDataProcessing": [0] * 9,
            "KnownChildSensitiveDataConsents": [0, 0],
            "PersonalDataConsents": 0,
            "MspaCoveredTransaction": 2,
            "MspaOptOutOptionMode": 0,
            "MspaServiceProviderMode": 0,
        },
        {"SubsectionType": 1, "Gpc": True},
    ]


def test_section_without_a_signal_has_one_segment():
    assert len(describe_section(UsNational())) == 1
    assert encode_gpp({7: UsNational()}) == "DBABLA~CAAAAAAAAACA"


def test_page_is_told_the_string_and_its_parts():
    assert describe_gpp([CALIFORNIA, NATIONAL]) == {
        "gppString": "DBABrw~CVQVAAAAAACA.YA~BUUAAACA.YA",
        "applicableSections": [7, 8],
        "sectionList": [7, 8],
        "parsedSections": {"usnat": describe_section(NATIONAL), "usca": describe_section(CALIFORNIA)},
    }


def test_page_without_a_section_is_told_that_none_applies():
    assert describe_gpp([])["applicableSections"] == [-1]


@pytest.mark.parametrize("mark", ["</", "<!--", "<script", "]]>"])
def test_stub_stands_safely_in_a_script_element(mark):
    assert mark not in read_gpp_stub()
    assert "__gpp" in read_gpp_stub()
