from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import pytest

from consent.core.declaration import Basis, Purpose, PurposeKind, Service, default_purposes
from consent.core.document import Document
from consent.core.lint import Finding, Severity, lint
from consent.core.policy import Policy
from consent.jurisdictions import load_implied_consent, load_table

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SHIPPED = load_table()[0]
PHRASES = load_implied_consent()
PRIVACY = Document("privacy", url="/privacy", version="1")
NECESSARY = Purpose("necessary")


def make_policy(**fields: Any) -> Policy:
    return Policy(**{"controller": "Example Ltd", "documents": (PRIVACY,), **fields})


def run(
    *overrides: dict[str, Any],
    policy: Policy | None = None,
    texts: Mapping[str, Mapping[str, str]] | None = None,
    now: datetime = NOW,
) -> tuple[Finding, ...]:
    return lint(
        policy or make_policy(),
        load_table(overrides)[0],
        shipped=SHIPPED,
        texts=texts or {},
        phrases=PHRASES,
        now=now,
    )


def briefly(findings: tuple[Finding, ...]) -> list[tuple[str, str, str]]:
    return [(each.rule, str(each.severity), each.key) for each in findings]


def test_nothing_is_found_in_what_is_shipped():
    assert run() == ()


def test_notice_in_a_place_of_opt_in_is_an_error_that_names_place_law_and_rule():
    (finding, _) = run({"key": "FR", "regime": "notice"})

    assert finding == Finding(
        rule="L48",
        severity=Severity.ERROR,
        key="FR",
        message=(
            "CONSENT_JURISDICTION_RULES sets 'FR' to 'notice' for 'preferences (appearance)', 'analytics (statistics)', "
            "'marketing (advertising)'. The shipped rules of 'FR' ask for 'opt_in' there: CNIL 2020-091 and 2020-092 on "
            "ePrivacy Directive art. 5(3): refusing on the first layer, as easy as accepting; every controller listed; "
            "proof of each choice; both answers kept 6 months. A notice is never consent (L48). Leave these kinds at "
            "'opt_in', or take the purposes out of the policy."
        ),
    )


def test_kinds_that_no_purpose_has_are_only_warned_of():
    policy = make_policy(purposes=(NECESSARY, Purpose("counts", kind=PurposeKind.STATISTICS)))
    error, warning = run({"key": "FR", "regime": "notice"}, policy=policy)

    assert "'notice' for 'counts (statistics)'. " in error.message
    assert "appearance from opt_in to notice, advertising from opt_in to notice" in warning.message


def test_notice_is_only_warned_of_while_nothing_is_optional():
    findings = run({"key": "FR", "regime": "notice"}, policy=make_policy(purposes=(NECESSARY,)))

    assert briefly(findings) == [("L21", "warning", "FR")]


def test_notice_is_an_error_for_the_kinds_that_need_a_grant_alone():
    purposes = (*default_purposes(), Purpose("health", kind=PurposeKind.SENSITIVE))
    error, warning = run(
        {"key": "US-CO", "regime": "notice", "regime_by_kind": {"sensitive": "notice"}},
        policy=make_policy(purposes=purposes),
    )

    assert "'notice' for 'health (sensitive)'. " in error.message
    assert (warning.rule, "statistics from opt_out to notice" in warning.message) == ("L21", True)


def test_opt_out_in_a_place_of_opt_in_is_a_warning_that_names_the_law():
    (finding,) = run({"key": "IT", "regime_by_kind": {"statistics": "opt_out"}})

    assert (finding.rule, finding.severity, finding.key) == ("L21", Severity.WARNING, "IT")
    assert finding.message == (
        "CONSENT_JURISDICTION_RULES loosens the rules of 'IT': statistics from opt_in to opt_out. The shipped rules of 'IT' "
        "are: Garante no. 231 of 10 June 2021: closing keeps the defaults, scrolling is no consent, no asking again for "
        "at least 6 months. Ask a lawyer, or leave them as they are (L21)."
    )


@pytest.mark.parametrize(
    "override",
    [
        {"key": "JP", "regime": "opt_in"},
        {"key": "GB", "regime": "opt_in"},
        {"key": "US", "regime": "opt_out"},
        {"key": "FR", "accept_months": 12, "refuse_months": 12},
        {"key": "AU", "name": "Australia", "regime": "opt_in", "basis": "x"},
        {"key": "US-VT", "effective_from": date(2026, 1, 1)},
    ],
)
def test_override_that_asks_for_as_much_or_more_is_fine(override):
    assert run(override) == ()


