"""What the library promises by name, and that loading its core loads no framework."""

from __future__ import annotations

import subprocess
import sys

import pytest

import consent
import consent.errors
import consent.testing


def run_python(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_public_names_are_these():
    assert consent.__all__ == [
        "Choice",
        "Consent",
        "ConsentRecord",
        "CookieDeclaration",
        "Decision",
        "Document",
        "Embed",
        "Parameter",
        "Policy",
        "Purpose",
        "Reason",
        "Service",
        "accept_language",
        "consent_recorded",
        "consent_withdrawn",
        "current_consent",
        "requires_consent",
    ]


def test_public_errors_are_these():
    assert consent.errors.__all__ == [
        "BadSignature",
        "ConfigError",
        "ConsentError",
        "CookieError",
        "Expired",
        "LedgerError",
        "MissingExtraError",
        "ProofError",
        "RecordError",
        "SetupError",
        "SubmissionError",
        "UnknownKeyError",
        "UnsupportedFormat",
    ]


def test_public_test_helpers_are_these():
    assert consent.testing.__all__ == ["grant", "refuse"]


@pytest.mark.parametrize("module", [consent, consent.errors, consent.testing], ids=lambda module: module.__name__)
def test_public_name_is_there_and_documented(module):
    for name in module.__all__:
        value = getattr(module, name)
        assert value is not None
        assert name == "current_consent" or value.__doc__, name


def test_unknown_name_raises_as_of_any_module():
    with pytest.raises(AttributeError, match="module 'consent' has no attribute 'Cookie'"):
        _ = consent.Cookie


@pytest.mark.parametrize(
    "error",
    [
        (consent.errors.ConfigError, ValueError),
        (consent.errors.MissingExtraError, ImportError),
        (consent.errors.RecordError, ValueError),
        (consent.errors.SetupError, RuntimeError),
        (consent.errors.SubmissionError, ValueError),
        (consent.errors.UnknownKeyError, LookupError),
    ],
    ids=lambda error: error[0].__name__,
)
def test_error_is_of_our_tree_and_of_a_builtin_kind(error):
    ours, builtin = error

    assert issubclass(ours, consent.errors.ConsentError)
    assert issubclass(ours, builtin)


def test_importing_the_core_loads_no_framework():
    code = (
        "import sys, consent, consent.core.policy, consent.core.decision;"
        "print(sorted({'flask', 'werkzeug', 'jinja2', 'itsdangerous', 'blinker'} & sys.modules.keys()))"
    )

    assert run_python(code) == "[]"


def test_importing_everything_starts_no_thread_and_opens_no_socket():
    code = (
        "import threading, socket\n"
        "def refuse(*_): raise AssertionError('a socket was opened')\n"
        "socket.socket.__init__ = refuse\n"
        "import consent.testing, consent.web.extension\n"
        "print(threading.active_count())"
    )

    assert run_python(code) == "1"
