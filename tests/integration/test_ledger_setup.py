"""A ledger that is named wrongly fails at start-up, one that is merely away does not cost a page."""

from __future__ import annotations

import threading

import pytest

from consent import Consent
from consent.errors import ConfigError, LedgerError
from consent.ledger import MemoryLedger, SQLiteLedger, open_ledger
from consent.web.visit import get_site
from tests.faulty_ledger import RETENTION, ledger_of, post

SERVICES = ["google-analytics", "youtube"]


@pytest.fixture
def make_site(bare_app):
    """Return a function that makes an app by `CONSENT_LEDGER_*` settings, and a ledger given in code."""

    def make(*, ledger=None, **config):
        app = bare_app(**config)
        Consent(app, services=SERVICES, ledger=ledger)
        return app

    return make


def refuse(make_site, **options):
    """Return what start-up says of wrong options, and the key it names."""
    with pytest.raises(ConfigError) as error:
        make_site(**options)
    return error.value.key, str(error.value)


def test_no_ledger_needs_no_setting(make_site):
    assert get_site(make_site()).ledger is None


def test_ledger_by_its_address_in_memory(make_site):
    app = make_site(CONSENT_LEDGER="memory:", **RETENTION)

    assert post(app.test_client(), "accept_all").json["recorded"] is True


def test_file_of_a_relative_path_lies_in_the_instance_folder(bare_app, tmp_path):
    app = bare_app(CONSENT_LEDGER="sqlite:///consent.db", **RETENTION)
    app.instance_path = str(tmp_path / "instance")
    Consent(app, services=SERVICES)
    answer = post(app.test_client(), "accept_all")
    ledger_of(app).close()

    assert answer.json["recorded"] is True
    assert (tmp_path / "instance" / "consent.db").is_file()


def test_file_of_an_absolute_path(tmp_path):
    ledger = open_ledger(f"sqlite:///{tmp_path}/here.db", folder=tmp_path / "elsewhere")

    assert isinstance(ledger, SQLiteLedger)
    assert not list(tmp_path.iterdir())


def test_start_up_leaves_no_thread_and_no_open_file(bare_app, tmp_path):
    """A server forks after the app was made (T86)."""
    before = set(threading.enumerate())
    app = bare_app(CONSENT_LEDGER=f"sqlite:///{tmp_path}/consent.db", **RETENTION)
    Consent(app, services=SERVICES)

    # Threads of earlier tests may end meanwhile.
    assert set(threading.enumerate()) <= before


def test_ledger_without_retention_is_refused(make_site):
    key, message = refuse(make_site, CONSENT_LEDGER="memory:")

    assert key == "CONSENT_LEDGER_RETENTION_MONTHS"
    assert message.startswith(
        "'CONSENT_LEDGER_RETENTION_MONTHS' is not set, and there is a ledger. Set for how many months"
    )


@pytest.mark.parametrize("months", [0, -1, 601, "36", 3.5, True])
def test_retention_out_of_range_is_refused(make_site, months):
    key, message = refuse(make_site, CONSENT_LEDGER="memory:", CONSENT_LEDGER_RETENTION_MONTHS=months)

    assert key == "CONSENT_LEDGER_RETENTION_MONTHS"
    assert message == (
        f"'CONSENT_LEDGER_RETENTION_MONTHS' must be a whole number of months between 1 and 600, got {months!r}."
    )


@pytest.mark.parametrize(
    "url", ["consent.db", "sqlite://", "sqlite:///", "sqlite://consent.db", "memory", "/var/lib/consent.db"]
)
def test_address_of_no_ledger_is_refused(make_site, url):
    key, message = refuse(make_site, CONSENT_LEDGER=url, **RETENTION)

    assert key == "CONSENT_LEDGER"
    assert "must be 'sqlite:///consent.db'" in message


def test_two_ledgers_are_refused_and_no_password_is_told(make_site):
    key, message = refuse(
        make_site, ledger=MemoryLedger(), CONSENT_LEDGER="postgresql+psycopg://ann:secret@db/site", **RETENTION
    )

    assert (key, "secret" in message) == ("CONSENT_LEDGER", False)
    assert (
        message
        == "Consent() was given 'ledger', and 'CONSENT_LEDGER' is 'postgresql+psycopg://…@db/site'. Keep one of the two."
    )


def test_object_that_is_no_ledger_is_refused(make_site):
    key, message = refuse(make_site, ledger="sqlite:///consent.db", **RETENTION)

    assert key == "ledger"
    assert message.startswith("'ledger' must follow the protocol consent.ledger.Ledger, got 'sqlite:///consent.db'")


@pytest.mark.parametrize(
    ("keeps", "named"), [(["address"], "address"), ("network", "network"), ([1], "1"), (["network", "ip"], "ip")]
)
def test_unknown_minimised_form_is_refused(make_site, keeps, named):
    key, message = refuse(make_site, CONSENT_LEDGER="memory:", CONSENT_LEDGER_KEEPS=keeps, **RETENTION)

    assert key == "CONSENT_LEDGER_KEEPS"
    assert named in message
    assert "'network', 'browser'" in message


class _AwayLedger(MemoryLedger):
    """A ledger whose database does not answer at start-up, for one reason or another."""

    def __init__(self, reason):
        self.reason = ""
        super().__init__()
        self.reason = reason

    def prepare(self):
        if self.reason:
            raise LedgerError("It is as it is.", reason=self.reason)
        super().prepare()


@pytest.mark.parametrize("reason", ["newer", "unsupported"])
def test_ledger_that_can_never_work_keeps_the_app_from_starting(make_site, reason):
    key, message = refuse(make_site, ledger=_AwayLedger(reason), **RETENTION)

    assert (key, message) == ("CONSENT_LEDGER", "'CONSENT_LEDGER' cannot be used. It is as it is.")


@pytest.mark.parametrize("reason", ["unavailable", "busy", "full", "read_only", "corrupt", "outdated"])
def test_ledger_that_is_away_at_start_up_costs_no_page(make_site, reason, caplog):
    app = make_site(ledger=_AwayLedger(reason), **RETENTION)

    assert app.test_client().get("/").status_code == 200
    assert "The ledger is not ready, and until it is nothing can be granted: It is as it is." in caplog.text


def test_ledger_that_came_back_gets_ready_before_the_next_choice(make_site):
    ledger = _AwayLedger("unavailable")
    client = make_site(ledger=ledger, **RETENTION).test_client()
    while_away = post(client, "accept_all").status_code
    ledger.reason = ""

    assert (while_away, post(client, "accept_all").json["recorded"]) == (503, True)


def test_two_apps_have_two_ledgers(make_site):
    one, other = (make_site(CONSENT_LEDGER="memory:", **RETENTION) for _ in range(2))
    post(one.test_client(), "accept_all")

    assert [len(ledger_of(app).scan()) for app in (one, other)] == [1, 0]
