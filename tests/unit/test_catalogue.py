"""The shipped catalogue: what every entry says, and where it knows that from."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

import pytest

from consent.catalogue import load_necessary, service_keys
from consent.core.cookie_declaration import CookieUse
from consent.core.declaration import HostUse, ServiceKind
from consent.core.policy import Policy
from consent.messages import fill, load_shipped
from tests.catalogue_entries import CANDIDATES, EMBEDDED, KEYS, LANGUAGES, SCRIPTED, load, service_of, walk_words

# Has no markup of its own, and why.
WITHOUT_MARKUP = {
    "new-relic": "New Relic's settings page hands out the whole script, with the account's numbers in it",
}
# Nothing is necessary by itself: whoever runs a site says so of a candidate.
PURPOSES = {"preferences", "analytics", "marketing"}
# Two marks where one belongs, such as a sentence that ends with "Inc.." or begins with a space too many.
DOUBLED = re.compile(r"\.\.|[。.]。|。\.|[,،，;؛:]\s?[.,،，。;؛]|  | [.,，。،](?!\w)")
SHIPPED = load_shipped()

each_entry = pytest.mark.parametrize("key", KEYS)


def test_service_keys_are_in_alphabetical_order():
    assert list(service_keys()) == sorted(set(service_keys()))


def test_catalogue_has_what_a_developer_looks_for():
    assert len(KEYS) >= 80
    assert {service_of(key).kind for key in KEYS} == set(ServiceKind)


@each_entry
def test_entry_names_its_provider(key):
    service = service_of(key)

    assert service.key == key
    assert service.name.strip() == service.name != ""
    assert service.provider.strip() == service.provider != ""
    assert re.fullmatch("[A-Z]{2}", service.provider_country)
    assert service.privacy_url.startswith("https://")


@each_entry
def test_entry_serves_shipped_purposes(key):
    service = service_of(key)

    assert set(service.purposes) <= PURPOSES


@each_entry
def test_entry_says_what_each_host_serves(key):
    service = service_of(key)

    assert service.hosts
    assert set(service.hosts) == {host for hosts in service.hosts_by_use.values() for host in hosts}
    assert set(service.hosts_by_use) != {HostUse.PAGE}


@each_entry
def test_entry_names_its_sources_and_the_day_they_were_read(key):
    entry = load(key)

    assert entry.checked
    assert entry.sources
    assert all(source.strip() == source != "" for source in entry.sources)


@each_entry
def test_every_cookie_names_its_source_and_the_day_it_was_read(key):
    assert all(each.source.strip() and each.checked for each in load(key).cookie_sources)


@each_entry
def test_every_cookie_says_what_it_is_for(key):
    assert all(cookie.description or cookie.use != CookieUse.OTHER for cookie in service_of(key).cookies)


@each_entry
def test_cookies_of_the_provider_have_its_domain(key):
    assert all(bool(cookie.domain) == cookie.third_party for cookie in service_of(key).cookies)


@each_entry
def test_no_cookie_is_declared_twice(key):
    names = [(cookie.name, cookie.kind, cookie.domain) for cookie in service_of(key).cookies]

    assert len(names) == len(set(names))


@each_entry
def test_entry_says_what_it_stores_or_that_nobody_knows(key):
    entry = load(key)

    assert entry.service.cookies or entry.cookieless or entry.not_known


@each_entry
def test_entry_has_a_snippet_or_an_embed(key):
    assert (key in SCRIPTED) + (key in EMBEDDED) == (key not in WITHOUT_MARKUP)


@each_entry
def test_parameters_belong_to_a_snippet(key):
    service = service_of(key)

    assert all(re.search(rf"\b{each.name}\b", service.snippet) for each in service.parameters)


# Necessary, or nearly


def test_payments_say_why_a_site_cannot_do_without_them():
    payments = [load(key) for key in KEYS if service_of(key).kind == "payment"]

    assert len(payments) >= 5
    assert [each.service.key for each in payments if not each.service.justification or not each.necessary_when] == []


@each_entry
def test_words_on_why_a_site_cannot_do_without_it_belong_to_a_candidate(key):
    entry = load(key)

    assert entry.necessary_when or not entry.service.justification


@pytest.mark.parametrize("key", CANDIDATES)
def test_candidate_can_be_filed_under_necessary(key):
    words = "" if service_of(key).justification else "Without it, what you ask for does not work."

    service = load_necessary(key, justification=words)

    assert Policy(controller="Example News Ltd", services=(service,)).services_by_key[key] == service


@each_entry
def test_candidates_for_necessary_say_when(key):
    entry = load(key)

    assert entry.necessary_when or entry.service.kind not in {"captcha", "errors", "payment"}


# Words


@each_entry
def test_own_words_are_in_all_languages(key):
    for words in walk_words(load(key)):
        assert set(words) == LANGUAGES
        assert all(text == text.strip() and text.endswith((".", "。")) for text in words.values())
        assert len(set(words.values())) == len(LANGUAGES)


@each_entry
def test_words_for_the_visitor_have_no_doubled_mark(key):
    entry = load(key)
    service = entry.service
    values = {"name": service.name, "provider": service.provider}
    texts = {tag: SHIPPED[tag].get(f"service.{service.kind}.description", "") for tag in LANGUAGES}
    shipped = {tag: fill(text, values) for tag, text in texts.items()}

    assert [text for words in (shipped, *walk_words(entry)) for text in words.values() if DOUBLED.search(text)] == []


@each_entry
def test_notes_to_the_reader_are_whole_sentences(key):
    entry = load(key)

    for note in filter(None, (entry.not_known, entry.necessary_when)):
        assert note == note.strip()
        assert note.endswith(".")
        assert "\n" not in note


# What was decided


def test_tag_manager_needs_both_of_its_purposes():
    assert service_of("google-tag-manager").purposes == ("analytics", "marketing")


# What sites and their frameworks call their own cookies.
OF_SITES = (
    "session", "sessionid", "sid", "connect.sid", "remember_token", "auth_token", "token", "user", "user_id", "csrftoken",
    "csrf_token", "_csrf", "XSRF-TOKEN", "PHPSESSID", "JSESSIONID", "ASP.NET_SessionId", "laravel_session", "cart", "locale",
    "lang", "language", "theme", "__Host-session", "__Secure-session", "consent", "pvc_consent",
)  # fmt: skip


@each_entry
def test_cookie_patterns_take_no_more_than_their_own(key):
    others = [each for each in KEYS if service_of(each).provider != service_of(key).provider]
    exact = [cookie for each in others for cookie in service_of(each).cookies if not cookie.is_pattern]

    for pattern in (cookie for cookie in service_of(key).cookies if cookie.is_pattern):
        names = [*OF_SITES, *(cookie.name for cookie in exact if cookie.kind == pattern.kind)]
        assert [name for name in names if fnmatchcase(name, pattern.name)] == []
