"""The page that lists the catalogue says what its files say."""

from __future__ import annotations

import re

import pytest

from consent.catalogue import list_entries, service_keys
from consent.catalogue.entry import read_entry
from consent.core.declaration import ServiceKind
from tools.list_services import PAGE, TITLES, build_counts, build_page

HEAD = 'name = "Stats"\nprovider = "Stats Inc."\nprovider_country = "US"\npurposes = ["analytics"]\nhosts.script = ["a.example"]\n'
COOKIE = '[[cookies]]\nname = "_st"\ndays = 3\nuse = "visit"\nsource = "their docs"\n'


def make(text="", *, kind="analytics", key="stats"):
    return read_entry(key, f'{HEAD}kind = "{kind}"\n{text}'.encode())


def row_of(entry):
    (row,) = [line for line in build_page([entry]).splitlines() if line.startswith(f"| `{entry.service.key}` |")]
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]


def test_page_is_up_to_date():
    assert build_page(list_entries()) == PAGE.read_text("utf-8"), "run: make services"


def test_page_has_every_service_once():
    lines = build_page(list_entries()).splitlines()

    assert sorted(line.split("`")[1] for line in lines if line.startswith("| `")) == list(service_keys())


def test_every_kind_has_a_title():
    assert set(TITLES) == set(ServiceKind)


def test_row_says_what_the_file_says():
    text = (
        'signals = ["google", "gpp"]\nthird_party_use = true\nnot_known = "Much."\nnecessary_when = "Never | ever."\n'
    )
    parameters = "[[parameters]]\nname = 'a'\npattern = '[0-9|]+'\nexample = '1|2'\nrequired = false\n"

    assert row_of(make(f"{text}{parameters}{COOKIE}")) == [
        "`stats`",
        "Stats, Stats Inc., US",
        "`analytics`",
        "`google`, `gpp`",
        r"`a`, such as `1\|2` *optional*",
        "1",
        r"The provider uses the data for ends of its own. [*Could be necessary:*](catalogue.md#what-a-site-cannot-do-without) Never \| ever. *Not known:* Much.",
    ]


def test_row_of_an_embed_gives_an_id():
    embed = "[embed]\nurl = 'https://a.example/{id}'\nsource_url = 'https://a.example/{id}'\nid_pattern = '[0-9]{1,9}'\nid_example = '12'\n"

    assert row_of(make(embed, kind="video"))[4] == "id, such as `12`"


@pytest.mark.parametrize(
    ("text", "cell"), [("", "not known"), ('cookieless = "https://a.example/docs"', "none"), (COOKIE, "1")]
)
def test_row_says_whether_storage_is_known(text, cell):
    assert row_of(make(text))[5] == cell


def test_names_of_cookies_in_a_note_are_no_markup():
    assert row_of(make('not_known = "_gcl_* <b> [x]"'))[6] == r"*Not known:* \_gcl\_\* \<b> \[x\]"


def test_code_in_a_note_stays_code():
    assert row_of(make('not_known = "See `a_b|*` and _c_."'))[6] == r"*Not known:* See `a_b\|*` and \_c\_."


def test_entries_are_counted_by_what_is_known_of_their_storage():
    unsourced = COOKIE.replace("source", "path").replace("their docs", "/")
    entries = [make(COOKIE), make('cookieless = "x"'), make(), make(unsourced)]

    assert build_counts({"A/B tests": entries, "Maps": []}).splitlines()[2:] == [
        "| [A/B tests](#ab-tests) | 4 | 1 | 1 | 2 |",
        "| [Maps](#maps) | 0 | 0 | 0 | 0 |",
        "| **together** | 4 | 1 | 1 | 2 |",
    ]


def test_kinds_without_a_service_have_no_section():
    page = build_page([make(kind="map")])

    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == ["Maps"]
