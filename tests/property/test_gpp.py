"""The GPP codec under anything."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import example, given, settings
from hypothesis import strategies as st

from consent.wire._gpp_bits import BitReader, encode_fibonacci, pack_bits
from consent.wire.gpp import decode_gpp, describe_section, describe_us_privacy_choices, encode_gpp
from consent.wire.us_privacy import format_us_privacy, parse_us_privacy
from tests import gpp_states

often = settings(max_examples=400, deadline=None)

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
PARTS = st.text(ALPHABET, max_size=30)
LOOKALIKES = st.builds(
    lambda header, parts: "~".join([f"DB{header}", *parts]),
    PARTS | st.sampled_from(["AA", "ABBg", "ABLA", "ABrw"]),
    st.lists(st.text(ALPHABET + ".", max_size=30) | PARTS.map("B".__add__) | PARTS.map("C".__add__), max_size=4),
)
FOREIGN = st.dictionaries(
    st.integers(1, 4095).filter(lambda each: each not in (7, 8)),
    st.text(ALPHABET + ".", min_size=1, max_size=20),
    max_size=6,
)


@often
@given(seed=st.integers(0, 2**32), foreign=FOREIGN)
def test_sections_come_back_as_they_went(seed, foreign):
    sections = gpp_states.draw_sections(seed) | foreign

    text = encode_gpp(sections)

    assert decode_gpp(text) == sections
    assert list(decode_gpp(text)) == sorted(sections)


@often
@given(text=st.text(max_size=40) | LOOKALIKES)
@example(text="DBAB" + "A" * 5000)
@example(text="DB" + "_" * 5000)
@example(text="DBABrw~CVQVAAAAAACA.YA~")
def test_no_text_raises_anything_but_value_error(text):
    try:
        sections = decode_gpp(text)
    except ValueError:
        return
    assert sections == decode_gpp(text)


@often
@given(text=LOOKALIKES)
def test_what_is_read_and_makes_sense_is_written_as_one_string(text):
    try:
        written = encode_gpp(decode_gpp(text))
    except ValueError:
        return
    assert decode_gpp(written) == decode_gpp(text)
    assert encode_gpp(decode_gpp(written)) == written


@often
@given(text=st.text(max_size=10) | st.from_regex(r"1[YN\-]{3}", fullmatch=True))
def test_no_text_breaks_the_us_privacy_string(text):
    with suppress(ValueError):
        assert format_us_privacy(parse_us_privacy(text), legacy_usp=True) == text


@often
@given(value=st.integers(1, 10_000))
def test_fibonacci_code_ends_with_its_only_pair_of_ones(value):
    code = encode_fibonacci(value)
    reader = BitReader(pack_bits(code))

    assert code.index("11") == len(code) - 2
    assert reader.read_fibonacci() == value
    reader.finish()


@often
@given(
    prefix=st.sampled_from(["usnat", "usca"]),
    is_open=st.booleans(),
    gpc=st.booleans(),
    sensitive=st.dictionaries(st.integers(1, 9), st.booleans() | st.none()),
    mode=st.sampled_from([None, "opt_out_option", "service_provider"]),
)
def test_every_decision_makes_a_section_that_can_be_written(prefix, is_open, gpc, sensitive, mode):
    section = describe_us_privacy_choices(
        prefix,
        is_advertising_open=is_open,
        gpc=gpc,
        sensitive=sensitive,
        mspa_signatory=mode is not None,
        mspa_mode=mode,
    )

    assert decode_gpp(encode_gpp({section.section_id: section})) == {section.section_id: section}
    assert describe_section(section)[1] == {"SubsectionType": 1, "Gpc": gpc}
    assert (section.mspa_covered_transaction == 1) == (mode is not None)
