"""Where the demonstration keeps its ledger, and how to look into it from another terminal."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

LEDGER_VARIABLE = "NEWSROOM_LEDGER"
KEY_VARIABLE = "NEWSROOM_SECRET_KEY"

_FLASK = "build/venv-demo/bin/flask --app examples.newsroom consent"
_ADVICE = """
  The ledger, the proof of each choice, is {place}.
  For the operator, in another terminal, once there is a choice or two:
    export NEWSROOM_LEDGER={address} NEWSROOM_SECRET_KEY={key}
    {flask} ledger status
    {flask} ledger seal
    {flask} ledger verify
    {flask} receipt verify FILE   # a receipt that you downloaded
"""


class LedgerAddressError(ValueError):
    """An address is given for a ledger that would outlast the key."""


def find_ledger_address() -> str:
    """Return the address in `NEWSROOM_LEDGER`; else that of a file that goes when this process ends.

    A new key at each start is a new beginning, so the ledger begins anew too.

    Raises:
        LedgerAddressError: If the ledger is to be kept and the key is not.
    """
    given = os.environ.get(LEDGER_VARIABLE)
    if not given:
        folder = tempfile.mkdtemp(prefix="harbour-post-")
        # Not when the servers stop: the library writes the last numbers when Python ends, and what is registered first is
        # called last.
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        return f"sqlite:///{folder}/consent.db"
    if not os.environ.get(KEY_VARIABLE):
        raise LedgerAddressError(
            f"{LEDGER_VARIABLE} is set and {KEY_VARIABLE} is not. With a new key at each start, what the ledger keeps of earlier "
            f"starts would pass for forged. Set {KEY_VARIABLE} to the same long random text each time, or leave out both."
        )
    return given


def describe_ledger(address: str, *, key: str) -> str:
    """Return what to type to look into the ledger while the demonstration runs; neither address nor key if it is given."""
    if os.environ.get(LEDGER_VARIABLE):
        return _ADVICE.format(
            place=f"where {LEDGER_VARIABLE} says", address="…", key="…   # both as they are here", flask=_FLASK
        )
    own_key = "…   # as it is here" if os.environ.get(KEY_VARIABLE) else key
    return _ADVICE.format(place=f"at {address}, until you stop", address=address, key=own_key, flask=_FLASK)
