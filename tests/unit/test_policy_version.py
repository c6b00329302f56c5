"""A fingerprint changes with what was agreed to, and with nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consent.core.cookie_declaration import CookieDeclaration
from consent.core.declaration import Purpose, PurposeKind, Service, default_purposes
from consent.core.embed import Parameter
from consent.core.policy import Policy
from consent.core.policy_version import fingerprint_purpose, fingerprint_service

COOKIES = (CookieDeclaration("_a", days=1), CookieDeclaration("_b", months=2))
SERVICE = Service("stats", name="Stats", purposes=("analytics", "marketing"), provider="Stats Inc.", cookies=COOKIES)
PURPOSES = {purpose.key: purpose for purpose in default_purposes()}


def fingerprint(service, **purposes):
    return fingerprint_service(service, PURPOSES | purposes)


def make_policy(service=SERVICE, **changes):
    return Policy(**({"controller": "Example", "services": (service,)} | changes))


@pytest.mark.parametrize(
    "change",
    [{"title": "Ads"}, {"title": {"de": "Werbung"}}, {"description": "Other words."}],
)
def test_fingerprint_of_a_purpose_does_not_change_with_wording(change):
    assert fingerprint_purpose(replace(PURPOSES["marketing"], **change)) == fingerprint_purpose(PURPOSES["marketing"])


@pytest.mark.parametrize(
    "change", [{"revision": 2}, {"denied_by_gpc": False}, {"kind": PurposeKind.OTHER}, {"key": "marketing2"}]
)
def test_fingerprint_of_a_purpose_changes_with_its_meaning(change):
    assert fingerprint_purpose(replace(PURPOSES["marketing"], **change)) != fingerprint_purpose(PURPOSES["marketing"])


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Statistics"},
        {"description": {"en": "Counts."}},
        {"privacy_url": "https://stats.example/privacy"},
        {"purposes": ("marketing", "analytics")},
        {"cookies": COOKIES[::-1]},
        {"cookies": (replace(COOKIES[0], description="Counts."), COOKIES[1])},
        {"snippet": "<script></script>"},
        {"parameters": (Parameter("id", pattern="a", example="a"),)},
    ],
)
def test_fingerprint_of_a_service_does_not_change_with_wording_or_order(change):
    assert fingerprint(replace(SERVICE, **change)) == fingerprint(SERVICE)


@pytest.mark.parametrize(
    "change",
    [
        {"key": "stats2"},
        {"purposes": ("analytics",)},
        {"provider": "Other Inc."},
        {"provider_country": "US"},
        {"third_party_use": True},
        {"revision": 2},
        {"cookies": COOKIES[:1]},
        {"cookies": (replace(COOKIES[0], days=2), COOKIES[1])},
        {"cookies": (replace(COOKIES[0], name="_c"), COOKIES[1])},
        {"cookies": (replace(COOKIES[0], third_party=True), COOKIES[1])},
        {"cookies": (replace(COOKIES[0], kind="local_storage"), COOKIES[1])},
        {"cookies": (CookieDeclaration("_a", months=1), COOKIES[1])},
        {"cookies": (CookieDeclaration("_a", minutes=1), COOKIES[1])},
        {"cookies": (CookieDeclaration("_a", session=True), COOKIES[1])},
    ],
)
def test_fingerprint_of_a_service_changes_with_what_it_does(change):
    assert fingerprint(replace(SERVICE, **change)) != fingerprint(SERVICE)


@pytest.mark.parametrize("change", [{"revision": 2}, {"denied_by_gpc": True}])
def test_fingerprint_of_a_service_changes_with_its_purpose(change):
    changed = replace(PURPOSES["analytics"], **change)

    assert fingerprint(SERVICE, analytics=changed) != fingerprint(SERVICE)


def test_fingerprint_of_a_service_does_not_change_with_another_purpose():
    assert fingerprint(SERVICE, preferences=Purpose("preferences", revision=2)) == fingerprint(SERVICE)


def test_fingerprint_of_a_service_does_not_change_with_the_words_of_its_purpose():
    assert fingerprint(SERVICE, analytics=replace(PURPOSES["analytics"], title="Counting")) == fingerprint(SERVICE)


def test_purpose_and_service_of_equal_key_have_other_fingerprints():
    service = Service("analytics", name="A", purposes=("marketing",))

    assert fingerprint(service) != fingerprint_purpose(PURPOSES["analytics"])


def test_fingerprints_stay_what_they_were():
    # Visitors carry them in cookies: a change of this table asks every visitor of every site again.
    assert {key: fingerprint_purpose(purpose).hex() for key, purpose in PURPOSES.items() if key != "necessary"} == {
        "preferences": "47ca91",
        "analytics": "0d3348",
        "marketing": "c06fb2",
    }


def test_version_does_not_change_with_order_or_wording():
    other = Service("other", name="Other", purposes=("analytics",))
    one = make_policy(services=(SERVICE, other))
    two = make_policy(
        services=(other, replace(SERVICE, name="Renamed")),
        purposes=tuple(replace(purpose, title="Words") for purpose in reversed(default_purposes())),
    )

    assert one.version == two.version
    assert len(one.version) == 16


@pytest.mark.parametrize(
    "changed",
    [
        make_policy(controller="Someone else"),
        make_policy(services=()),
        make_policy(replace(SERVICE, revision=2)),
        make_policy(purposes=(*default_purposes(), Purpose("ads"))),
        make_policy(purposes=(*default_purposes()[:-1], Purpose("marketing"))),
    ],
)
def test_version_changes_with_anything_material(changed):
    assert changed.version != make_policy().version
