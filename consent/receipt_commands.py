"""`flask consent receipt …`: tell a receipt that the site has issued from a forged one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click
from flask.cli import AppGroup

from consent.command_file import reading
from consent.command_ledger import using_ledger
from consent.command_output import format_json, format_table
from consent.command_site import find_site
from consent.core.receipt import (
    SIZE_LIMIT_BYTES,
    Comparison,
    Origin,
    SignedReceipt,
    compare_with_stored,
    encode_receipt,
    read_receipt,
)
from consent.wire.signature import SignedKind

group = AppGroup("receipt", help="Check a receipt that a visitor has brought.")

_FORGED = "not genuine: none of the app's keys has signed it, or it was changed since."
_NO_LEDGER = "no ledger is configured, so there is no other copy"
_UNKNOWN_FROM_COOKIE = "does not have it; the receipt says so itself"
_SAYINGS: Mapping[Comparison, str] = {
    Comparison.SAME: "has the same record",
    Comparison.DIFFERS: "has another record under this id: one of the two was changed",
    Comparison.ERASED: "has erased what the record said, and knows its id",
    Comparison.UNKNOWN: "does not have it, although the receipt was copied from there",
}


@group.command("verify")
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--json", "is_json", is_flag=True, help="Print JSON.")
@click.pass_context
def verify_command(context: click.Context, *, path: Path, is_json: bool) -> None:
    """Say whether a receipt is genuine, and what the ledger has of it.

    FILE is the receipt as JSON. The exit code is 0 if it is genuine and the ledger does not contradict it, 1 if not, and 2 if
    FILE is no receipt.
    """
    receipt = _read(path)
    is_genuine = find_site().engine.is_signed(SignedKind.RECEIPT, encode_receipt(receipt.content), receipt.signature)
    # What somebody made up is not worth looking for, nor repeating.
    standing = _ask_ledger(receipt) if is_genuine else None
    click.echo(
        format_json(_describe(receipt, standing, is_genuine=is_genuine))
        if is_json
        else _format(receipt, standing, is_genuine=is_genuine)
    )
    context.exit(0 if is_genuine and not _is_contradicted(receipt, standing) else 1)


def _read(path: Path) -> SignedReceipt:
    with reading(path, hint="FILE"), path.open("rb") as file:
        # One byte more than a receipt has, so that a longer file is refused and not read.
        return read_receipt(file.read(SIZE_LIMIT_BYTES + 1))


def _ask_ledger(receipt: SignedReceipt) -> Comparison | None:
    """Return what the ledger knows of the record; None without a ledger."""
    if find_site().ledger is None:
        return None
    with using_ledger() as ledger:
        stored = ledger.find(receipt.record_id)
    if stored is None:
        return Comparison.UNKNOWN
    return compare_with_stored(receipt, stored.event.payload) if stored.event else Comparison.ERASED


def _is_contradicted(receipt: SignedReceipt, standing: Comparison | None) -> bool:
    is_lost = standing is Comparison.UNKNOWN and receipt.origin == Origin.LEDGER
    return is_lost or standing is Comparison.DIFFERS


def _describe(receipt: SignedReceipt, standing: Comparison | None, *, is_genuine: bool) -> dict[str, object]:
    known = (
        {name: receipt.content[name] for name in ("receipt_id", "issued_at", "copied_from")}
        | {"record_id": receipt.record_id}
        if is_genuine
        else {}
    )
    return {"is_genuine": is_genuine, **known, "ledger": standing.value if standing else None}


def _format(receipt: SignedReceipt, standing: Comparison | None, *, is_genuine: bool) -> str:
    if not is_genuine:
        return _FORGED
    is_expected = standing is Comparison.UNKNOWN and not _is_contradicted(receipt, standing)
    saying = _SAYINGS[standing] if standing else _NO_LEDGER
    return format_table(
        [
            ("receipt", "genuine: this site has issued it"),
            ("issued at", str(receipt.content["issued_at"])),
            ("record", f"{receipt.record_id}, copied from the {receipt.origin}"),
            ("ledger", _UNKNOWN_FROM_COOKIE if is_expected else saying),
        ]
    )
