"""What the loads of several rounds come to: medians, ratios within a round, and which targets are met. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

BARE: Final = "bare"
BASELINE: Final = "html-only"
OURS: Final = "ours"
SCRIPT_PEER: Final = "vanilla-cookieconsent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Hold what one load of one page came to; instants are milliseconds since the navigation began."""

    transferred_bytes: int
    """Of all answers, headers included, as they came over the line."""

    requests: int
    first_paint_ms: float
    """First contentful paint."""

    appears_ms: float | None
    """When the banner could first be seen, be it faintly; None on a page without one."""

    visible_ms: float | None
    """When it stood there in full: not transparent, its middle on the screen."""

    script_ms: float
    """Processor time of compiling and running scripts, at full speed and in a load that nothing watched."""

    layout_shift: float
    """Sum of all layout shifts."""


Round = Mapping[str, Load]
"""One load of every page, by the page's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """Hold one cell of the table."""

    value: float | None
    """Median over the rounds; None for what a page does not have."""

    ratios: tuple[float, ...] = ()
    """Of each round; none where there is nothing to divide by."""

    @property
    def ratio(self) -> float | None:
        """Median of the rounds' ratios."""
        return _median(self.ratios)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Hold one aim and what came of it."""

    name: str
    aim: float
    """The most that it may be."""

    measured: float
    """Median of the rounds, for the layout shift their largest."""

    lowest: float
    """Of all rounds, as the next one: how far they are apart tells how busy the machine was."""

    highest: float

    @property
    def verdict(self) -> str:
        """`met` or `missed`."""
        return "met" if self.measured <= self.aim else "missed"


def compute_line(rounds: Sequence[Round], name: str) -> dict[str, Figure]:
    """Return the figures of one page, by column."""
    return {
        "bytes": _compare(rounds, name, lambda load: load.transferred_bytes),
        "requests": _compare(rounds, name, lambda load: load.requests, has_ratio=False),
        "first paint": _compare(rounds, name, lambda load: load.first_paint_ms),
        "appears": _compare(rounds, name, lambda load: load.appears_ms),
        "visible": _compare(rounds, name, lambda load: load.visible_ms),
        "wait": _compare(rounds, name, _get_wait_ms, has_ratio=False),
        "script": _compute_script(rounds, name),
        "shift": Figure(value=max(each[name].layout_shift for each in rounds)),
    }


def compute_targets(rounds: Sequence[Round]) -> list[Target]:
    """Return how the library's page did against what it should reach.

    Raises:
        ValueError: If the loads lack one of the figures, such as when no banner was looked for.
    """
    line = compute_line(rounds, OURS)
    return [
        _judge(f"banner visible, against {BASELINE}", line["visible"].ratios, aim=1.05, measure=median),
        _judge(f"script time, against {SCRIPT_PEER}", line["script"].ratios, aim=0.25, measure=median),
        _judge("layout shift", [each[OURS].layout_shift for each in rounds], aim=0, measure=max),
    ]


def _judge(name: str, values: Sequence[float], *, aim: float, measure: Callable[[Sequence[float]], float]) -> Target:
    if not values:
        raise ValueError(f"The loads give no figure for {name!r}.")
    return Target(name=name, aim=aim, measured=measure(values), lowest=min(values), highest=max(values))


def _compare(
    rounds: Sequence[Round], name: str, read: Callable[[Load], float | None], *, has_ratio: bool = True
) -> Figure:
    pairs = [(read(each[name]), read(each[BASELINE])) for each in rounds]
    values = [value for value, _ in pairs if value is not None]
    ratios = [value / base for value, base in pairs if value is not None and base]
    return Figure(value=_median(values), ratios=tuple(ratios) if has_ratio else ())


def _get_wait_ms(load: Load) -> float | None:
    return None if load.visible_ms is None else load.visible_ms - load.first_paint_ms


def _compute_script(rounds: Sequence[Round], name: str) -> Figure:
    """Compare with a peer: the baseline has no script to divide by."""
    values = [_get_own_script_ms(each, name) for each in rounds]
    bases = [_get_own_script_ms(each, SCRIPT_PEER) for each in rounds]
    ratios = [value / base for value, base in zip(values, bases, strict=True) if base > 0]
    return Figure(value=_median(values), ratios=tuple(ratios))


def _get_own_script_ms(each: Round, name: str) -> float:
    """Return what a page's scripts took beyond those of the page that asks nothing."""
    return each[name].script_ms - each[BARE].script_ms


def _median(values: Sequence[float]) -> float | None:
    return median(values) if values else None
