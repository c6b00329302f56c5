"""Files that commands read, and those that they write: complete, on disk and for their owner alone, or as they were before."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

import click


@dataclass(frozen=True, slots=True)
class NewFile:
    """Take what a file is to hold."""

    path: Path
    file: IO[bytes]

    def write(self, data: bytes) -> None:
        """Add to the file.

        Raises:
            click.ClickException: If the disk does not take it.
        """
        with _naming(self.path):
            self.file.write(data)


@contextmanager
def replacing(path: Path) -> Iterator[NewFile]:
    """Lend a file that takes the name `path`, in place of what has it, once the body has ended well.

    Raises:
        click.ClickException: If it cannot be written. What else goes wrong in the body is the body's own.
    """
    # A device, such as /dev/null, would lose its name to the file.
    if path.exists() and not path.is_file():
        raise click.ClickException(f"{path} is no file. Give another --output.")
    with _naming(path):
        # Made for its owner alone, as all temporary files are.
        file = NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False)  # noqa: SIM115 - closed below
    unfinished = Path(file.name)
    try:
        yield NewFile(path, file)
        with _naming(path):
            file.flush()
            # Before the name: after a power loss there is the old file or the new one, and no empty one.
            os.fsync(file.fileno())
            file.close()
            unfinished.replace(path)
            _sync_folder(path.parent)
    finally:
        # What a full disk has refused is refused again.
        with suppress(OSError):
            file.close()
        unfinished.unlink(missing_ok=True)


@contextmanager
def reading(path: Path, *, hint: str) -> Iterator[None]:
    """Tell what is wrong with a file that the body reads and understands.

    Args:
        hint: The option or argument that named the file.

    Raises:
        click.BadParameter: For an `OSError`, `ValueError` or `RecursionError` of the body.
    """
    try:
        yield
    except OSError as error:
        raise click.BadParameter(f"{path}: {error.strerror}.", param_hint=hint) from error
    except (ValueError, RecursionError) as error:
        raise click.BadParameter(f"{path}: {error}", param_hint=hint) from error


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}.") from error


def _sync_folder(path: Path) -> None:
    """Make a new name durable; Windows has no way to ask for it."""
    if os.name == "nt":
        return
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
