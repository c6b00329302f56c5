"""When a choice was made on the site, so that requests can be told apart: before it, and after."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass

from flask import Flask

from consent import Choice, ConsentRecord, consent_recorded

_KEPT = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceMade:
    at: float
    """Unix time, by the clock that the trackers' log uses too."""

    action: str
    granted: tuple[str, ...]
    """Keys of the purposes and services that were granted."""


class Timeline:
    """Remember the latest choices, whoever made them."""

    def __init__(self) -> None:
        self._choices: deque[ChoiceMade] = deque(maxlen=_KEPT)

    def watch(self, app: Flask) -> None:
        """Note the choices that are made on an app."""
        # Blinker keeps weak references: the bound method lives as long as this object, which the app holds.
        consent_recorded.connect(self._note, sender=app)

    @property
    def choices(self) -> tuple[ChoiceMade, ...]:
        return tuple(self._choices)

    def clear(self) -> None:
        self._choices.clear()

    def _note(self, _app: Flask, *, record: ConsentRecord, **_others: object) -> None:
        granted = tuple(key for key, choice in record.choices.items() if choice is Choice.GRANTED)
        action = record.account.action if record.account else ""
        self._choices.append(ChoiceMade(at=time.time(), action=action, granted=granted))
