"""Documents: declared strictly, told apart by version alone, announced or asked again when revised."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from consent.core.choice import Action
from consent.core.document import Document, find_revised
from consent.core.policy import Policy
from consent.core.prompt import Prompt, PromptKind, PromptReason
from consent.errors import ConfigError
from tests.engine_steps import GPC, QUIET, UNKNOWN, choose, header, look_up, make_engine, opened, rules_of

PRIVACY = Document("privacy", url="/privacy", version="3", effective_at=date(2026, 11, 23))
TERMS = Document("terms", url="/terms", version="2026-11")
CALIFORNIA, JAPAN = rules_of("US", "CA"), rules_of("JP")
PLACES = pytest.mark.parametrize("rules", [UNKNOWN, CALIFORNIA, JAPAN], ids=["opt_in", "opt_out", "notice"])


def make_document(**changes):
    return Document(**({"key": "privacy", "url": "/privacy", "version": "3"} | changes))


@pytest.fixture
def policy(policy):
    return replace(policy, documents=(PRIVACY, TERMS))


@pytest.fixture
def revisit(policy, clock):
    """Choose under the documents of old, return under those of now; both through the cookie."""

    def revisit(*documents, action=Action.REJECT_ALL, rules=UNKNOWN, signals=QUIET):
        engine = make_engine(policy, clock)
        text = header(engine, choose(engine, action, rules=rules, signals=signals))
        new_engine = make_engine(replace(policy, documents=documents), clock)
        return new_engine, look_up(new_engine, text, rules=rules, signals=signals)

    return revisit


# -- declaring


@pytest.mark.parametrize("key", ["", "Privacy", "privacy policy", "-privacy", "a--b", None, 3])
def test_malformed_key_is_an_error(key):
    with pytest.raises(ConfigError) as error:
        make_document(key=key)

    assert str(error.value).startswith(f"Document key {key!r} is malformed. Use lower-case letters")


@pytest.mark.parametrize("version", ["", " ", "\t", None, 3, b"4"])
def test_document_without_a_version_is_an_error(version):
    with pytest.raises(ConfigError) as error:
        make_document(version=version)

    assert str(error.value) == (
        f"Document 'privacy' needs a 'version' such as '3' or '2026-11', got {version!r}. Records say which version was "
        "in force; raise it with every revision."
    )


@pytest.mark.parametrize("day", ["2026-11-23", datetime(2026, 11, 23, tzinfo=UTC), 20261123])
def test_effective_at_is_a_date(day):
    with pytest.raises(ConfigError, match=r"'effective_at' of document 'privacy' must be a date such as date\(2026"):
        make_document(effective_at=day)


@pytest.mark.parametrize("url", ["", "javascript:alert(1)", "//evil.example", 5])
def test_address_that_is_no_page_is_an_error(url):
    with pytest.raises(ConfigError):
        make_document(url=url)


def test_two_documents_of_one_key_are_an_error(policy):
    with pytest.raises(ConfigError) as error:
        replace(policy, documents=(PRIVACY, TERMS, make_document(version="4")))

    assert str(error.value) == (
        "A document is declared twice: 'privacy', 'terms', 'privacy'. Give each its own key; a revision of one is the "
        "same Document with another 'version'."
    )


def test_document_may_have_the_key_of_a_purpose():
    policy = Policy(controller="Example", documents=(Document("marketing", url="/m", version="1"),))

    assert policy.documents[0].key == "marketing"


def test_version_of_the_policy_covers_the_documents(policy):
    raised = replace(policy, documents=(replace(PRIVACY, version="4"), TERMS))
    retitled = replace(policy, documents=(TERMS, replace(PRIVACY, title="Our privacy policy")))

    assert raised.version != policy.version
    assert retitled.version == policy.version
    assert raised.fingerprints == policy.fingerprints


def test_fingerprint_is_of_key_and_version_alone():
    others = [
        make_document(title="T"),
        make_document(url="/p"),
        make_document(changes="C"),
        make_document(is_material=True),
    ]

    assert {each.fingerprint for each in others} == {PRIVACY.fingerprint}
    assert make_document(version="4").fingerprint != PRIVACY.fingerprint
    assert make_document(key="terms").fingerprint != PRIVACY.fingerprint


def test_revised_is_what_was_noted_in_another_version():
    noted = {"privacy": PRIVACY.fingerprint, "cookies": b"old"}

    assert find_revised((PRIVACY, TERMS), noted) == ()
    assert find_revised((make_document(version="4"), TERMS), noted) == (make_document(version="4"),)


# -- on a later visit


@PLACES
@pytest.mark.parametrize(
    "documents",
    [
        (PRIVACY, TERMS),
        (TERMS, PRIVACY),
        (PRIVACY,),
        (),
        (PRIVACY, TERMS, Document("cookies", url="/cookies", version="1")),
        (
            replace(PRIVACY, title="New title", url="/new", changes="Commas.", effective_at=None, is_material=True),
            TERMS,
        ),
    ],
    ids=["same", "reordered", "removed", "all removed", "new", "copy"],
)
def test_same_version_new_or_removed_document_asks_nobody(revisit, documents, rules):
    _, standing = revisit(*documents, rules=rules)

    assert (standing.decision.prompt, standing.decision.revised) == (None, ())


@pytest.mark.parametrize(
    ("rules", "kind"),
    [(UNKNOWN, PromptKind.ANNOUNCEMENT), (CALIFORNIA, PromptKind.ANNOUNCEMENT), (JAPAN, PromptKind.NOTICE)],
    ids=["opt_in", "opt_out", "notice"],
)
@pytest.mark.parametrize("version", ["4", "2", "3.0"], ids=["raised", "backwards", "rewritten"])
def test_revised_document_is_announced_and_asks_nothing(revisit, rules, kind, version):
    _, standing = revisit(replace(PRIVACY, version=version), TERMS, rules=rules)

    assert standing.decision.prompt == Prompt(kind=kind, reason=PromptReason.DOCUMENT_REVISED, asked=())
    assert standing.decision.revised == ("privacy",)


@pytest.mark.parametrize(
    ("rules", "kind"),
    [(UNKNOWN, PromptKind.CHOICE), (CALIFORNIA, PromptKind.OBJECTION), (JAPAN, PromptKind.NOTICE)],
    ids=["opt_in", "opt_out", "notice"],
)
def test_material_revision_asks_of_everything_again(policy, revisit, rules, kind):
    _, standing = revisit(replace(PRIVACY, version="4", is_material=True), TERMS, rules=rules)

    prompt = standing.decision.prompt
    assert (prompt.kind, prompt.reason, prompt.asked) == (
        kind,
        PromptReason.DOCUMENT_REVISED,
        tuple(policy.fingerprints),
    )
    assert not prompt.is_partial


@PLACES
@pytest.mark.parametrize("action", [Action.ACCEPT_ALL, Action.REJECT_ALL])
@pytest.mark.parametrize("is_material", [True, False])
def test_revision_changes_no_verdict(revisit, rules, action, is_material):
    _, before = revisit(PRIVACY, TERMS, action=action, rules=rules)
    _, after = revisit(replace(PRIVACY, version="4", is_material=is_material), TERMS, action=action, rules=rules)

    assert opened(after) == opened(before)


@PLACES
@pytest.mark.parametrize("action", [Action.ACCEPT_ALL, Action.REJECT_ALL])
def test_acknowledged_revision_is_not_announced_again(revisit, clock, rules, action):
    engine, before = revisit(replace(PRIVACY, version="4"), TERMS, rules=rules, action=action)
    clock.advance(days=20)

    record = choose(engine, Action.ACKNOWLEDGE, before=before)

    after = look_up(engine, header(engine, record), rules=rules)
    assert not after.decision.needs_prompt
    assert opened(after) == opened(before)
    if before.record.choices:
        assert (after.record.decided_at, after.record.valid_until) == (
            before.record.decided_at,
            before.record.valid_until,
        )
        assert record.account.acted_at == clock.instant


def test_answered_material_revision_is_not_asked_again(revisit):
    engine, before = revisit(replace(PRIVACY, version="4", is_material=True), TERMS)

    for action in (Action.ACCEPT_ALL, Action.REJECT_ALL):
        record = choose(engine, action, before=before)
        assert not look_up(engine, header(engine, record)).decision.needs_prompt


def test_back_and_forth_announces_whatever_differs_from_what_was_noted(policy, clock, revisit):
    newer, before = revisit(replace(PRIVACY, version="4"), TERMS)
    text = header(newer, choose(newer, Action.ACKNOWLEDGE, before=before))

    assert look_up(newer, text).decision.revised == ()
    assert look_up(make_engine(policy, clock), text).decision.revised == ("privacy",)


def test_choice_that_is_over_is_the_reason_and_the_revision_is_told(revisit, clock, policy):
    old = make_engine(policy, clock)
    text = header(old, choose(old, Action.REJECT_ALL))
    clock.advance(days=200)
    engine = make_engine(replace(policy, documents=(replace(PRIVACY, version="4"), TERMS)), clock)

    decision = look_up(engine, text).decision

    assert (decision.prompt_reason, decision.revised) == (PromptReason.EXPIRED, ("privacy",))


def test_stranger_is_told_of_no_revision(policy, clock):
    assert look_up(make_engine(policy, clock), "").decision.revised == ()


# -- what notes a document, and what does not


def test_record_holds_the_versions_in_force(policy, clock):
    engine = make_engine(policy, clock)
    record = choose(engine, Action.ACKNOWLEDGE, rules=JAPAN)

    assert record.documents == {"privacy": PRIVACY.fingerprint, "terms": TERMS.fingerprint}
    assert look_up(engine, header(engine, record), rules=JAPAN).record.documents == record.documents


@pytest.mark.parametrize("is_material", [True, False])
def test_embed_that_is_allowed_does_not_note_a_revision(revisit, is_material):
    engine, before = revisit(replace(PRIVACY, version="4", is_material=is_material), TERMS)

    record = choose(engine, Action.ALLOW, "player", before=before)

    after = look_up(engine, header(engine, record))
    assert after.decision.services["player"] == "granted"
    assert after.decision.prompt == before.decision.prompt


def test_grant_that_could_not_be_recorded_does_not_note_a_revision(revisit):
    engine, before = revisit(replace(PRIVACY, version="4"), TERMS)

    narrowed = engine.narrow(choose(engine, Action.ACCEPT_ALL, before=before), before=before)

    assert look_up(engine, header(engine, narrowed)).decision.revised == ("privacy",)


def test_revision_acknowledged_in_japan_takes_no_grant_away_that_was_made_in_france(revisit):
    engine, at_home = revisit(replace(PRIVACY, version="4"), TERMS, action=Action.ACCEPT_ALL)
    abroad = engine.judge(at_home.record, signals=QUIET, jurisdiction=JAPAN)

    text = header(engine, choose(engine, Action.ACKNOWLEDGE, before=abroad))

    assert opened(look_up(engine, text)) == opened(at_home)
    assert not look_up(engine, text).decision.needs_prompt


def test_revision_acknowledged_while_gpc_is_on_opens_nothing_when_it_goes(revisit):
    engine, before = revisit(
        replace(PRIVACY, version="4"), TERMS, action=Action.ACKNOWLEDGE, rules=CALIFORNIA, signals=GPC
    )
    text = header(engine, choose(engine, Action.ACKNOWLEDGE, before=before, signals=GPC))

    assert "marketing" not in opened(look_up(engine, text, rules=CALIFORNIA))


# -- one that was added since


@PLACES
@pytest.mark.parametrize(
    ("told", "is_announced"),
    [
        ({}, False),
        ({"title": "Cookies"}, False),
        ({"changes": "All about cookies."}, True),
        ({"is_material": True}, True),
    ],
    ids=str,
)
def test_added_document_is_announced_if_there_is_something_to_tell(revisit, rules, told, is_announced):
    _, standing = revisit(PRIVACY, TERMS, Document("cookies", url="/cookies", version="1", **told), rules=rules)

    assert (standing.decision.needs_prompt, standing.decision.revised) == (is_announced, ("cookies",) * is_announced)


@PLACES
def test_added_document_is_announced_once(policy, clock, revisit, rules):
    added = Document("cookies", url="/cookies", version="1", changes="All about cookies.")
    engine, before = revisit(PRIVACY, TERMS, added, rules=rules)
    text = header(engine, choose(engine, Action.ACKNOWLEDGE, before=before))

    assert not look_up(engine, text, rules=rules).decision.needs_prompt


def test_allowing_an_embed_notes_no_document_that_was_added_since(revisit):
    added = Document("cookies", url="/cookies", version="1", changes="New.")
    engine, before = revisit(PRIVACY, TERMS, added)

    record = choose(engine, Action.ALLOW, "player", before=before)

    assert look_up(engine, header(engine, record)).decision.revised == ("cookies",)
