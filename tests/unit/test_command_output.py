"""What commands print: how many of something, and progress, where somebody watches."""

from __future__ import annotations

import io
import os
import pty
from contextlib import redirect_stderr

import pytest

from consent.command_output import count_of, format_size, show_progress


def run_with_progress(stream, *, is_shown=True):
    with redirect_stderr(stream), show_progress("Erasing", 2, is_shown=is_shown) as advance:
        advance(1)
        advance(1)


@pytest.mark.parametrize(("number", "expected"), [(0, "0 events"), (1, "1 event"), (2500, "2,500 events")])
def test_one_of_something_is_told_in_the_singular(number, expected):
    assert count_of(number, "event") == expected


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        *((0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (9_940, "9.9 kB"), (143_360, "143 kB")),
        *((1_400_000, "1.4 MB"), (74_749_087_744, "75 GB"), (5 * 10**15, "5000 TB")),
    ],
)
def test_size_has_the_unit_that_fits(number, expected):
    assert format_size(number) == expected


@pytest.fixture
def terminal():
    """Return a stream that is a terminal, and a function that reads what it shows."""
    master, slave = pty.openpty()
    with os.fdopen(slave, "w", encoding="utf-8") as stream:

        def read():
            stream.write("(end)")
            stream.flush()
            text = ""
            while "(end)" not in text:
                text += os.read(master, 65536).decode()
            return text

        yield stream, read
    os.close(master)


def test_progress_is_shown_on_a_terminal(terminal):
    stream, read = terminal

    run_with_progress(stream)

    text = read()
    assert "Erasing" in text
    assert "100%" in text


def test_progress_is_left_out_beside_other_output(terminal):
    stream, read = terminal

    run_with_progress(stream, is_shown=False)

    assert read() == "(end)"


def test_progress_leaves_the_logs_of_timed_jobs_alone():
    stream = io.StringIO()

    run_with_progress(stream)

    assert stream.getvalue() == ""
