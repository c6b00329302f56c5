"""`flask consent ledger …`: what the operator may ask of the ledger, and owes to visitors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click
from flask.cli import AppGroup

from consent.command_ledger import using_ledger
from consent.command_output import count_of, format_json, format_size, format_table
from consent.command_site import find_site
from consent.core.ledger import Ledger
from consent.core.lifetime import add_months
from consent.core.seal import Seal
from consent.erasure_commands import erase_command, purge_command
from consent.export_commands import export_command, stream_command
from consent.proof_commands import check_proof_command, prove_command
from consent.seal_commands import checkpoint_command, seal_command, verify_command
from consent.web.site import Site

group = AppGroup("ledger", help="Look after the ledger, the proof of what visitors chose.")
group.add_command(export_command)
group.add_command(stream_command)
group.add_command(erase_command)
group.add_command(purge_command)
group.add_command(seal_command)
group.add_command(verify_command)
group.add_command(prove_command)
group.add_command(check_proof_command)
group.add_command(checkpoint_command)

_BYTES = "_bytes"

# Any: the plain JSON values of a status, taken apart here for people to read.
Values = Mapping[str, Any]


@group.command("status")
@click.option("--json", "is_json", is_flag=True, help="Print JSON.")
@click.pass_context
def status_command(context: click.Context, *, is_json: bool) -> None:
    """Say how the ledger is, and what there is to do.

    The exit code is 1 if choices cannot be recorded.
    """
    with using_ledger() as ledger:
        found = _describe(ledger, find_site())
    click.echo(format_json(found) if is_json else _format(found))
    context.exit(0 if found["is_writable"] else 1)


@group.command("upgrade")
def upgrade_command() -> None:
    """Bring the tables up to what this version of the library needs. Safe to run twice, and while the site runs."""
    with using_ledger() as ledger:
        before, after = ledger.upgrade()
    steps = f"upgraded from {before} to {after}" if before != after else "up to date"
    click.echo(f"The ledger has schema version {after}: {steps}.")


def _describe(ledger: Ledger, site: Site) -> dict[str, Any]:
    health, months = ledger.health(), site.settings.ledger_retention_months
    found = {"is_writable": health.is_writable, "problem": health.problem, "details": dict(health.details)}
    rest: dict[str, Any] = {"last_seal": None, "retention_months": months, "older": None}
    if health.is_writable:
        now = site.engine.read_clock()
        rest["last_seal"] = _describe_seal(ledger.seals.last())
        rest["older"] = ledger.count_purgeable(before=add_months(now, -months), now=now) if months else None
    return {**found, **rest, "next": [*_list_next(found | rest)]}


def _describe_seal(seal: Seal | None) -> dict[str, object] | None:
    if seal is None:
        return None
    return {
        "number": seal.number,
        "sealed_at": f"{seal.sealed_at:%Y-%m-%dT%H:%M:%SZ}",
        "tree_size": seal.tree_size,
        "root": seal.root.hex(),
    }


def _list_next(found: Values) -> Iterator[str]:
    if unsealed := found["details"].get("unsealed"):
        yield f"{count_of(unsealed, 'event')} without a seal can be changed unnoticed. Run, best every hour: flask consent ledger seal"
    if older := found["older"]:
        months = count_of(found["retention_months"], "month")
        yield f"{count_of(older, 'event')} older than {months} to be erased. Run, best every day: flask consent ledger purge"


def _tell_detail(name: str, value: object) -> tuple[str, str]:
    if type(value) is int and name.endswith(_BYTES):
        return name.removesuffix(_BYTES), format_size(value)
    return name.replace("_", " "), f"{value:,}" if type(value) is int else str(value)


def _format(found: Values) -> str:
    details, seal = found["details"], found["last_seal"]
    sealed = (
        f"number {seal['number']}, at {seal['sealed_at']}, over {count_of(seal['tree_size'], 'event')}"
        if seal
        else "none"
    )
    months = found["retention_months"]
    rows = [
        ("writable", "yes" if found["is_writable"] else "no"),
        ("problem", found["problem"]),
        *(_tell_detail(name, value) for name, value in details.items()),
        ("last seal", sealed if found["is_writable"] else ""),
        ("retention", f"{months} months" if months else "not set"),
        *(("to do" if at == 0 else "", each) for at, each in enumerate(found["next"])),
    ]
    return format_table([row for row in rows if row[1]])