def test_new_row_is_compared_with_the_rules_that_it_takes_the_place_of():
    own = {"key": "PT", "name": "Portugal", "regime": "notice", "basis": "x"}

    assert briefly(run(own)) == [("L48", "error", "PT"), ("L21", "warning", "PT")]
    assert "The shipped rules of 'EEA' ask for 'opt_in'" in run(own)[0].message


def test_new_row_of_a_place_that_nothing_was_known_of_is_compared_with_opt_in():
    own = {"key": "AU", "name": "Australia", "regime": "opt_out", "basis": "x"}

    assert "The shipped rules of 'unknown' are: No law in particular" in run(own)[0].message


def test_shared_row_is_found_once():
    assert briefly(run({"key": "EEA", "regime": "opt_out"})) == [("L21", "warning", "EEA")]


def test_easier_row_for_visitors_whose_region_is_not_known_is_found():
    (finding,) = run({"key": "US", "without_region": ""})

    assert "loosens the rules of 'US': statistics from opt_out to notice" in finding.message
    assert "'US-CA@2026-01-01'" in finding.message


@pytest.mark.parametrize(
    "override",
    [
        {"key": "CA", "regime": "notice"},
        {"key": "CA", "regime_by_kind": {"sensitive": "opt_out"}},
        {"key": "US", "regime_by_kind": {"sensitive": "notice"}},
        {"key": "US", "without_region": ""},
    ],
    ids=str,
)
@pytest.mark.parametrize("year", [2025, 2026, 2029, 2040])
def test_easier_row_for_regions_without_one_is_found_on_any_day(override, year):
    findings = run(override, now=datetime(year, 7, 1, tzinfo=UTC))

    assert {*briefly(findings)} == {("L21", "warning", override["key"])}


@pytest.mark.parametrize("regime", ["notice", "opt_out"])
def test_row_of_a_place_that_nothing_was_known_of_is_warned_of_at_most(regime):
    own = {"key": "AU", "name": "Australia", "regime": regime, "basis": "x"}

    assert briefly(run(own)) == [("L21", "warning", "AU")]


def test_override_that_begins_later_is_found_before_its_day():
    findings = run({"key": "FR", "regime": "notice", "effective_from": date(2028, 1, 1)})

    assert briefly(findings)[0] == ("L48", "error", "FR@2028-01-01")


def test_override_that_a_later_law_makes_too_easy_is_found():
    own = {"key": "US-VT", "regime": "notice", "effective_from": date(2026, 1, 1)}

    assert run(own, {"key": "US-VT", "regime": "opt_out", "effective_from": date(2028, 1, 1)}) == ()
    assert run(own) == ()
    assert briefly(run({"key": "US-VT", "regime": "notice"})) == [("L21", "warning", "US-VT@2028-01-01")]


def test_override_whose_time_is_over_is_not_looked_at():
    own = {
        "key": "GB",
        "regime": "notice",
        "regime_by_kind": {"statistics": "notice"},
        "effective_from": date(2020, 1, 1),
    }

    assert run(own) == ()


@pytest.mark.parametrize("kind", PurposeKind)
def test_legitimate_interest_is_an_error_for_every_kind(kind):
    purposes = (NECESSARY, Purpose("counts", kind=kind, basis=Basis.LEGITIMATE_INTEREST))
    (finding,) = run(policy=make_policy(purposes=purposes))

    assert (finding.rule, finding.severity, finding.key) == ("L19", Severity.ERROR, "counts")
    assert f"For kind '{kind.value}' the law asks for consent in 'BR', " in finding.message
    assert "'unknown'" in finding.message


def test_legitimate_interest_is_fine_for_what_is_necessary():
    policy = make_policy(purposes=(Purpose("necessary", basis=Basis.LEGITIMATE_INTEREST),))

    assert run(policy=policy) == ()


@pytest.mark.parametrize(
    "text",
    [
        "By continuing to browse, you agree to cookies.",
        "BY\u00a0USING  THIS\nSITE you accept cookies.",
        "Durch die weitere Nutzung stimmen Sie zu.",
        "Si vous continuez, vous acceptez.",
        "En poursuivant votre navigation, vous acceptez.",
        "L’internaute accepte en restant sur ce site.",
        "Proseguendo la navigazione, accetti.",
        "Al continuar navegando, acepta.",
        "Ao continuar a navegar, aceita.",
        "Door verder te gaan gaat u akkoord.",
        "Genom att fortsätta godkänner du.",
        "Jatkamalla selaamista hyväksyt evästeet.",
        "Pokračováním v prohlížení souhlasíte.",
        "Συνεχίζοντας την περιήγηση, συμφωνείτε.",
        "Продолжая использовать сайт, вы соглашаетесь.",
        "بالاستمرار في التصفح فإنك توافق",
        "המשך הגלישה מהווה הסכמה",
        "继续浏览即表示您同意使用 Cookie。",
        "閲覧を続けることで、同意したものとみなします。",
        "계속 이용하시면 동의하는 것으로 간주됩니다.",
        "Bằng cách tiếp tục, bạn đồng ý.",
        "Bu siteyi kullanarak kabul edersiniz.",
    ],
)
def test_text_that_takes_going_on_as_agreement_is_an_error(text):
    (finding,) = run(texts={"en": {"banner.text": text}})

    assert (finding.rule, finding.severity) == ("D12", Severity.ERROR)
    assert finding.key == "CONSENT_TEXTS['en']['banner.text']"


