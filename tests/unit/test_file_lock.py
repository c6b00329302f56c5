"""The lock that processes pass on, as a file."""

from __future__ import annotations

import os

import pytest

from consent.ledger._file_lock import FileLock


def test_lock_whose_file_was_removed_is_taken_on_the_new_file(tmp_path):
    path = tmp_path / "consent.db.lock"
    first, second = FileLock(path), FileLock(path)
    with first:
        pass
    path.unlink()

    with second:
        inode = path.stat().st_ino
    with first:
        pass

    assert first._descriptor is not None
    assert os.fstat(first._descriptor).st_ino == path.stat().st_ino == inode
    first.close()
    second.close()


def test_lock_of_a_missing_folder_is_an_error_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError), FileLock(tmp_path / "missing" / "consent.db.lock"):
        pass
