"""`flask consent ledger seal`, `checkpoint` and `verify`: show that nothing was changed."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click
from flask.cli import with_appcontext

from consent.checkpoint_file import FILE, HeadFile, read_checkpoint, sign_checkpoint, telling, write_text
from consent.command_ledger import count_rows, using_ledger
from consent.command_output import count_of, format_json, format_table, show_progress
from consent.command_site import find_site
from consent.core.seal import Seal
from consent.core.verdict import FoundErasure, Problem, Verdict
from consent.errors import ProofError
from consent.ledger.sealing import seal
from consent.ledger.verification import verify
from consent.wire.signature import SignedKind

# A page of them; JSON lists all.
_ERASURES_SHOWN = 10
_as_json = click.option("--json", "is_json", is_flag=True, help="Print JSON.")


@click.command("seal")
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=1000, show_default=True, help="Events under one seal."
)
@click.option(
    "--checkpoint",
    "path",
    type=FILE,
    help="File of the last head, kept out of reach of the database: seals only a log that has grown out of it, and writes the new head there.",
)
@click.option(
    "--adopt", is_flag=True, help="Go on from a last seal whose key is lost. Verify it with a checkpoint before."
)
@_as_json
@with_appcontext
def seal_command(*, limit: int, path: Path | None, adopt: bool, is_json: bool) -> None:
    """Seal the events that have no seal yet. Run it every hour, or more often.

    With --checkpoint, nobody who can write to the database, and to nothing else, can have it sealed anew. It may run while the
    site does, twice at once, and be killed.
    """
    engine = find_site().engine
    is_signed = None if adopt else partial(engine.is_signed, SignedKind.SEAL)
    with telling(), using_ledger() as ledger, show_progress("Sealing", count_rows(ledger, "unsealed")) as advance:
        head = HeadFile(path, ledger, engine, is_signed) if path else None
        checkpoint = head.read() if head else None
        number = seal(
            ledger,
            sign=partial(engine.sign, SignedKind.SEAL),
            is_signed=is_signed,
            now=engine.read_clock(),
            limit=limit,
            on_progress=advance,
        )
        last = ledger.seals.last()
        if head and last:
            head.write(last, before=checkpoint)
    if is_json:
        click.echo(format_json({"sealed": number, "last_seal": last and last.as_dict()}))
        return
    click.echo(f"{count_of(number, 'event')} sealed. {_tell_end(last)}")


@click.command("verify")
@click.option("--checkpoint", "path", type=FILE, help="Checkpoint that was kept elsewhere.")
@_as_json
@with_appcontext
@click.pass_context
def verify_command(context: click.Context, *, path: Path | None, is_json: bool) -> None:
    """Compute the whole log anew, and say what is wrong first.

    Without a checkpoint, nothing shows that the log was written and sealed anew, nor that its end is missing. The exit code is 1 if something is wrong.
    """
    checkpoint, engine = read_checkpoint(path) if path else None, find_site().engine
    with using_ledger() as ledger, show_progress("Verifying", count_rows(ledger, "events")) as advance:
        verdict = verify(
            ledger,
            is_signed=partial(engine.is_signed, SignedKind.SEAL),
            checkpoint=checkpoint,
            is_own_checkpoint=partial(engine.is_signed, SignedKind.CHECKPOINT),
            on_progress=advance,
        )
    click.echo(format_json(verdict.as_dict()) if is_json else _format_verdict(verdict))
    context.exit(0 if verdict.is_intact else 1)


@click.command("checkpoint")
@click.option("--origin", default="", help="Name of the log, such as example.com/consent; without, one of its own.")
@click.option("--output", type=FILE, help="File to write; without, the terminal.")
@with_appcontext
def checkpoint_command(*, origin: str, output: Path | None) -> None:
    """Print the head of the log, to be kept elsewhere.

    Where nobody of the site can change it: mail it, commit it or have it time-stamped, after each seal or every day: it is
    this copy that shows later that nothing before it was changed. The text is a C2SP tlog-checkpoint. It holds no data of
    visitors.
    """
    engine = find_site().engine
    with telling(), using_ledger() as ledger:
        last = ledger.seals.last()
        if last is None:
            raise ProofError("There is no seal yet. Run first: flask consent ledger seal")
        checkpoint = sign_checkpoint(ledger, last, engine=engine, origin=origin)
    write_text(checkpoint.write(), output)


def _tell_end(last: Seal | None) -> str:
    if last is None:
        return "There is nothing in the log yet."
    return f"The log has {count_of(last.tree_size, 'event')}, under {count_of(last.number, 'seal')}."


def _format_verdict(verdict: Verdict) -> str:
    problem = verdict.problem
    sealed = ("sealed", f"{count_of(verdict.sealed, 'event')} right, under {count_of(verdict.seals, 'seal')}")
    checkpoint = ("checkpoint", _tell_checkpoint(verdict))
    if problem:
        return f"WRONG: {problem.message}\n{_locate(problem)}\n\n{format_table([sealed, checkpoint])}"
    facts = [
        sealed,
        ("erased", f"{count_of(verdict.erased, 'event')}, of which the digest alone is left"),
        *_list_erasures(verdict),
        ("unsealed", f"{count_of(verdict.unsealed, 'event')}, which can still be changed unnoticed"),
        *([("dates", _tell_backdated(verdict.backdated_seal))] if verdict.backdated_seal else []),
        checkpoint,
    ]
    return f"Everything is as it was sealed.\n\n{format_table(facts)}"


def _list_erasures(verdict: Verdict) -> list[tuple[str, str]]:
    """Return a line for each of the last erasures: only the operator can tell whether it was asked for."""
    found = verdict.erasures
    since = "since the checkpoint" if verdict.has_checkpoint else "in all"
    head = (
        "erasures",
        f"{len(found)} {since}{'; the last ones, the rest with --json:' if len(found) > _ERASURES_SHOWN else ''}",
    )
    return [head, *(("", _tell_erasure(each)) for each in found[-_ERASURES_SHOWN:])]


def _tell_erasure(erasure: FoundErasure) -> str:
    place = "not sealed yet" if erasure.leaf_index is None else f"place {erasure.leaf_index}"
    events = count_of(erasure.events, "event")
    return f"{erasure.erased_at:%Y-%m-%dT%H:%M:%SZ}  {events}, {erasure.reason!r}, row {erasure.position}, {place}"


def _tell_checkpoint(verdict: Verdict) -> str:
    if not verdict.has_checkpoint:
        return "none: who can write to the database can have had all of it sealed anew"
    return "given, signed by this app" if verdict.is_checkpoint_signed else "given, not signed by a key of this app"


def _tell_backdated(number: int) -> str:
    return f"seal {number} bears an earlier time than the one before: a clock was put back, or the time was chosen"


def _locate(problem: Problem) -> str:
    first, last = problem.first_position, problem.last_position
    rows = None if first is None else f"row {first}" if first == last else f"rows {first} to {last or 'the end'}"
    places = (
        rows,
        None if problem.leaf_index is None else f"place {problem.leaf_index} of the log",
        None if problem.seal_number is None else f"seal {problem.seal_number}",
    )
    return f"First wrong: {', '.join(filter(None, places)) or 'no event'}. What comes behind it was not looked at."
