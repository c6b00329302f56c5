"""No two events, and no two seals, are spelled alike (T110)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from consent.core.event_digest import encode_event
from consent.core.field_encoding import encode_fields
from consent.core.ledger import ConsentEvent
from consent.core.seal import hash_seal
from tests.ledger_events import make_event

FIELDS = st.lists(st.binary(max_size=6), max_size=5)
# Few characters, so that what is cut elsewhere often comes out alike when it is joined.
WORDS = st.text(alphabet="ab1", max_size=4)
# Text that is known to be empty cannot occur: a hash has 64 digits.
HASHES = st.none() | st.text(alphabet="ab1", min_size=1, max_size=3)
TIMES = st.integers(0, 200).map(lambda seconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds))
EVENTS = st.builds(
    ConsentEvent,
    event_id=WORDS,
    subject_id=WORDS,
    revision=st.integers(1, 200),
    kind=WORDS,
    recorded_at=TIMES,
    valid_until=TIMES,
    text_sha256=HASHES,
    ui_sha256=HASHES,
    payload=WORDS,
)
SALTS = st.binary(max_size=3)


@given(FIELDS, FIELDS)
def test_lists_of_fields_are_spelled_alike_only_if_they_are_the_same(first, second):
    assert (encode_fields(first) == encode_fields(second)) is (first == second)


@given(EVENTS, EVENTS, SALTS, SALTS)
def test_events_are_spelled_alike_only_if_they_are_the_same(first, second, salt, other_salt):
    is_same = first == second and salt == other_salt

    assert (encode_event(first, salt) == encode_event(second, other_salt)) is is_same


@given(st.sampled_from(("event_id", "subject_id", "kind", "payload")), st.sampled_from(("ab", "a", "")))
def test_what_moves_from_one_field_to_the_next_shows(name, start):
    """`["ab", "c"]` is not `["a", "bc"]`."""
    names = ["event_id", "subject_id", "kind", "payload"]
    follower = names[(names.index(name) + 1) % len(names)]
    one = make_event(1, **{name: "abc", follower: ""})
    other = make_event(1, **{name: start, follower: "abc".removeprefix(start)})

    assert encode_event(one, b"") != encode_event(other, b"")


def test_spelling_of_an_event_is_fixed():
    """Digests are kept for years: what this test holds is never changed, only followed by another schema."""
    event = make_event(1, text_sha256=None, payload='{"é":1}')

    assert encode_event(event, b"salt") == (
        b"\0\0\0\x0fconsent-event/1"
        b"\0\0\0\x2400000000-0000-4000-8000-000000000001"
        b"\0\0\0\x24aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
        b"\0\0\0\x011"
        b"\0\0\0\x06choice"
        b"\0\0\0\x0a1788177600"
        b"\0\0\0\x0a1803729600"
        b"\0\0\0\0"
        b"\0\0\0\0"
        b'\0\0\0\x08{"\xc3\xa9":1}'
        b"\0\0\0\x04salt"
    )


def test_hash_of_a_seal_is_fixed():
    found = hash_seal(
        7, tree_size=11, root=b"r" * 32, previous_hash=b"p" * 32, sealed_at=datetime(2026, 11, 23, tzinfo=UTC)
    )

    assert found.hex() == "ca86bba0310f1946702a234b47042f9225ab8ae181b2aa6231346c5bdc888f02"


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 300), st.integers(1, 300))
def test_seals_of_other_numbers_or_sizes_have_other_hashes(number, size, other_number, other_size):
    def make(first, second):
        return hash_seal(
            first, tree_size=second, root=b"", previous_hash=b"", sealed_at=datetime(2026, 1, 1, tzinfo=UTC)
        )

    assert (make(number, size) == make(other_number, other_size)) is ((number, size) == (other_number, other_size))
