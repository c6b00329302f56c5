"""The library writes no TCF string; a site with a registered platform of its own can hook one in."""

from __future__ import annotations

import re

import pytest

from consent import current_consent
from consent.errors import ConfigError, SetupError
from consent.testing import grant

# Made by a registered platform: the sample of IAB's own specification.
STRING = "CQSbk4AQSbk4ANwAAAENAwCgAAAAAAAAAAYgACPAAAAA.IDKQA4AAgAKAGQAygAAA.YAAAAAAAAAAA"


def encode(decision):
    return STRING if decision.choices["marketing"] == "granted" else "none"


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
    client = make_client(make_app, tcf={"cmp_id": 300, "encode": encode})

    assert "__tcfapi" not in client.get("/").text


def test_string_is_the_platforms_own(make_app):
    client = make_client(make_app, tcf={"cmp_id": 300, "encode": encode})
    grant(client, "marketing")

    assert client.get("/tcf").json == {"gdpr": "1", "gdpr_consent": STRING}


@pytest.mark.parametrize("broken", [encode, fail])
def test_nothing_is_claimed_without_a_string(make_app, caplog, broken):
    client = make_client(make_app, tcf={"cmp_id": 300, "encode": broken})

    assert client.get("/tcf").json == {"gdpr": "1"}
    assert "nothing is claimed" in caplog.text


def test_string_is_not_asked_for_where_nobody_is(make_app):
    client = make_client(make_app, jurisdiction=lambda: "JP", tcf={"cmp_id": 300, "encode": fail})

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
    ],
)
def test_platform_that_is_not_registered_keeps_the_app_from_starting(make_app, hook):
    with pytest.raises(ConfigError, match=re.escape("the id under which IAB Europe has registered your consent")):
        make_app(CONSENT_SIGNALS={"tcf": hook})
