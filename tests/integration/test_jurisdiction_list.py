"""The page about jurisdictions lists the rows that are shipped."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from consent.jurisdictions import load_table
from consent.web.settings import _CHECKS
from tools.list_jurisdictions import BEGIN, END, PAGE, build_page, build_table

ROWS = load_table()[0].rows


def test_page_is_up_to_date():
    page = PAGE.read_text("utf-8")

    assert build_page(page) == page, "run: make jurisdictions"


def test_table_has_a_line_for_each_row_as_wide_as_its_head():
    head, _, *lines = build_table(ROWS).splitlines()

    assert len(lines) == len(ROWS)
    assert {line.replace("\\|", "").count("|") for line in lines} == {head.count("|")}


def test_table_takes_the_place_of_what_stood_between_the_marks():
    page = build_page(f"before\n{BEGIN}old\n{END}after\n")

    assert re.fullmatch(r"before\n<!--.*?-->\n\nLast held .*\| `unknown` .*-->\nafter\n", page, re.DOTALL)
    assert "old\n" not in page


@pytest.mark.parametrize("page", ["", BEGIN, END, END + BEGIN, BEGIN + END + END, BEGIN + BEGIN + END])
def test_page_without_its_marks_is_refused(page):
    with pytest.raises(ValueError, match="must have the lines"):
        build_page(page)


def test_setting_for_the_rules_is_on_the_page():
    assert "CONSENT_JURISDICTION_RULES" in PAGE.read_text("utf-8")
    assert "CONSENT_JURISDICTION_RULES" in _CHECKS


def test_overrides_of_the_page_are_taken():
    (block,) = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)

    app = Flask("overrides")

    exec(compile(block, PAGE.name, "exec"), {"app": app})
    table, warnings = load_table(app.config["CONSENT_JURISDICTION_RULES"])

    assert (len(table.rows), warnings) == (len(ROWS) + 2, [])
