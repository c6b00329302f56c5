"""Documents: linked everywhere, announced when they were revised, asked about again when the change is material."""

from __future__ import annotations

import re
from datetime import date, datetime

import pytest

from consent import Consent, Document, Policy
from consent.core.lifetime import add_months
from consent.errors import ConfigError
from tests.conftest import CONTROLLER, NOW
from tests.traveller import PREFERENCES, PRIVACY, make_traveller

COOKIES = Document("cookies", url="/cookies", version="2026-01")
TERMS = Document(
    "terms", title={"en": "House rules", "de": "Hausordnung"}, url="https://law.example/terms", version="7"
)
DOCUMENTS = (PRIVACY, COOKIES, TERMS)
REVISED = Document(
    "privacy", url="/privacy", version="2", effective_at=date(2026, 9, 15), changes="We name a new host."
)
MATERIAL = Document("privacy", url="/privacy", version="2", changes="We share more.", is_material=True)
PLACES = ["FR", "GB", "US-CA", "JP"]


def read_links(markup):
    return re.findall(r'<a class="pvc-link" href="([^"]+)"[^>]*>([^<]*)', markup)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("path", ["/", PREFERENCES, f"{PREFERENCES}policy"])
def test_every_document_is_linked_from_banner_and_own_pages(place, path):
    sight = make_traveller(place, documents=DOCUMENTS).look(path)
    links = read_links(sight.banner or sight.response.text)

    assert [link for link in links if link[0] in {document.url for document in DOCUMENTS}] == [
        ("/privacy", "Privacy policy"),
        ("/cookies", "Cookie policy"),
        ("https://law.example/terms", "House rules"),
    ]


def test_notice_is_titled_with_the_documents():
    banner = make_traveller("JP", documents=DOCUMENTS).look().banner

    assert re.findall(r"<h2[^>]*>([^<]*)</h2>", banner) == ["Privacy policy, Cookie policy and House rules"]
    assert "By continuing to browse, you agree to the use of cookies by Example News Ltd" in banner


def test_same_documents_come_with_a_real_choice_under_opt_in():
    sight = make_traveller("FR", documents=DOCUMENTS).look()

    assert (sight.runs, [action for action, _ in sight.buttons]) == ((), ["accept_all", "reject_all"])
    assert "continuing" not in sight.words


def test_policy_url_is_not_linked_beside_a_privacy_document():
    policy = Policy(controller=CONTROLLER, documents=(PRIVACY,), policy_url="/old-privacy")

    assert "/old-privacy" not in make_traveller("FR", policy=policy).look(PREFERENCES).response.text


@pytest.mark.parametrize("place", PLACES)
def test_document_that_stays_is_not_announced(place):
    visitor = make_traveller(place, documents=DOCUMENTS)
    visitor.press("acknowledge" if place in ("US-CA", "JP") else "reject_all")

    assert visitor.redeclare(documents=DOCUMENTS).reason is None


@pytest.mark.parametrize(
    "changed",
    [
        Document("privacy", url="/moved", version="1"),
        Document("privacy", url="/privacy", version="1", title="Our promise"),
        Document("privacy", url="/privacy", version="1", effective_at=date(2026, 1, 1)),
    ],
    ids=["address", "title", "day"],
)
def test_same_version_elsewhere_or_by_another_name_is_not_announced(changed):
    visitor = make_traveller("FR")
    visitor.press("reject_all")

    assert visitor.redeclare(documents=[changed]).reason is None


def test_new_document_is_not_revised():
    visitor = make_traveller("FR")
    visitor.press("reject_all")

    assert visitor.redeclare(documents=DOCUMENTS).reason is None


@pytest.mark.parametrize("place", ["FR", "GB", "US-CA"])
def test_revised_document_is_announced_and_asks_for_nothing(place):
    visitor = make_traveller(place, documents=DOCUMENTS)
    visitor.press("reject_all")
    later = visitor.redeclare(documents=(REVISED, COOKIES, TERMS))
    sight = later.look()

    assert (later.reason, sight.buttons) == ("document_revised", [("acknowledge", "OK")])
    assert "Revised: Privacy policy" in sight.words
    assert "in force from 15 September 2026" in sight.words
    assert "We name a new host." in sight.words


@pytest.mark.parametrize("version", ["0", "1-beta", "2"])
def test_version_that_differs_in_whichever_direction_is_revised(version):
    visitor = make_traveller("FR")
    visitor.press("reject_all")

    assert visitor.redeclare(documents=[Document("privacy", url="/p", version=version)]).reason == "document_revised"


def test_revised_document_comes_with_the_notice_again_where_that_is_the_rule():
    visitor = make_traveller("JP", documents=DOCUMENTS)
    visitor.press("acknowledge")
    sight = visitor.redeclare(documents=(REVISED, COOKIES, TERMS)).look()

    assert sight.buttons == [("acknowledge", "I agree")]
    assert "A document named below has been revised." in sight.words
    assert sight.banner.count("<strong>revised</strong>") == 1


def test_announcement_is_over_once_it_was_noted():
    visitor = make_traveller("FR")
    visitor.press("accept_all")
    later = visitor.redeclare(documents=[REVISED])
    later.answer("acknowledge")

    assert (later.reason, set(later.verdicts().values())) == (None, {"granted"})
    assert later.last["event"] == "acknowledgement"
    assert later.last["notice"]["prompt_reason"] == "document_revised"


