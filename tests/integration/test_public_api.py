"""What the library promises by name, and that loading its core loads no framework."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import is_dataclass

import pytest

import consent
import consent.errors
import consent.ledger
import consent.testing


def run_python(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def find_own_types(described):
    """Return the names of the library's classes that a dataclass has for fields, or the methods of a protocol take and give."""
    annotations = list(getattr(described, "__annotations__", {}).values())
    if not is_dataclass(described):
        members = [getattr(member, "fget", member) for member in vars(described).values()]
        annotations += [each for member in members for each in getattr(member, "__annotations__", {}).values()]
    words = {word for each in annotations for word in re.findall(r"[A-Z]\w+", str(each))}
    return {word for word in words - {"Mapping", "Sequence"} if hasattr(sys.modules[described.__module__], word)}


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
        "guard",
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


def test_public_names_of_ledgers_are_these():
    assert consent.ledger.__all__ == [
        "AppendResult",
        "Artefact",
        "ConsentEvent",
        "Counted",
        "Health",
        "Ledger",
        "MemoryLedger",
        "NoticeStore",
        "SQLAlchemyLedger",
        "SQLiteLedger",
        "Seal",
        "SealStore",
        "ShownNotice",
        "StoredEvent",
        "TallyKey",
        "TallyStore",
        "UnsealedEvent",
        "digest_event",
        "make_erasure",
        "open_ledger",
    ]


def test_ledger_can_be_written_with_public_names_alone():
    """What the protocols of ledgers take and give is exported, and so is every protocol they lead to."""
    protocols = [consent.ledger.Ledger, consent.ledger.SealStore, consent.ledger.NoticeStore, consent.ledger.TallyStore]
    named = {name for protocol in protocols for name in find_own_types(protocol)}
    data = [getattr(consent.ledger, name) for name in sorted(named)]

    assert named <= set(consent.ledger.__all__)
    assert {"ConsentEvent", "StoredEvent", "Seal", "ShownNotice", "TallyKey"} <= named
    assert {name for each in data for name in find_own_types(each)} <= set(consent.ledger.__all__)


def test_names_of_ledgers_need_no_extra():
    code = (
        "import sys; sys.modules['sqlalchemy'] = None\n"
        "import consent.ledger\n"
        "from consent.ledger import *\n"
        "print(all(hasattr(consent.ledger, name) for name in consent.ledger.__all__), SQLAlchemyLedger.__name__)"
    )

    assert run_python(code) == "True SQLAlchemyLedger"


def test_public_test_helpers_are_these():
    assert consent.testing.__all__ == ["AskedGuard", "assert_guarded", "grant", "recorded_guards", "refuse"]


@pytest.mark.parametrize(
    "module", [consent, consent.errors, consent.ledger, consent.testing], ids=lambda module: module.__name__
)
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
