"""Time two ways of doing the same in turn, so that whatever disturbs one disturbs the other."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from statistics import median

Work = Callable[[int], float]
"""Does the work so many times and returns the seconds it took, without its own preparations.

In seconds of processor time: whoever else has the processor meanwhile does not count.
"""

# Long enough for the clock, short enough that a busy neighbour rarely meets one variant alone.
_BATCH_SECONDS = 0.003
_WARM_UP_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """Hold what came out of many rounds."""

    value: float
    """Median of the rounds' ratios."""

    noise: float
    """Half the width of the 95 % interval of that median."""

    extra_us: float
    """Median of the rounds' differences, in microseconds for each time the work is done."""

    base_us: float
    """Median time of the work compared with, in microseconds."""


def compare(work: Work, *, to: Work, rounds: int) -> Ratio:
    """Return how long `work` takes, as a ratio to another.

    Each round runs both twice, as A B B A or B A A B by turns, which cancels what grows or falls steadily meanwhile and
    what the first place costs. The collector of garbage runs between rounds, and what lived before the first is out of
    its sight.
    """
    repeats, base_repeats = _warm_up(work), _warm_up(to)
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        pairs = []
        for _ in range(rounds // 2):
            pairs.append(_run_round(work, to, repeats, base_repeats))
            pairs.append(_run_round(to, work, base_repeats, repeats)[::-1])
    finally:
        gc.enable()
        gc.unfreeze()
    ratios = sorted(time / base for time, base in pairs)
    middle = len(ratios) // 2
    reach = min(round(0.98 * sqrt(len(ratios))), middle - 1)
    return Ratio(
        value=median(ratios),
        noise=(ratios[middle + reach] - ratios[middle - reach]) / 2,
        extra_us=median(time - base for time, base in pairs) * 1e6,
        base_us=median(base for _, base in pairs) * 1e6,
    )


def _run_round(outer: Work, inner: Work, outer_repeats: int, inner_repeats: int) -> tuple[float, float]:
    """Return the seconds that each took for doing it once."""
    gc.collect()
    outer_seconds = outer(outer_repeats)
    inner_seconds = inner(inner_repeats)
    inner_seconds += inner(inner_repeats)
    outer_seconds += outer(outer_repeats)
    return outer_seconds / (2 * outer_repeats), inner_seconds / (2 * inner_repeats)


def _warm_up(work: Work) -> int:
    """Fill every cache, and return how often to repeat the work in one batch."""
    seconds, repeats = work(1), 1
    spent = seconds
    while spent < _WARM_UP_SECONDS:
        repeats *= 2
        seconds = work(repeats)
        spent += seconds
    return max(1, round(repeats * _BATCH_SECONDS / seconds))
