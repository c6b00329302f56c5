"""Days that commands take."""

from __future__ import annotations

from datetime import date

import click


def read_day(_context: click.Context, _option: click.Parameter, text: str | None) -> date | None:
    """Return what the text of an option stands for; its callback.

    Raises:
        click.BadParameter: If it is no day.
    """
    try:
        return date.fromisoformat(text) if text is not None else None
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no day. Write it as 2026-12-31.") from error


def check_order(since: date | None, until: date | None) -> None:
    """Refuse days of which the first one is the later one.

    Raises:
        click.BadParameter: If they are.
    """
    if since and until and since > until:
        raise click.BadParameter(f"{since} is after {until}. Give the earlier day here.", param_hint="--since")
