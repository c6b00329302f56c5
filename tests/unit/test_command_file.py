"""A file that a command writes takes its name when it is complete."""

from __future__ import annotations

import errno

import pytest

from consent.command_file import replacing


def test_what_fails_beside_the_file_is_not_told_of_the_file(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"of yesterday")

    with pytest.raises(FileNotFoundError, match="another file"), replacing(path):
        raise FileNotFoundError(errno.ENOENT, "another file")

    assert [(each, each.read_bytes()) for each in tmp_path.iterdir()] == [(path, b"of yesterday")]
