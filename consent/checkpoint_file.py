"""Checkpoints, and what is proved by them, as files that commands read and write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click

from consent.command_file import reading, replacing
from consent.core.checkpoint import SIZE_LIMIT_CHARACTERS, Checkpoint, make_checkpoint, parse_checkpoint
from consent.core.ledger import Ledger
from consent.core.seal import Seal
from consent.engine import Engine
from consent.errors import ProofError
from consent.ledger.sealing import find_head
from consent.wire.signature import SignedKind

FILE = click.Path(path_type=Path, dir_okay=False)


@contextmanager
def telling() -> Iterator[None]:
    """Tell what the body finds wrong with a proof or a checkpoint.

    Raises:
        click.ClickException: For a `ProofError` of the body.
    """
    try:
        yield
    except ProofError as error:
        raise click.ClickException(str(error)) from error


def read_checkpoint(path: Path) -> Checkpoint:
    """Read the file of `--checkpoint`.

    Raises:
        click.BadParameter: If it is none.
    """
    with reading(path, hint="--checkpoint"), path.open(encoding="utf-8", newline="") as file:
        return parse_checkpoint(file.read(SIZE_LIMIT_CHARACTERS + 1))


def sign_checkpoint(ledger: Ledger, head: Seal, *, engine: Engine, origin: str = "") -> Checkpoint:
    """Return the checkpoint of a seal; without an origin, its log gets a name of its own."""
    # The first seal is of this log alone, and stays.
    first = ledger.seals.list(limit=1)[0]
    return make_checkpoint(
        head,
        origin=origin or f"consent-ledger/{first.seal_hash.hex()[:16]}",
        sign=partial(engine.sign, SignedKind.CHECKPOINT),
    )


def write_text(text: str, output: Path | None) -> None:
    """Write to the file of `--output`, or to the terminal without one."""
    if output is None:
        click.echo(text, nl=False)
        return
    with replacing(output) as file:
        file.write(text.encode())


@dataclass(frozen=True, slots=True)
class HeadFile:
    """Keep the last head of the log in a file that the database has no part in, so that the log cannot be sealed anew."""

    path: Path
    ledger: Ledger
    engine: Engine
    is_signed: Callable[[bytes, str], bool] | None
    """Checks the signature of a seal; None to go on although its key is lost."""

    def read(self) -> Checkpoint | None:
        """Return the last head; None where nothing was ever sealed.

        Raises:
            ProofError: If the log has not grown out of it, if it is missing, or not the site's own.
            click.BadParameter: If it is no checkpoint, or there is no place for one.
        """
        if not self.path.parent.is_dir():
            raise click.BadParameter(f"{self.path}: There is no such folder.", param_hint="--checkpoint")
        if not self.path.exists():
            self._expect_nothing()
            return None
        checkpoint = read_checkpoint(self.path)
        is_own = self.engine.is_signed(SignedKind.CHECKPOINT, checkpoint.text.encode(), checkpoint.signature)
        if self.is_signed and not is_own:
            raise ProofError(
                f"{self.path} is not signed by a key of this app: somebody else has written it, or the key is missing in "
                "SECRET_KEY_FALLBACKS."
            )
        find_head(self.ledger.seals, checkpoint, is_signed=self.is_signed)
        return checkpoint

    def write(self, last: Seal, *, before: Checkpoint | None) -> None:
        """Put the head in place of the one before.

        Raises:
            ProofError: If the log has not grown out of that.
        """
        # Once more: what somebody has changed while the log was sealed is not to be vouched for.
        head = find_head(self.ledger.seals, before, is_signed=self.is_signed) if before else last
        made = sign_checkpoint(self.ledger, head, engine=self.engine, origin=before.origin if before else "")
        if before is None or made.text != before.text:
            write_text(made.write(), self.path)

    def _expect_nothing(self) -> None:
        if self.ledger.seals.last() is not None:
            raise ProofError(
                f"{self.path} is not there, although the log has seals. If it was lost, put a copy of it there; for a log that "
                f"had none so far, verify it, and run once: flask consent ledger checkpoint --output {self.path}"
            )
