"""One tree of errors, with evidence."""

from __future__ import annotations

import pytest

from consent import errors
from consent.errors import (
    BadSignature,
    ConfigError,
    ConsentError,
    CookieError,
    Expired,
    SetupError,
    SubmissionError,
    UnknownKeyError,
    UnsupportedFormat,
    order_by_likeness,
    quote_all,
)


@pytest.mark.parametrize(
    ("error", "parents"),
    [
        (ConfigError, (ConsentError, ValueError)),
        (SetupError, (ConsentError, RuntimeError)),
        (UnknownKeyError, (ConsentError, LookupError)),
        (CookieError, (ConsentError,)),
        (BadSignature, (CookieError,)),
        (Expired, (CookieError,)),
        (UnsupportedFormat, (CookieError,)),
        (SubmissionError, (ConsentError, ValueError)),
    ],
)
def test_error_is_caught_by_its_parents(error, parents):
    assert all(issubclass(error, parent) for parent in parents)


def test_every_public_error_is_of_the_tree_and_listed_in_order():
    public = [
        name
        for name in dir(errors)
        if isinstance(getattr(errors, name), type) and name[0].isupper() and name != "Iterable"
    ]

    assert errors.__all__ == sorted(errors.__all__) == public
    assert all(issubclass(getattr(errors, name), ConsentError) for name in errors.__all__)


def test_config_error_carries_its_evidence():
    error = ConfigError("It is wrong.", key="CONSENT_LANGUAGE", value=5)

    assert (str(error), error.key, error.value) == ("It is wrong.", "CONSENT_LANGUAGE", 5)


def test_config_error_may_have_no_evidence():
    assert (ConfigError("It is wrong.").key, ConfigError("It is wrong.").value) == ("", None)


def test_submission_error_carries_status_and_code():
    error = SubmissionError("It is wrong.", code="malformed")

    assert (str(error), error.code, error.status) == ("It is wrong.", "malformed", 400)
    assert SubmissionError("Too long.", code="too_large", status=413).status == 413


def test_unknown_key_error_says_what_is_known():
    error = UnknownKeyError("markting", allowed=["analytics", "marketing"])

    assert str(error) == (
        "Unknown purpose or service 'markting'. Declared keys, the closest first: 'marketing', 'analytics'. "
        "Use one of them, or declare 'markting' in the policy."
    )
    assert (error.key, error.allowed) == ("markting", ("marketing", "analytics"))


def test_unknown_key_error_says_where():
    error = UnknownKeyError("x", allowed=[], where="gate() in page.html, line 3")

    assert str(error) == (
        "Unknown purpose or service 'x' (gate() in page.html, line 3). Declared keys, the closest first: none. "
        "Use one of them, or declare 'x' in the policy."
    )


def test_unknown_key_with_line_breaks_stays_on_one_line():
    assert "\n" not in str(UnknownKeyError("a\nb\x1b[31m", allowed=["analytics"]))


@pytest.mark.parametrize(
    ("word", "ordered"),
    [
        ("analitics", ("analytics", "marketing", "stats")),
        ("stat", ("stats", "analytics", "marketing")),
        ("zzz", ("analytics", "marketing", "stats")),
        ("", ("analytics", "marketing", "stats")),
        ("marketing", ("marketing", "analytics", "stats")),
    ],
)
def test_likeness_puts_the_closest_first_and_loses_none(word, ordered):
    assert order_by_likeness(word, ["stats", "marketing", "analytics"]) == ordered


def test_words_are_quoted():
    assert quote_all(["a", "b'c", "d\n"]) == "'a', \"b'c\", 'd\\n'"
    assert quote_all([]) == "none"
