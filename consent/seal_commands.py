"""`flask consent ledger seal`, `verify`, `prove`, `check-proof` and `checkpoint`: show that nothing was changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import click
from flask.cli import with_appcontext

from consent.command_file import reading, replacing
from consent.command_ledger import find_site, using_ledger
from consent.command_output import count_of, format_json, format_table, show_progress
from consent.core.checkpoint import SIZE_LIMIT_CHARACTERS, Checkpoint, make_checkpoint, parse_checkpoint
from consent.core.ledger import Ledger
from consent.core.proof import Proof
from consent.core.seal import Seal
from consent.core.verdict import Problem, Verdict
from consent.errors import ProofError
from consent.ledger.proof import check_proof, prove
from consent.ledger.sealing import seal
from consent.ledger.verification import verify
from consent.wire.signature import SignedKind

# No record comes near it.
_PROOF_LIMIT_BYTES = 4 * 1024 * 1024
_FILE = click.Path(path_type=Path, dir_okay=False)
_as_json = click.option("--json", "is_json", is_flag=True, help="Print JSON.")


@click.command("seal")
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=1000, show_default=True, help="Events under one seal."
)
@click.option(
    "--adopt", is_flag=True, help="Go on from a last seal whose key is lost. Verify it with a checkpoint before."
)
@_as_json
@with_appcontext
def seal_command(*, limit: int, adopt: bool, is_json: bool) -> None:
    """Seal the events that have no seal yet. Run it every hour, or more often.

    It may run while the site does, twice at once, and be killed.
    """
    engine = find_site().engine
    with using_ledger() as ledger, show_progress("Sealing", _count(ledger, "unsealed")) as advance:
        number = seal(
            ledger,
            sign=partial(engine.sign, SignedKind.SEAL),
            is_signed=None if adopt else partial(engine.is_signed, SignedKind.SEAL),
            now=engine.read_clock(),
            limit=limit,
            on_progress=advance,
        )
        last = ledger.seals.last()
    if is_json:
        click.echo(format_json({"sealed": number, "last_seal": last and last.as_dict()}))
        return
    click.echo(f"{count_of(number, 'event')} sealed. {_tell_end(last)}")


@click.command("verify")
@click.option("--checkpoint", "path", type=_FILE, help="Checkpoint that was kept elsewhere.")
@_as_json
@with_appcontext
@click.pass_context
def verify_command(context: click.Context, *, path: Path | None, is_json: bool) -> None:
    """Compute the whole log anew, and say what is wrong first.

    Without a checkpoint, nothing shows that somebody with the app's keys has written the log anew, nor that its end is
    missing. The exit code is 1 if something is wrong.
    """
    checkpoint, engine = _read_checkpoint(path) if path else None, find_site().engine
    with using_ledger() as ledger, show_progress("Verifying", _count(ledger, "events")) as advance:
        verdict = verify(
            ledger,
            is_signed=partial(engine.is_signed, SignedKind.SEAL),
            checkpoint=checkpoint,
            is_own_checkpoint=partial(engine.is_signed, SignedKind.CHECKPOINT),
            on_progress=advance,
        )
    click.echo(format_json(verdict.as_dict()) if is_json else _format_verdict(verdict))
    context.exit(0 if verdict.is_intact else 1)


@click.command("prove")
@click.argument("event")
@click.option(
    "--checkpoint", "path", type=_FILE, help="Checkpoint that the reader of the proof has kept; without, the last."
)
@click.option("--output", type=_FILE, help="File to write; without, the terminal.")
@with_appcontext
def prove_command(*, event: str, path: Path | None, output: Path | None) -> None:
    """Print the proof that an event is in the log.

    EVENT is the id of its record. The proof holds the event itself. Who has it and a checkpoint needs nothing else to check
    it.
    """
    checkpoint = _read_checkpoint(path) if path else None
    with _telling(), using_ledger() as ledger, show_progress("Proving", _count(ledger, "events")) as advance:
        proof = prove(ledger, event, checkpoint=checkpoint, on_progress=advance)
    _write(format_json(proof.as_dict()) + "\n", output)


@click.command("check-proof")
@click.argument("path", type=_FILE, metavar="FILE")
@click.option("--checkpoint", "checkpoint_path", type=_FILE, required=True, help="Checkpoint that you trust.")
@_as_json
def check_proof_command(*, path: Path, checkpoint_path: Path, is_json: bool) -> None:
    """Check a proof with a checkpoint alone.

    FILE is what `prove` wrote. No app, ledger or key is asked. The exit code is 1 if it proves nothing.
    """
    checkpoint = _read_checkpoint(checkpoint_path)
    with _telling():
        proof = check_proof(_read_json(path), checkpoint)
    is_older = proof.leaf_index < checkpoint.tree_size
    if is_json:
        click.echo(format_json({"is_proved": True, "is_under_checkpoint": is_older, **proof.as_dict()}))
        return
    click.echo(_format_proof(proof, is_older=is_older))


@click.command("checkpoint")
@click.option("--origin", default="", help="Name of the log, such as example.com/consent; without, one of its own.")
@click.option("--output", type=_FILE, help="File to write; without, the terminal.")
@with_appcontext
def checkpoint_command(*, origin: str, output: Path | None) -> None:
    """Print the head of the log, to be kept elsewhere.

    Where nobody of the site can change it: mail it, commit it or have it time-stamped, after each seal or every day: it is
    this copy that shows later that nothing before it was changed. The text is a C2SP tlog-checkpoint. It holds no data of
    visitors.
    """
    engine = find_site().engine
    with _telling(), using_ledger() as ledger:
        first, last = ledger.seals.list(limit=1), ledger.seals.last()
        if last is None or not first:
            raise ProofError("There is no seal yet. Run first: flask consent ledger seal")
        checkpoint = make_checkpoint(
            last,
            # The first seal is of this log alone, and stays.
            origin=origin or f"consent-ledger/{first[0].seal_hash.hex()[:16]}",
            sign=partial(engine.sign, SignedKind.CHECKPOINT),
        )
    _write(checkpoint.write(), output)


@contextmanager
def _telling() -> Iterator[None]:
    try:
        yield
    except ProofError as error:
        raise click.ClickException(str(error)) from error


def _read_checkpoint(path: Path) -> Checkpoint:
    with reading(path, hint="--checkpoint"), path.open(encoding="utf-8", newline="") as file:
        return parse_checkpoint(file.read(SIZE_LIMIT_CHARACTERS + 1))


def _read_json(path: Path) -> object:
    with reading(path, hint="FILE"), path.open("rb") as file:
        return json.loads(file.read(_PROOF_LIMIT_BYTES))


def _write(text: str, output: Path | None) -> None:
    if output is None:
        click.echo(text, nl=False)
        return
    with replacing(output) as file:
        file.write(text.encode())


def _count(ledger: Ledger, name: str) -> int:
    found = ledger.health().details.get(name, 0)
    return found if isinstance(found, int) else 0


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
        ("unsealed", f"{count_of(verdict.unsealed, 'event')}, which can still be changed unnoticed"),
        *([("dates", _tell_backdated(verdict.backdated_seal))] if verdict.backdated_seal else []),
        checkpoint,
    ]
    return f"Nothing was changed.\n\n{format_table(facts)}"


def _tell_checkpoint(verdict: Verdict) -> str:
    if not verdict.has_checkpoint:
        return "none: who has the app's keys can have written all of it anew"
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


def _format_proof(proof: Proof, *, is_older: bool) -> str:
    # Of an erased event nothing is left that its id could be compared with.
    subject = (
        f"event {proof.event_id}" if proof.event else f"the digest kept of event {proof.event_id}, which was erased,"
    )
    age = (
        "It was there when the checkpoint was made."
        if is_older
        else "It came after the checkpoint was made, to a log that has grown out of it."
    )
    facts = [
        ("place", str(proof.leaf_index)),
        ("digest", proof.digest.hex()),
        *(
            [("kind", proof.event.kind), ("recorded", f"{proof.event.recorded_at:%Y-%m-%dT%H:%M:%SZ}")]
            if proof.event
            else []
        ),
    ]
    return f"Proved: {subject} is in the log. {age}\n\n{format_table(facts)}"
