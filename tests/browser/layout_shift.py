"""Whether anything of a page moves, as Chromium measures it."""

from __future__ import annotations

from typing import Any, Final

from playwright.sync_api import Page

# Runs before anything of the page. Shifts right after a press, which the usual measure leaves out, count here.
NOTE_SHIFTS: Final = """
window.shifts = [];
window.shiftsSince = Infinity;
new PerformanceObserver((list) => {
  for (const { startTime, value } of list.getEntries()) if (startTime > shiftsSince) shifts.push(value);
}).observe({ type: "layout-shift" });
"""

# After the next paint, which tells them.
_READ: Final = "() => new Promise((tell) => requestAnimationFrame(() => setTimeout(() => tell(shifts))))"


def begin(page: Page) -> None:
    """Count from now on: the page has loaded."""
    page.evaluate("() => { window.shiftsSince = performance.now() }")


def shifts_of(page: Page) -> list[Any]:
    """Return the score of each shift since then."""
    shifts: list[Any] = page.evaluate(_READ)
    return shifts
