"""Edits of a page, byte for byte."""

from __future__ import annotations

from consent.wire.element_urls import TEXT
from consent.wire.markup import Attribute, Element
from consent.wire.markup_edit import Edit, apply_edits, disarm, replace_element

#       0         1         2         3
#       0123456789012345678901234567890123456789
PAGE = b"<p><script src=a SRC=b id=c>x</script></p>"
SCRIPT = Element(
    "script",
    3,
    10,
    28,
    (Attribute("src", "a", 11, 14, 16), Attribute("src", "b", 17, 20, 22), Attribute("id", "c", 23, 25, 27)),
    29,
    38,
)


def test_every_attribute_of_a_name_is_renamed_and_the_text_does_not_run_in_its_place():
    edited = apply_edits(PAGE, disarm(SCRIPT, {"src"}))

    assert edited == b'<p><script type="text/plain" data-consent-src=a data-consent-SRC=b id=c>x</script></p>'


def test_text_is_taken_its_meaning():
    assert apply_edits(PAGE, disarm(SCRIPT, {TEXT})) == b'<p><script type="text/plain" src=a SRC=b id=c>x</script></p>'


def test_attribute_that_is_not_there_changes_nothing():
    assert disarm(SCRIPT, {"style"}) == ()


def test_element_is_replaced_with_its_text():
    assert apply_edits(PAGE, [replace_element(SCRIPT, b"-")]) == b"<p>-</p>"


def test_what_stands_in_front_stays_in_front():
    assert apply_edits(b"ab", [Edit(1, 1, b"1"), Edit(1, 2, b"2")]) == b"a12"


def test_edit_within_another_goes_with_it_and_one_that_comes_twice_is_made_once():
    edits = [Edit(1, 1, b"!"), Edit(1, 1, b"!"), Edit(2, 5, b"-"), Edit(3, 3, b"?"), Edit(5, 5, b"+")]

    assert apply_edits(b"abcdef", edits) == b"a!b-+f"


def test_nothing_to_edit():
    assert apply_edits(b"abc", []) == b"abc"
