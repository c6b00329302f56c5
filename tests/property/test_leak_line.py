"""Whatever a leak is made of, what is written of it is read back."""

from __future__ import annotations

from dataclasses import asdict

from hypothesis import given
from hypothesis import strategies as st

from consent.core.leak import AUDIT_MARK, Leak, LeakKind
from consent.web.leak_log import describe_leak
from consent.wire.leak_line import encode_leak, find_leak, fit_leak

anything = st.one_of(
    st.text(max_size=20),
    st.characters(categories=["Cs"]),
    st.integers(500, 5000).map(lambda size: "é" * size),
    st.just(AUDIT_MARK + '{"kind": "host_blocked", "subject": "forged"}'),
)
keys = st.one_of(st.lists(anything, max_size=3), st.integers(0, 80).map(lambda number: ["key"] * number)).map(tuple)
leaks = st.builds(
    Leak,
    kind=st.sampled_from(LeakKind),
    subject=anything,
    services=keys,
    purposes=keys,
    element=anything,
    page=anything,
    endpoint=anything,
)


@given(leaks)
def test_leak_that_fits_is_read_back_as_it_was(leak):
    fitted = fit_leak(leak)
    line = f"{describe_leak(fitted)} {AUDIT_MARK}{encode_leak(fitted)}"

    assert find_leak(line) == fitted
    assert "\n" not in encode_leak(fitted)
    assert fit_leak(fitted) == fitted


@given(leaks)
def test_nothing_is_cut_of_what_is_short(leak):
    texts = [leak.subject, leak.element, leak.page, leak.endpoint, *leak.services, *leak.purposes]
    is_short = leak.subject != "" and len(leak.services) <= 64 and len(leak.purposes) <= 64
    if is_short and all(len(text) <= 512 and not any("\ud800" <= each <= "\udfff" for each in text) for text in texts):
        assert fit_leak(leak) == leak


@given(leaks)
def test_line_is_never_longer_than_anybody_reads(leak):
    texts = [
        each for value in asdict(fit_leak(leak)).values() for each in ([value] if isinstance(value, str) else value)
    ]

    assert max(map(len, texts)) <= 512
