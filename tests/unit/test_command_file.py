"""A file that a command writes takes its name when it is complete."""

from __future__ import annotations

import errno

import click
import pytest

from consent.command_file import reading, replacing


def test_what_fails_beside_the_file_is_not_told_of_the_file(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"of yesterday")

    with pytest.raises(FileNotFoundError, match="another file"), replacing(path):
        raise FileNotFoundError(errno.ENOENT, "another file")

    assert [(each, each.read_bytes()) for each in tmp_path.iterdir()] == [(path, b"of yesterday")]


def test_file_that_cannot_be_read_is_named_once(tmp_path):
    path = tmp_path / "proof.json"

    with pytest.raises(click.BadParameter) as caught, reading(path, hint="FILE"):
        path.read_bytes()

    assert caught.value.format_message() == f"Invalid value for FILE: {path}: No such file or directory."
