"""`flask consent check`, and what keeps an app from starting: what is unlawful where it is enabled, or doubtful."""

from __future__ import annotations

import json
import logging

import pytest
from click.testing import CliRunner
from flask.cli import ScriptInfo
from jinja2 import DictLoader

from consent import Consent, Document, Purpose, Service
from consent.cli import group
from consent.core.declaration import Basis
from consent.errors import ConfigError

PRIVACY = Document("privacy", url="/privacy", version="1")
NO_REJECT = (
    '{% extends "consent/default/banner.html" %}{% block actions %}'
    '<button name="action" value="accept_all">{{ visit.text("banner.accept_all") }}</button>{% endblock %}'
)
TICKED = (
    '{% extends "consent/default/preferences.html" %}{% block purposes %}'
    '<input type="checkbox" name="granted" value="marketing" checked>{% endblock %}'
)
IMPLIED = (
    '{% extends "consent/default/banner.html" %}{% block text %}<p>By continuing to browse you agree.</p>{% endblock %}'
)
FOCUSED = (
    '{% extends "consent/default/banner.html" %}{% block actions %}'
    '<button name="action" value="accept_all" autofocus>Yes</button><button name="action" value="reject_all">No</button>'
    "{% endblock %}"
)
WORDY = '{% extends "consent/default/banner.html" %}{% block text %}<p>{{ "word " * 160 }}</p>{% endblock %}'


@pytest.fixture
def check(bare_app):
    """Return a function that runs the command on an app with these templates, declarations and settings."""

    def run(*options, templates=None, purposes=(), services=("google-analytics",), documents=(PRIVACY,), **config):
        def create(*_):
            app = bare_app(**config)
            app.jinja_loader = DictLoader(templates or {})
            Consent(app, purposes=purposes, services=services, documents=documents)
            return app

        return CliRunner().invoke(group, ["check", *options], obj=ScriptInfo(create_app=create))

    return run


def read(result):
    return [(each["severity"], each["rule"], each["key"]) for each in json.loads(result.stdout)]


def test_nothing_to_find_is_a_success(check):
    result = check("--strict")

    assert (result.exit_code, result.stdout) == (0, "0 errors, 0 warnings.\n")


def test_nothing_to_find_is_an_empty_list_in_json(check):
    assert json.loads(check("--json").stdout) == []


@pytest.mark.parametrize(("options", "exit_code"), [((), 0), (("--strict",), 1)])
def test_warning_fails_where_it_is_asked_to(check, options, exit_code):
    result = check(*options, documents=())

    assert result.exit_code == exit_code
    assert result.stdout.startswith("warning L14  No privacy policy is declared.")
    assert result.stdout.endswith("\n0 errors, 1 warning.\n")


@pytest.mark.parametrize(
    ("name", "source", "rule"),
    [
        ("banner", NO_REJECT, "D13"),
        ("banner", IMPLIED, "D12"),
        ("banner", FOCUSED, "D6"),
        ("preferences", TICKED, "D7"),
        ("banner", "{{ nothing.at.all }}", "T60"),
    ],
)
def test_unlawful_template_of_the_site_is_an_error(check, name, source, rule):
    result = check("--json", templates={f"consent/{name}.html": source})

    assert result.exit_code == 1
    assert ("error", rule) in {found[:2] for found in read(result)}


def test_wordy_banner_is_a_warning(check):
    result = check("--json", templates={"consent/banner.html": WORDY})

    assert (result.exit_code, {found[:2] for found in read(result)}) == (0, {("warning", "D18")})


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (NO_REJECT, "has no button 'reject_all' beside ['accept_all']."),
        (IMPLIED, "says 'by continuing to'."),
        (FOCUSED, "gives the focus to 'accept_all' by itself."),
    ],
)
def test_finding_says_what_was_found(check, source, words):
    assert words in check(templates={"consent/banner.html": source}).stdout


def test_template_that_changes_only_looks_is_left_alone(check):
    source = '{% extends "consent/default/banner.html" %}{% block links %}{{ super() }}<a href="/help">Help</a>{% endblock %}'

    assert check("--strict", templates={"consent/banner.html": source}).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "rule", "key"),
    [
        ({"CONSENT_JURISDICTION_RULES": [{"key": "FR", "regime": "notice"}]}, "L48", "FR"),
        ({"CONSENT_JURISDICTION_RULES": [{"key": "EEA", "regime": "notice"}]}, "L48", "EEA"),
        (
            {"purposes": [Purpose("counts", title="Counts", description="Count.", basis=Basis.LEGITIMATE_INTEREST)]},
            "L19",
            "counts",
        ),
        (
            {"CONSENT_TEXTS": {"en": {"banner.text": "By continuing to browse you agree to {controller}."}}},
            "D12",
            "CONSENT_TEXTS['en']['banner.text']",
        ),
        (
            {"CONSENT_TEXTS": {"de": {"banner.text": "Wenn Sie weitersurfen, stimmen Sie {controller} zu."}}},
            "D12",
            "CONSENT_TEXTS['de']['banner.text']",
        ),
    ],
)
def test_unlawful_configuration_is_an_error_that_names_the_rule(check, arguments, rule, key):
    result = check("--json", **arguments)

    assert (result.exit_code, ("error", rule, key) in read(result)) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"CONSENT_ACCEPT_MONTHS": 24}, "'CONSENT_ACCEPT_MONTHS' must be between 1 and 13, got 24."),
        ({"CONSENT_UNKNOWN": 1}, "Unknown setting 'CONSENT_UNKNOWN'."),
        ({"services": ["you-tube"]}, "The catalogue has no service 'you-tube'."),
        ({"CONSENT_JURISDICTION_RULES": [{"key": "Atlantis"}]}, "'Atlantis'"),
    ],
)
def test_error_of_the_start_is_a_finding(check, arguments, message):
    result = check("--json", **arguments)
    (found,) = json.loads(result.stdout)

    assert (result.exit_code, found["severity"], message in found["message"]) == (1, "error", True)


