"""The configuration of a notice: written once, in one spelling, with the policy's version in it."""

from __future__ import annotations

import json
from datetime import date

import pytest

from consent.core.configuration import describe_configuration, to_plain, write_artefact
from consent.core.cookie_declaration import CookieDeclaration
from consent.core.declaration import Service, default_purposes
from consent.core.document import Document
from consent.core.policy import Policy
from consent.core.policy_version import digest_material
from consent.jurisdictions import load_table


def make_policy(**changes):
    values = {
        "controller": "Exämple Ltd",
        "services": (
            Service(
                "stats",
                name="Stats",
                purposes=("analytics",),
                hosts_by_use={"script": ("stats.example.com",)},
                description={"en": "Counts", "de": "Zählt"},
                cookies=(CookieDeclaration("_st", months=6), CookieDeclaration("_ss", session=True)),
            ),
        ),
        "documents": (Document("privacy", url="/privacy", version="3", effective_at=date(2026, 11, 1)),),
    }
    return Policy(**(values | changes))


def describe(policy, row_id="unknown"):
    row = next(row for row in load_table()[0].rows if row.row_id == row_id)
    return json.loads(describe_configuration(policy, row, code={"library": "1"}, stylesheets={}).body)


@pytest.mark.parametrize(
    "policy",
    [
        Policy(controller="Example"),
        make_policy(),
        make_policy(documents=()),
        make_policy(purposes=tuple(reversed(default_purposes()))),
    ],
)
def test_version_is_the_digest_of_the_material(policy):
    found = describe(policy)

    assert digest_material(found["material"]) == policy.version == found["policy_version"]


def test_another_material_has_another_version():
    found = describe(make_policy())
    found["material"]["controller"] = "Somebody else"

    assert digest_material(found["material"]) != make_policy().version


def test_all_that_was_declared_is_in_it_and_nothing_else():
    policy = describe(make_policy())["policy"]

    (service,) = policy["services"]
    assert policy.keys() == {
        *("controller", "purposes", "services", "documents", "accept_months", "refuse_months", "policy_url")
    }
    assert (service["description"], service["hosts"]) == ({"en": "Counts", "de": "Zählt"}, ["stats.example.com"])
    assert [cookie["name"] for cookie in service["cookies"]] == ["_st", "_ss"]
    assert policy["documents"][0]["effective_at"] == "2026-11-01"


def test_rules_of_the_place_are_in_it():
    rules = next(row for row in load_table()[0].rows if row.rules).row_id

    found = describe(make_policy(), rules)["jurisdiction"]

    assert found["row"] == rules
    assert found["rules"] == sorted(found["rules"])
    assert found["regime"] in ("opt_in", "opt_out", "notice")


def test_one_spelling_whatever_the_order_and_readable_in_every_script():
    assert write_artefact({"b": 1, "a": "ä"}) == write_artefact({"a": "ä", "b": 1})
    assert write_artefact({"b": [1, 2], "a": "ä"}).body == '{"a":"ä","b":[1,2]}'


def test_sets_are_in_order():
    assert to_plain(frozenset({"c", "a", "b"})) == ["a", "b", "c"]
