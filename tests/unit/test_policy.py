"""The policy as a whole: contradictions and unlawful declarations are errors, with the reason."""

from __future__ import annotations

import dataclasses

import pytest

from consent.core.cookie_declaration import CookieDeclaration
from consent.core.declaration import Purpose, Service, default_purposes
from consent.core.policy import Policy
from consent.core.policy_version import fingerprint_purpose
from consent.errors import ConfigError, UnknownKeyError


def make_service(key="stats", *, purposes=("analytics",), **changes):
    return Service(key, name=key.title(), purposes=purposes, **changes)


def make_policy(**changes):
    return Policy(**({"controller": "Example News Ltd"} | changes))


# -- the default


def test_default_policy_has_four_purposes_and_leaves_the_months_to_the_place():
    policy = make_policy()

    assert tuple(policy.purposes_by_key) == ("necessary", "preferences", "analytics", "marketing")
    assert tuple(purpose.key for purpose in policy.optional_purposes) == ("preferences", "analytics", "marketing")
    assert (policy.accept_months, policy.refuse_months) == (None, None)
    assert (policy.services, policy.documents) == ((), ())


def test_default_policy_asks_even_without_services():
    assert make_policy().is_asking


def test_policy_of_necessary_alone_does_not_ask():
    policy = make_policy(purposes=(Purpose("necessary"),))

    assert not policy.is_asking
    assert policy.fingerprints == {}


def test_policy_of_necessary_services_alone_does_not_ask():
    policy = make_policy(
        purposes=(Purpose("necessary"),),
        services=(make_service(purposes=("necessary",), justification="It is asked for."),),
    )

    assert not policy.is_asking


# -- who asks, how long


@pytest.mark.parametrize("controller", ["", " ", "\t\n", "\u3000", None, 5, b"Example"])
def test_policy_refuses_an_empty_controller(controller):
    with pytest.raises(ConfigError) as error:
        make_policy(controller=controller)

    assert str(error.value) == (
        "'controller' is empty. Set CONSENT_CONTROLLER to the name of the company or person who runs the site: "
        "a banner must say who asks."
    )
    assert error.value.key == "controller"


@pytest.mark.parametrize("field", ["accept_months", "refuse_months"])
@pytest.mark.parametrize("months", [0, -1, 14, 24, 6.0, "6", "", True])
def test_policy_refuses_months_out_of_range(field, months):
    with pytest.raises(ConfigError) as error:
        make_policy(**{field: months})

    assert str(error.value) == (
        f"'{field}' must be a whole number between 1 and 13, got {months!r}. Browsers cap cookies at 400 days."
    )
    assert (error.value.key, error.value.value) == (field, months)


@pytest.mark.parametrize("months", [1, 13])
def test_policy_accepts_months_at_both_ends(months):
    assert make_policy(accept_months=months, refuse_months=months).accept_months == months


def test_policy_refuses_a_hostile_policy_url():
    with pytest.raises(ConfigError) as error:
        make_policy(policy_url="javascript:alert(1)")

    assert str(error.value) == (
        "'policy_url' holds the URL 'javascript:alert(1)'. "
        "Allowed are 'https://…', 'http://…' or a path such as '/privacy'."
    )


# -- keys


@pytest.mark.parametrize(
    "declared",
    [
        {"purposes": (*default_purposes(), Purpose("analytics"))},
        {"services": (make_service("analytics"),)},
        {"services": (make_service("analytics", purposes=("marketing",)), make_service("other"))},
    ],
)
def test_policy_refuses_one_key_for_two_things(declared):
    with pytest.raises(ConfigError) as error:
        make_policy(**declared)

    assert str(error.value) == (
        "Key 'analytics' is declared twice. Purposes and services share one set of keys; rename one of the two, or leave one out."
    )


def test_policy_refuses_a_service_called_necessary():
    with pytest.raises(ConfigError) as error:
        make_policy(services=(make_service("necessary"),))

    assert str(error.value) == (
        "Key 'necessary' is declared twice. Purposes and services share one set of keys; rename one of the two, or leave one out."
    )


