"""The table of requirements is whole, names tests that exist, and its page is what it says."""

from __future__ import annotations

import pytest

from tools.list_requirements import (
    IDS,
    PAGE,
    SOURCE,
    Requirement,
    RequirementsError,
    build_page,
    find_missing_tests,
    has_test,
    read_requirements,
)

TESTED = '[L1]\ntitle = "Nothing runs"\ntests = ["tests/unit/test_a.py::test_b"]\n'
LEFT_OUT = '[L2]\ntitle = "Later"\nleft_out = "part 5: ledger"\n'


def read(text, ids=("L1",)):
    return read_requirements(text, ids=ids)


def test_page_is_up_to_date():
    assert build_page(read_requirements(SOURCE.read_text("utf-8"))) == PAGE.read_text("utf-8"), "run: make requirements"


def test_every_named_test_exists():
    requirements = read_requirements(SOURCE.read_text("utf-8"))

    assert find_missing_tests(requirements, has_test=has_test) == []


def test_ids_are_those_of_the_five_families():
    assert (IDS[0], IDS[51], IDS[52], IDS[-1], len(IDS)) == ("L1", "L52", "S1", "D28", 181)


def test_requirements_come_in_the_order_of_their_ids():
    first, second = read(LEFT_OUT + TESTED, ids=("L1", "L2"))

    assert first == Requirement(requirement_id="L1", title="Nothing runs", tests=("tests/unit/test_a.py::test_b",))
    assert second == Requirement(requirement_id="L2", title="Later", left_out="part 5: ledger")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TESTED + LEFT_OUT, "'L2' is no known id. Known ids: L1 to L1."),
        ("", "'L1' is missing. Give 'tests', or the reason as 'left_out'."),
        ("L1 = 3", "'L1' must be a table, got 3."),
        (
            f"{TESTED}reason = 'x'",
            "'L1' has the unknown field 'reason'. Allowed: 'title', 'tests', 'partly', 'left_out'.",
        ),
        ("[L1]\ntitle = 'x'", "'L1' must have 'tests' or 'left_out', and not both."),
        (f"{TESTED}left_out = 'x'", "'L1' must have 'tests' or 'left_out', and not both."),
        (
            "[L1]\ntitle = 'x'\nleft_out = 'y'\npartly = 'z'",
            "'L1' has 'partly' without 'tests'. Write the reason as 'left_out'.",
        ),
        ("[L1]\nleft_out = 'x'", "'L1' needs a title of at most 12 words, got ''."),
        (f"[L1]\ntitle = '{'x ' * 13}'", f"'L1' needs a title of at most 12 words, got '{' '.join('x' * 13)}'."),
        ("[L1]\ntitle = ' '", "'title' of 'L1' must be one line of text, got ' '."),
        (f"{TESTED}partly = 1", "'partly' of 'L1' must be one line of text, got 1."),
        ("[L1]\ntitle = 'x'\ntests = []", "'tests' of 'L1' must be a list of 1 to 5 different tests, got []."),
        ("[L1]\ntitle = 'x'\ntests = 'a'", "'tests' of 'L1' must be a list of 1 to 5 different tests, got 'a'."),
        (
            "[L1]\ntitle = 'x'\ntests = ['a', 'a']",
            "'tests' of 'L1' must be a list of 1 to 5 different tests, got ['a', 'a'].",
        ),
    ],
)
def test_malformed_table_is_refused(text, message):
    with pytest.raises(RequirementsError) as caught:
        read(text)

    assert str(caught.value) == message


def test_doubled_id_is_refused():
    with pytest.raises(RequirementsError, match=r"L1.* An id may come once\."):
        read(TESTED + TESTED)


@pytest.mark.parametrize("name", ["test_there", "test_not_there"])
def test_function_of_a_file_is_found(tmp_path, name):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_a.py").write_text("def test_there(): ...\nlater = 'def test_not_there(): ...'\n")

    assert has_test(f"tests/test_a.py::{name}", root=tmp_path) is (name == "test_there")


def test_test_that_several_classes_inherit_is_found(tmp_path):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "contract.py").write_text("class Contract:\n    def test_there(self): ...\n")

    assert has_test("tests/contract.py::test_there", root=tmp_path)
    assert not has_test("tests/contract.py::Contract", root=tmp_path)


@pytest.mark.parametrize("name", ["a plain name", "${name} leaves out ${what}", "another name"])
def test_node_test_of_a_file_is_found(tmp_path, name):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "a.test.mjs").write_text(
        'test("a plain name", () => {});\n  test(`${name} leaves out ${what}`, () => {});\n'
    )

    assert has_test(f"tests/a.test.mjs::{name}", root=tmp_path) is (name != "another name")


@pytest.mark.parametrize("name", ["tests/test_none.py::test_x", "tools/run_tests.py::main", "tests::test_x", ""])
def test_test_elsewhere_does_not_exist(name):
    assert has_test(name) is False


def test_missing_test_is_named_with_its_requirement():
    requirements = read(TESTED)

    assert find_missing_tests(requirements, has_test=lambda _: False) == ["L1: tests/unit/test_a.py::test_b"]
    assert find_missing_tests(requirements, has_test=lambda _: True) == []


def test_page_links_tests_and_gives_reasons():
    page = build_page(read(f"{TESTED}partly = 'a|b'\n{LEFT_OUT}", ids=("L1", "L2")))

    assert (
        "| L1 | Nothing runs | [`test_a.py::test_b`](../tests/unit/test_a.py)<br>*Missing:* a\\|b |\n"
        "| L2 | Later | *Left out:* part 5: ledger |"
    ) in page
    assert "| **together** | 2 | 0 | 1 | 1 |" in page
