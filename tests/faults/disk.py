"""A disk that remembers every write and sync, so that the power can fail at any of them afterwards.

The files are real and the program sees all it wrote, as from a page cache. What a power failure leaves is worked out from the
log: what was synced, and of the rest what the kind of failure says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import apsw


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """Hold one thing that happened: to a file, or, as `acknowledged`, to the caller."""

    kind: str
    """`write`, `truncate`, `sync`, `failed_sync`, `delete` or `acknowledged`."""

    name: str
    """The file's path, or the event's id."""

    at: int = 0
    """Offset of a write, new size of a truncation."""

    data: bytes = b""


Leave = Callable[[list[Operation]], list[Operation]]
"""Say which of a file's operations since its last sync are on the disk after the failure."""


def leave_nothing(_: list[Operation]) -> list[Operation]:
    """Only what was synced survives."""
    return []


def leave_torn(pending: list[Operation]) -> list[Operation]:
    """All but the last write had reached the disk, and of that one the first half."""
    if not pending or pending[-1].kind != "write":
        return pending
    last = pending[-1]
    return [*pending[:-1], Operation(kind="write", name=last.name, at=last.at, data=last.data[: len(last.data) // 2])]


@dataclass(frozen=True, slots=True)
class LeaveSome:
    """The disk had written some in an order of its own, sector by sector."""

    chance: Random

    def __call__(self, pending: list[Operation]) -> list[Operation]:
        """Return any of the operations, each whole or cut."""
        kept = [each for each in pending if self.chance.random() < 0.5]
        return [each if self.chance.random() < 0.7 else self._cut(each) for each in kept]

    def _cut(self, each: Operation) -> Operation:
        return Operation(
            kind=each.kind, name=each.name, at=each.at, data=each.data[: self.chance.randrange(len(each.data) + 1)]
        )


@dataclass
class Disk:
    """Log what happens to files, and tell what is left of them."""

    log: list[Operation] = field(default_factory=list)

    def note(self, kind: str, name: str, at: int = 0, data: bytes = b"") -> None:
        """Put down one operation that has happened."""
        self.log.append(Operation(kind=kind, name=name, at=at, data=data))

    def failures(self, *, every: int, leave: Leave) -> Iterator[tuple[dict[str, bytes], frozenset[str]]]:
        """Let the power fail before and after every n-th sync or acknowledgement, and each of the first ones.

        Yields:
            What is on the disk then, by path, and the ids acknowledged by then.
        """
        surface = _Surface()
        moments = 0
        for operation in self.log:
            moments += operation.kind in _MOMENTS
            is_due = operation.kind in _MOMENTS and (moments % every == 0 or moments <= _BEGINNING)
            if is_due:
                yield surface.after_failure(leave), frozenset(surface.acknowledged)
            surface.take(operation)
            if is_due:
                yield surface.after_failure(leave), frozenset(surface.acknowledged)
        yield surface.after_failure(leave), frozenset(surface.acknowledged)


_MOMENTS = {"sync", "acknowledged"}
# While the file and its tables are made.
_BEGINNING = 20


@dataclass
class _Surface:
    """Hold what is on the disk for good, and what waits to get there."""

    synced: dict[str, bytearray] = field(default_factory=dict)
    pending: dict[str, list[Operation]] = field(default_factory=dict)
    acknowledged: set[str] = field(default_factory=set)

    def take(self, operation: Operation) -> None:
        name = operation.name
        if operation.kind == "acknowledged":
            self.acknowledged.add(name)
        elif operation.kind == "delete":
            # At once: a journal that came back would roll back what was committed long ago.
            self.synced.pop(name, None)
            self.pending.pop(name, None)
        elif operation.kind == "sync":
            self.synced[name] = _apply(self.synced.get(name, bytearray()), self.pending.pop(name, []))
        elif operation.kind == "failed_sync":
            # Linux marks the pages clean all the same: no later sync writes them (the "fsyncgate" of 2018).
            self.pending.pop(name, None)
        else:
            self.pending.setdefault(name, []).append(operation)

    def after_failure(self, leave: Leave) -> dict[str, bytes]:
        names = self.synced.keys() | self.pending.keys()
        left = {
            name: _apply(bytearray(self.synced.get(name, b"")), leave(self.pending.get(name, []))) for name in names
        }
        return {name: bytes(data) for name, data in left.items() if data or name in self.synced}


def _apply(data: bytearray, operations: list[Operation]) -> bytearray:
    for each in operations:
        end = each.at + len(each.data)
        if each.kind == "truncate":
            del data[each.at :]
        data.extend(bytes(max(0, end - len(data))))
        data[each.at : end] = each.data
    return data


class RecordingVFS(apsw.VFS):
    """Be SQLite's way to the operating system, with everything that changes a file put down on a disk.

    Args:
        fail: Called with `write`, `sync`, `truncate` or `open` before each; what it raises, SQLite meets as an I/O error.
    """

    def __init__(self, name: str, disk: Disk, *, fail: Callable[[str], None] = lambda _: None) -> None:
        super().__init__(name, "")
        self.name, self.disk, self.fail = name, disk, fail

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 - SQLite's name
        self.fail("open")
        return _RecordingFile(self, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802 - SQLite's signature
        super().xDelete(filename, syncdir)
        self.disk.note("delete", filename)


class _RecordingFile(apsw.VFSFile):
    def __init__(self, vfs: RecordingVFS, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        super().__init__("", name, flags)
        self._vfs = vfs
        self._name = name.filename() if isinstance(name, apsw.URIFilename) else name or ""

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - SQLite's name
        self._vfs.fail("write")
        super().xWrite(data, offset)
        self._vfs.disk.note("write", self._name, offset, bytes(data))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 - SQLite's name
        self._vfs.fail("truncate")
        super().xTruncate(newsize)
        self._vfs.disk.note("truncate", self._name, newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's name
        try:
            self._vfs.fail("sync")
        except apsw.Error:
            self._vfs.disk.note("failed_sync", self._name)
            raise
        super().xSync(flags)
        self._vfs.disk.note("sync", self._name)


def write_image(image: dict[str, bytes], folder: Path) -> None:
    """Put what is left on a disk into another folder, under the same file names."""
    for name, data in image.items():
        (folder / Path(name).name).write_bytes(data)