@pytest.mark.parametrize("action", ["accept_all", "reject_all"])
def test_noting_a_document_keeps_choice_and_age(action):
    visitor = make_traveller("FR")
    visitor.press(action)
    visitor.clock.advance(days=100)
    later = visitor.redeclare(documents=[REVISED])
    before = later.verdicts()
    answer = later.answer("acknowledge")
    left = (add_months(NOW, 6) - later.clock()).total_seconds()

    assert f"Max-Age={int(left)};" in answer.headers["Set-Cookie"]
    assert later.verdicts() == before
    assert later.state()["decided_at"] == "2026-08-31T12:00:00Z"


def test_record_of_a_noted_document_says_when_it_was_noted_and_what_stands():
    visitor = make_traveller("FR")
    visitor.press("reject_all")
    visitor.clock.advance(days=100)
    later = visitor.redeclare(documents=[REVISED])
    later.answer("acknowledge")

    assert (later.last["event_time"], later.last["decided_at"]) == ("2026-12-09T12:00:00Z", "2026-08-31T12:00:00Z")
    assert {each["state"] for each in later.decided.values()} == {"refused"}


@pytest.mark.parametrize("place", PLACES)
def test_record_holds_the_versions_in_force(place):
    visitor = make_traveller(place, documents=DOCUMENTS)
    visitor.press("reject_all")
    versions = {key: each["version"] for key, each in visitor.last["documents"].items()}

    assert versions == {"privacy": "1", "cookies": "2026-01", "terms": "7"}


def test_material_change_is_asked_about_and_earlier_grants_stand_until_answered():
    visitor = make_traveller("FR")
    visitor.press("accept_all")
    later = visitor.redeclare(documents=[MATERIAL])
    sight = later.look()

    assert sight.buttons == [("accept_all", "Accept all"), ("reject_all", "Reject all")]
    assert "A document named below has been revised." in sight.words
    assert sight.runs == ("preferences", "analytics", "marketing")


@pytest.mark.parametrize(("action", "verdict"), [("accept_all", "granted"), ("reject_all", "denied")])
def test_answer_to_a_material_change_counts_for_everything(action, verdict):
    visitor = make_traveller("FR")
    visitor.press("accept_all")
    visitor.clock.advance(days=30)
    later = visitor.redeclare(documents=[MATERIAL])
    later.answer(action)

    assert (later.reason, set(later.verdicts().values())) == (None, {verdict})
    assert later.state()["decided_at"] == "2026-09-30T12:00:00Z"


@pytest.mark.parametrize(("place", "buttons"), [("US-CA", ["reject_all", "acknowledge"]), ("JP", ["acknowledge"])])
def test_material_change_is_told_as_the_place_tells_things(place, buttons):
    visitor = make_traveller(place)
    visitor.press("acknowledge")
    sight = visitor.redeclare(documents=[MATERIAL]).look()

    assert [action for action, _ in sight.buttons] == buttons


def test_first_visitor_is_told_what_was_changed_lately():
    sight = make_traveller("JP", documents=[REVISED]).look()

    assert "We name a new host." in sight.words


def test_changes_cannot_carry_markup():
    document = Document("privacy", url="/p?a=1&b=2", version="2", title="<b>P</b>", changes="<img src=x>")
    banner = make_traveller("JP", documents=[document]).look().banner

    assert "<img" not in banner
    assert '<a class="pvc-link" href="/p?a=1&amp;b=2">&lt;b&gt;P&lt;/b&gt;</a>' in banner


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"version": ""}, "Document 'privacy' needs a 'version'"),
        ({"version": "  "}, "Document 'privacy' needs a 'version'"),
        ({"version": 2}, "Document 'privacy' needs a 'version'"),
        ({"url": ""}, "'url' of document 'privacy'"),
        ({"url": "javascript:alert(1)"}, "'url' of document 'privacy'"),
        ({"url": 7}, "'url' of document 'privacy'"),
        ({"effective_at": datetime(2026, 9, 15)}, "'effective_at' of document 'privacy' must be a date"),  # noqa: DTZ001 - the mistake under test
        ({"effective_at": "2026-09-15"}, "'effective_at' of document 'privacy' must be a date"),
        ({"is_material": "yes"}, "'is_material' of document 'privacy'"),
        ({"title": 7}, "document 'privacy'"),
        ({"key": "Privacy!"}, "Document key 'Privacy!' is malformed."),
    ],
)
def test_malformed_document_is_refused(fields, words):
    with pytest.raises(ConfigError) as caught:
        Document(**{"key": "privacy", "url": "/privacy", "version": "1"} | fields)

    assert words in str(caught.value)


def test_document_without_a_version_is_refused_at_once():
    with pytest.raises(TypeError, match="version"):
        Document("privacy", url="/privacy")  # type: ignore[call-arg]  # the mistake under test


def test_two_documents_of_one_key_are_refused(bare_app):
    with pytest.raises(ConfigError, match="'privacy'"):
        Consent(bare_app(), documents=[PRIVACY, REVISED])


def test_document_that_needs_a_title_is_refused_without_one(bare_app):
    with pytest.raises(ConfigError) as caught:
        Consent(bare_app(), documents=[Document("imprint", url="/imprint", version="1")])

    assert str(caught.value) == (
        "Document 'imprint' has no 'title', and only 'privacy', 'cookies' and 'terms' bring their own. "
        "Write Document('imprint', title='…', …)."
    )


@pytest.mark.parametrize("documents", ["privacy", ["privacy"], PRIVACY], ids=["text", "texts", "document"])
def test_argument_that_holds_no_documents_is_refused(bare_app, documents):
    with pytest.raises(ConfigError, match="'documents' must"):
        Consent(bare_app(), documents=documents)