@pytest.mark.parametrize("purposes", [(), (Purpose("analytics"),)])
def test_policy_refuses_to_lack_the_necessary_purpose(purposes):
    with pytest.raises(ConfigError) as error:
        make_policy(purposes=purposes)

    assert str(error.value) == (
        "The policy has no purpose 'necessary'. Add Purpose('necessary'): it is what stays on without consent."
    )


def test_policy_refuses_necessary_as_a_service_in_place_of_the_purpose():
    with pytest.raises(ConfigError, match="The policy has no purpose 'necessary'"):
        make_policy(purposes=(Purpose("analytics"),), services=(make_service("necessary"),))


def test_policy_refuses_a_service_of_an_undeclared_purpose():
    with pytest.raises(ConfigError) as error:
        make_policy(services=(make_service("matomo", purposes=("analitics",)),))

    assert str(error.value) == (
        "Service 'matomo' names purpose 'analitics', which the policy does not declare. Declared purposes, the closest "
        "first: 'analytics', 'marketing', 'necessary', 'preferences'."
    )
    assert (error.value.key, error.value.value) == ("matomo", "analitics")


def test_check_key_passes_every_declared_key(policy):
    for key in policy.keys:
        policy.check_key(key)

    assert policy.keys == ("necessary", "preferences", "analytics", "marketing", "login", "stats", "player", "pixel")


def test_check_key_names_the_known_keys_closest_first(policy):
    with pytest.raises(UnknownKeyError) as error:
        policy.check_key("analitycs", where="gate() in page.html, line 3")

    assert str(error.value) == (
        "Unknown purpose or service 'analitycs' (gate() in page.html, line 3). Declared keys, the closest first: "
        "'analytics', 'login', 'marketing', 'necessary', 'pixel', 'player', 'preferences', 'stats'. "
        "Use one of them, or declare 'analitycs' in the policy."
    )
    assert error.value.key == "analitycs"
    assert error.value.allowed[0] == "analytics"


@pytest.mark.parametrize("key", ["", "Analytics", "analytics ", "__class__", "stats\n", None, 5, ["stats"]])
def test_check_key_refuses_what_only_looks_like_a_key(policy, key):
    with pytest.raises(UnknownKeyError):
        policy.check_key(key)


# -- what is necessary


def test_policy_refuses_necessary_without_a_justification():
    with pytest.raises(ConfigError) as error:
        make_policy(services=(make_service("chat", purposes=("necessary",)),))

    assert str(error.value) == (
        "Service 'chat' is filed under 'necessary' without a justification. Give 'justification': why the visitor "
        "cannot get what they asked for without it (L18)."
    )


@pytest.mark.parametrize("justification", ["  ", {}, {"en": ""}])
def test_policy_refuses_a_blank_justification(justification):
    with pytest.raises(ConfigError, match="is filed under 'necessary' without a justification"):
        make_policy(services=(make_service("chat", purposes=("necessary",), justification=justification),))


def test_policy_refuses_necessary_together_with_another_purpose():
    with pytest.raises(ConfigError) as error:
        make_policy(services=(make_service("chat", purposes=("necessary", "analytics"), justification="Why."),))

    assert str(error.value) == (
        "Service 'chat' is filed under 'necessary' and under 'analytics'. What is necessary needs no consent, so it "
        "cannot serve anything else; declare two services or drop 'necessary' (L18)."
    )


@pytest.mark.parametrize("key", ["google-analytics", "google-tag-manager", "matomo", "plausible", "meta-pixel"])
def test_policy_refuses_a_tracker_by_its_key_as_necessary(key):
    with pytest.raises(ConfigError) as error:
        make_policy(services=(make_service(key, purposes=("necessary",), justification="We like it."),))

    assert str(error.value) == (
        f"Service {key!r} is filed under 'necessary', but {key!r} measures or advertises, which is not strictly "
        "necessary (ePrivacy Directive art. 5(3), L18). File it under 'analytics' or 'marketing'."
    )


