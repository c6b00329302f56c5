"""`flask consent ledger prove` and `check-proof`: show to somebody else that an event is in the log."""

from __future__ import annotations

import json
from pathlib import Path

import click
from flask.cli import with_appcontext

from consent.checkpoint_file import FILE, read_checkpoint, telling, write_text
from consent.command_file import reading
from consent.command_ledger import count_rows, using_ledger
from consent.command_output import format_json, format_table, show_progress
from consent.core.proof import Proof
from consent.ledger.proof import check_proof, prove

# No record comes near it.
_LIMIT_BYTES = 4 * 1024 * 1024


@click.command("prove")
@click.argument("event")
@click.option(
    "--checkpoint", "path", type=FILE, help="Checkpoint that the reader of the proof has kept; without, the last."
)
@click.option("--output", type=FILE, help="File to write; without, the terminal.")
@with_appcontext
def prove_command(*, event: str, path: Path | None, output: Path | None) -> None:
    """Print the proof that an event is in the log.

    EVENT is the id of its record. The proof holds the event itself. Who has it and a checkpoint needs nothing else to check
    it.
    """
    checkpoint = read_checkpoint(path) if path else None
    with telling(), using_ledger() as ledger, show_progress("Proving", count_rows(ledger, "events")) as advance:
        proof = prove(ledger, event, checkpoint=checkpoint, on_progress=advance)
    write_text(format_json(proof.as_dict()) + "\n", output)


@click.command("check-proof")
@click.argument("path", type=FILE, metavar="FILE")
@click.option("--checkpoint", "checkpoint_path", type=FILE, required=True, help="Checkpoint that you trust.")
@click.option("--json", "is_json", is_flag=True, help="Print JSON.")
def check_proof_command(*, path: Path, checkpoint_path: Path, is_json: bool) -> None:
    """Check a proof with a checkpoint alone.

    FILE is what `prove` wrote. No app, ledger or key is asked. The exit code is 1 if it proves nothing.
    """
    checkpoint = read_checkpoint(checkpoint_path)
    with telling():
        proof = check_proof(_read_json(path), checkpoint)
    click.echo(format_json({"is_proved": True, **proof.as_dict()}) if is_json else _format_proof(proof))


def _read_json(path: Path) -> object:
    with reading(path, hint="FILE"), path.open("rb") as file:
        return json.loads(file.read(_LIMIT_BYTES))


def _format_proof(proof: Proof) -> str:
    subject = f"event {proof.event.event_id}" if proof.event else "a digest"
    facts = [
        ("place", str(proof.leaf_index)),
        ("digest", proof.digest.hex()),
        *(
            [("kind", proof.event.kind), ("recorded", f"{proof.event.recorded_at:%Y-%m-%dT%H:%M:%SZ}")]
            if proof.event
            else []
        ),
    ]
    rest = "" if proof.event else " Its event was erased, and nothing tells any more what it was of."
    return f"Proved: {subject} was in the log when the checkpoint was made.{rest}\n\n{format_table(facts)}"