def test_service_that_is_necessary_without_a_reason_is_an_error(check):
    result = check(services=[Service("login", name="Login", purposes=("necessary",))])

    assert (result.exit_code, "'justification'" in result.stdout) == (1, True)


@pytest.mark.parametrize(
    ("row", "law"),
    [
        ({"key": "FR", "regime": "opt_out"}, "CNIL 2020-091"),
        ({"key": "DE", "regime_by_kind": {"statistics": "opt_out"}}, "TDDDG s. 25"),
    ],
)
def test_override_that_loosens_a_law_is_a_warning_that_names_it(check, row, law):
    result = check(CONSENT_JURISDICTION_RULES=[row])

    assert (result.exit_code, result.stdout.startswith("warning L21  CONSENT_JURISDICTION_RULES loosens")) == (0, True)
    assert law in result.stdout


def test_override_that_is_stricter_is_no_finding(check):
    assert check("--strict", CONSENT_JURISDICTION_RULES=[{"key": "JP", "regime": "opt_in"}]).exit_code == 0


@pytest.mark.parametrize(
    ("texts", "exit_code"),
    [
        ({"notice.text": "By continuing to browse you agree to {controller}."}, 0),
        ({"objection.text": "By using this site you agree to {controller}."}, 0),
        ({"banner.title": "By using this site you agree"}, 1),
    ],
)
def test_words_of_implied_consent_are_judged_by_where_they_are_shown(check, texts, exit_code):
    assert check(CONSENT_TEXTS={"en": texts}).exit_code == exit_code


def test_unlawful_app_does_not_start_and_says_every_rule(bare_app):
    app = bare_app(
        CONSENT_JURISDICTION_RULES=[{"key": "FR", "regime": "notice"}],
        CONSENT_TEXTS={"en": {"banner.title": "By using this site you agree"}},
    )
    with pytest.raises(ConfigError) as caught:
        Consent(app)

    assert isinstance(caught.value.value, tuple)
    assert [finding.rule for finding in caught.value.value] == ["D12", "L48", "L14", "L21"]
    assert str(caught.value).count("(L48)") == 1


def test_doubtful_app_starts_and_logs_each_warning_once(bare_app, caplog):
    app = bare_app(CONSENT_JURISDICTION_RULES=[{"key": "FR", "regime": "opt_out"}])
    Consent(app, documents=[PRIVACY])
    app.test_client().get("/")

    assert [(record.levelno, "loosens the rules of 'FR'" in record.getMessage()) for record in caplog.records] == [
        (logging.WARNING, True)
    ]


@pytest.mark.parametrize("regime", ["notice", "opt_out"])
def test_looser_law_of_the_site_is_in_force_only_where_it_may_be(bare_app, regime):
    app = bare_app(CONSENT_JURISDICTION_RULES=[{"key": "BR", "regime": regime}])
    if regime == "notice":
        with pytest.raises(ConfigError, match="L48"):
            Consent(app, jurisdiction=lambda: "BR")
        return
    Consent(app, jurisdiction=lambda: "BR")

    assert app.test_client().get("/privacy-choices/state").json["regime"] == "opt_out"


@pytest.mark.parametrize("name", ["banner", "preferences"])
def test_unlawful_template_stops_an_app_in_debug_and_is_logged_otherwise(bare_app, caplog, name):
    app = bare_app({f"consent/{name}.html": NO_REJECT if name == "banner" else TICKED})
    Consent(app, documents=[PRIVACY])
    rule = "D13" if name == "banner" else "D7"
    status = app.test_client().get("/").status_code

    assert status == 200
    assert any(f"({rule})" in record.getMessage() for record in caplog.records)


def test_unlawful_template_is_an_error_on_the_first_page_in_debug(bare_app):
    app = bare_app({"consent/banner.html": NO_REJECT})
    app.debug = True
    Consent(app, documents=[PRIVACY])

    with pytest.raises(ConfigError, match="D13"):
        app.test_client().get("/")