@pytest.mark.parametrize(
    "host",
    ["doubleclick.net", "ad.doubleclick.net", "*.doubleclick.net", "www.google-analytics.com", "connect.facebook.net"],
)
def test_policy_refuses_a_tracker_by_its_host_as_necessary(host):
    with pytest.raises(ConfigError) as error:
        make_policy(
            services=(make_service("shop", purposes=("necessary",), justification="Why.", hosts=("a.example", host)),)
        )

    assert str(error.value) == (
        f"Service 'shop' is filed under 'necessary', but {host!r} measures or advertises, which is not strictly "
        "necessary (ePrivacy Directive art. 5(3), L18). File it under 'analytics' or 'marketing'."
    )


def test_policy_accepts_a_host_that_only_ends_like_a_tracker_as_necessary():
    service = make_service("shop", purposes=("necessary",), justification="Why.", hosts=("notdoubleclick.net",))

    assert make_policy(services=(service,)).services == (service,)


# -- look-ups


def test_services_of_lists_a_service_once_under_its_first_purpose(policy):
    listed = {key: [service.key for service in policy.services_of(key)] for key in policy.purposes_by_key}

    assert listed == {
        "necessary": ["login"],
        "preferences": [],
        "analytics": ["stats", "pixel"],
        "marketing": ["player"],
    }


def test_fingerprints_cover_everything_a_visitor_decides_on_and_nothing_else(policy):
    assert set(policy.fingerprints) == {"preferences", "analytics", "marketing", "stats", "player", "pixel"}
    assert {policy.keys_by_fingerprint[value]: value for value in policy.fingerprints.values()} == policy.fingerprints
    assert {len(value) for value in policy.fingerprints.values()} == {3}


def test_policy_keeps_what_it_was_built_from_when_the_lists_change():
    services = [make_service()]
    policy = make_policy(services=services)

    services.clear()

    assert [service.key for service in policy.services] == ["stats"]


@pytest.mark.parametrize("name", ["fingerprints", "keys_by_fingerprint", "purposes_by_key", "services_by_key"])
def test_policy_mappings_cannot_be_changed(policy, name):
    with pytest.raises(TypeError):
        getattr(policy, name)["x"] = "y"


def test_policy_is_frozen(policy):
    with pytest.raises(dataclasses.FrozenInstanceError):
        policy.controller = "Someone else"


def test_replace_computes_the_derived_fields_again(policy):
    smaller = dataclasses.replace(policy, services=())

    assert set(smaller.fingerprints) == {"preferences", "analytics", "marketing"}
    assert smaller.version != policy.version


def test_policy_refuses_two_keys_of_one_fingerprint():
    first, second = find_clash()

    with pytest.raises(ConfigError) as error:
        make_policy(purposes=(Purpose("necessary"), first, second))

    assert str(error.value) == (
        f"{second.key!r} and {first.key!r} happen to have the same 24-bit fingerprint. "
        f"Raise 'revision' of {second.key!r} by one."
    )
    make_policy(purposes=(Purpose("necessary"), first, dataclasses.replace(second, revision=2)))


def find_clash():
    seen: dict[bytes, Purpose] = {}
    for number in range(100_000):
        purpose = Purpose(f"p{number}")
        other = seen.setdefault(fingerprint_purpose(purpose), purpose)
        if other is not purpose:
            return other, purpose
    raise AssertionError("no two of 100,000 share 24 bits")


def test_same_cookie_may_be_declared_by_two_services():
    cookie = CookieDeclaration("_ga", months=13)

    policy = make_policy(services=(make_service("one", cookies=(cookie,)), make_service("two", cookies=(cookie,))))

    assert len(policy.services) == 2


@pytest.mark.parametrize("kind", ["analytics", "recording", "advertising", "tag_manager", "crm", "testing"])
def test_service_that_measures_or_advertises_is_never_necessary(kind):
    service = Service("own", name="Own", kind=kind, purposes=("necessary",), justification="We like it.")

    with pytest.raises(ConfigError, match=r"'own' is filed under 'necessary', but 'own' measures or advertises"):
        Policy(controller="Example", services=(service,))
