"""The library writes no TCF string; a site with a registered platform of its own can hook one in."""

from __future__ import annotations

import re

import pytest

from consent import current_consent
from consent.errors import ConfigError, SetupError
from consent.testing import grant, refuse

# Made by a registered platform: the sample of IAB's own specification.
STRING = "CQSbk4AQSbk4ANwAAAENAwCgAAAAAAAAAAYgACPAAAAA.IDKQA4AAgAKAGQAygAAA.YAAAAAAAAAAA"


CMP_ID = 880


def encode(decision):
    return STRING if decision.choices["marketing"] == "granted" else "none"


def encode_nothing(_decision):
    return None


def fail(_decision):
    raise RuntimeError("out of ink")


def make_client(make_app, *, jurisdiction=lambda: None, **signals):
    app = make_app(jurisdiction=jurisdiction, CONSENT_SIGNALS=signals)
    app.testing = True
    app.add_url_rule("/tcf", "tcf", lambda: dict(current_consent.signals("tcf")))
    return app.test_client()


def test_there_is_no_string_without_a_platform(make_app):
    client = make_client(make_app)

    with pytest.raises(SetupError, match=r"signal adapter 'tcf'"):
        client.get("/tcf")


def test_page_has_no_interface_of_tcf(make_app):
    client = make_client(make_app, tcf={"cmp_id": CMP_ID, "encode": encode})

    assert "__tcfapi" not in client.get("/").text


def test_string_is_the_platforms_own(make_app):
    client = make_client(make_app, tcf={"cmp_id": CMP_ID, "encode": encode})
    grant(client, "marketing")

    assert client.get("/tcf").json == {"gdpr": "1", "gdpr_consent": STRING}


@pytest.mark.parametrize("broken", [encode, fail, encode_nothing, lambda _decision: STRING.encode()])
def test_nothing_is_claimed_without_a_string(make_app, caplog, broken):
    client = make_client(make_app, tcf={"cmp_id": CMP_ID, "encode": broken})

    assert client.get("/tcf").json == {"gdpr": "1"}
    assert "nothing is claimed" in caplog.text


def test_string_of_another_platform_is_not_passed_on(make_app):
    client = make_client(make_app, tcf={"cmp_id": 300, "encode": encode})
    grant(client, "marketing")

    assert client.get("/tcf").json == {"gdpr": "1"}


@pytest.mark.parametrize("broken", [fail, encode_nothing])
def test_refusal_takes_effect_though_the_platform_fails(make_app, broken):
    client = make_client(make_app, tcf={"cmp_id": CMP_ID, "encode": broken})
    grant(client, "marketing")
    refuse(client)

    assert client.get("/privacy-choices/state").json["choices"]["marketing"] == "denied"


@pytest.mark.parametrize(
    ("place", "applies"), [("FR", "1"), ("GB", "1"), ("CH", "1"), ("GP", "1"), ("BR", "0"), ("US-CA", "0")]
)
def test_law_of_the_string_applies_where_it_holds(make_app, place, applies):
    client = make_client(make_app, jurisdiction=lambda: place, tcf={"cmp_id": CMP_ID, "encode": encode})

    assert client.get("/tcf").json == {"gdpr": applies}


def test_string_is_not_asked_for_where_nobody_is(make_app):
    client = make_client(make_app, jurisdiction=lambda: "JP", tcf={"cmp_id": CMP_ID, "encode": fail})

    assert client.get("/tcf").json == {"gdpr": "0"}


@pytest.mark.parametrize(
    "hook",
    [
        {"cmp_id": 0, "encode": encode},
        {"cmp_id": 1, "encode": encode},
        {"cmp_id": True, "encode": encode},
        {"cmp_id": "300", "encode": encode},
        {"cmp_id": 300},
        {"encode": encode},
        {"cmp_id": 300, "encode": STRING},
        {"cmp_id": 300, "encode": encode, "vendors": []},
        {"cmp_id": 4096, "encode": encode},
        {},
    ],
)
def test_platform_that_is_not_registered_keeps_the_app_from_starting(make_app, hook):
    with pytest.raises(ConfigError, match=re.escape("the id under which IAB Europe has registered your consent")):
        make_app(CONSENT_SIGNALS={"tcf": hook})