def test_message_about_a_text_gives_the_words_and_what_to_do():
    (finding,) = run(texts={"fr": {"banner.text": "SI VOUS CONTINUEZ, c'est oui."}})

    assert finding.message == (
        "CONSENT_TEXTS['fr']['banner.text'] says 'si vous continuez'. Going on, scrolling or staying is never consent (EDPB "
        "Guidelines 05/2020, para. 86, D12), and this text is shown where the visitor has a choice. Say what the buttons "
        "do instead."
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Continue without accepting",
        "Continuer sans accepter",
        "Weiter ohne Einwilligung",
        "Continua senza accettare",
        "Continuar sin aceptar",
        "Doorgaan zonder accepteren",
        "不接受并继续浏览",
        "You decide for each purpose.",
        "You can change your mind at any time by visiting our privacy page.",
        "Turn this off by using our site settings",
        "Videos start by scrolling",
    ],
)
def test_fair_text_is_fine(text):
    assert run(texts={"en": {"banner.text": text}}) == ()


@pytest.mark.parametrize(("key", "expected"), [("notice.text", []), ("objection.text", ["warning"])])
def test_place_of_a_text_decides_how_bad_it_is(key, expected):
    findings = run(texts={"en": {key: "By continuing to browse you agree."}})

    assert [str(each.severity) for each in findings] == expected


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"purposes": (NECESSARY, Purpose("ads", description="By using this site you agree."))}, "Purpose 'ads'"),
        (
            {"documents": (PRIVACY, Document("t", url="/t", version="1", changes="By using our site, you agree"))},
            "Document 't'",
        ),
        (
            {"services": (Service("a", name="A", purposes=("analytics",), description={"fr": "Si vous continuez"}),)},
            "Service 'a'",
        ),
    ],
)
def test_words_of_the_policy_are_looked_at(fields, key):
    assert briefly(run(policy=make_policy(**fields))) == [("D12", "error", key)]


def test_asking_again_too_soon_is_a_warning():
    (finding,) = run(policy=make_policy(refuse_months=5))

    assert (finding.rule, finding.severity, finding.key) == ("L10", Severity.WARNING, "CONSENT_REFUSE_MONTHS")
    assert finding.message.startswith("CONSENT_REFUSE_MONTHS is 5: visitors who refused are asked again too soon.")


def test_row_that_asks_again_too_soon_is_a_warning_where_the_law_asks_for_opt_in():
    rows = [{"key": "FR", "refuse_months": 3}, {"key": "US-CA", "refuse_months": 3}]

    assert briefly(run(*rows)) == [("L10", "warning", "'refuse_months' of 'FR'")]


def test_setting_of_the_months_stands_over_those_of_the_rows():
    assert run({"key": "FR", "refuse_months": 3}, policy=make_policy(refuse_months=6)) == ()


def test_site_without_a_privacy_policy_is_warned():
    (finding,) = run(policy=make_policy(documents=(Document("terms", url="/terms", version="1"),)))

    assert (finding.rule, finding.severity) == ("L14", Severity.WARNING)
    assert "Add Document('privacy', url=…, version=…) to 'documents', or give 'policy_url'." in finding.message


@pytest.mark.parametrize("fields", [{"policy_url": "/privacy"}, {"purposes": (NECESSARY,)}])
def test_privacy_policy_is_not_missed_where_there_is_one_or_nothing_to_ask(fields):
    assert run(policy=make_policy(documents=(), **fields)) == ()


def test_errors_come_before_warnings():
    findings = run(
        {"key": "FR", "regime": "notice"},
        {"key": "AT", "name": "Austria", "regime": "opt_out", "basis": "x"},
        policy=make_policy(documents=(), refuse_months=1),
        texts={"en": {"banner.text": "By staying on this page you agree."}},
    )

    assert [(str(each.severity), each.rule) for each in findings] == [
        ("error", "D12"),
        ("error", "L48"),
        ("warning", "L10"),
        ("warning", "L14"),
        ("warning", "L21"),
        ("warning", "L21"),
    ]
    assert [each.key for each in findings[-2:]] == ["AT", "FR"]
