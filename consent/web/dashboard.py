"""The operator's page: what visitors were asked and answered, at a glance. Shut unless the site's own guard opens it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from http import HTTPStatus

from flask import Blueprint, Response, abort, make_response, render_template, request
from markupsafe import Markup

from consent.core.ledger import Health, Ledger
from consent.core.seal import Seal
from consent.core.tally import Counted
from consent.core.tally_summary import Numbers
from consent.errors import ConfigError, LedgerError
from consent.web.charts import Bars, Series, check_extra, draw_columns, draw_shares
from consent.web.overview import Line, Overview, Span, format_day, make_overview
from consent.web.site import Site
from consent.web.visit import get_visit

log = logging.getLogger("consent")

_GUARD_KEY = "CONSENT_LEDGER_DASHBOARD"
_RANGES = (7, 30, 90, 365)
_DEFAULT_RANGE = 30
_LINES_LIMIT = 8
# A chart is drawn for several widths, so that its words are as large on a phone: dashboard.css shows one of them.
_COLUMN_SIZES = {"wide": (1040, 280, 10), "middle": (620, 240, 6), "narrow": (300, 200, 4)}
_LINE_WIDTHS = {"middle": 480, "narrow": 300}

TITLES = {
    Counted.ACCEPTED: "Accepted",
    Counted.PARTIAL: "Partly accepted",
    Counted.REFUSED: "Refused",
    Counted.OPTED_OUT: "Opted out",
}


Drawings = Mapping[str, Markup]
"""One chart by the name of the width that it was drawn for."""


def add_dashboard(blueprint: Blueprint, site: Site) -> None:
    """Add the route, if the site has set a guard for it; without one there is no such page.

    Raises:
        ConfigError: If there is a guard and no ledger, which has the numbers.
        MissingExtraError: If what draws the charts is not installed.
    """
    if site.settings.ledger_dashboard is None:
        return
    if site.ledger is None:
        raise ConfigError(
            f"{_GUARD_KEY!r} is set, and there is no ledger that numbers could be read from. Set 'CONSENT_LEDGER' to a URL "
            f"such as 'sqlite:///consent.db', or leave out {_GUARD_KEY!r}.",
            key=_GUARD_KEY,
        )
    check_extra(repr(_GUARD_KEY))
    blueprint.add_url_rule("/dashboard", "dashboard", show_dashboard)


def show_dashboard() -> Response:
    """Answer with the dashboard, to whoever the guard lets in."""
    visit = get_visit()
    site = visit.site
    guard, ledger = site.settings.ledger_dashboard, site.ledger
    if guard is None or ledger is None or not _is_let_in(guard):
        abort(HTTPStatus.FORBIDDEN)
    days = _read_days()
    today = site.engine.read_clock().date()
    span = Span(since=today - timedelta(days=days - 1), until=today)
    try:
        overview, seal, trouble = _read(ledger, site, span), ledger.seals.last(), ""
    except LedgerError as error:
        overview, seal, trouble = None, None, str(error)
    response = make_response(
        render_template(
            "consent/dashboard.html",
            visit=visit,
            ranges=_RANGES,
            span=span,
            health=_describe_health(ledger.health(), seal),
            trouble=trouble,
            format_day=format_day,
            **(_describe(overview) if overview else {}),
        )
    )
    response.headers["X-Robots-Tag"] = "noindex"
    if trouble:
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
        response.headers["Retry-After"] = "30"
    return response


def _is_let_in(guard: Callable[[], object]) -> bool:
    """Whether the site's guard says True: whatever else it says or raises, the page stays shut."""
    try:
        answer = guard()
    except Exception:  # the site's own code
        log.exception("The guard of the dashboard failed, so the page was refused.")
        return False
    if answer is not True and answer is not False:
        log.warning(
            "The guard of the dashboard returned a %s, so the page was refused. Only True opens it: let %r return a bool.",
            type(answer).__name__,
            _GUARD_KEY,
        )
    return answer is True


def _read_days() -> int:
    """Return for how many days the page was asked.

    Raises:
        werkzeug.exceptions.BadRequest: For anything that none of the page's own links asks for (T41).
    """
    asked = request.args.to_dict(flat=False)
    if not asked:
        return _DEFAULT_RANGE
    found = next((days for days in _RANGES if asked == {"days": [str(days)]}), None)
    if found is None:
        abort(HTTPStatus.BAD_REQUEST, f"The only parameter is 'days', and it is one of {_RANGES}.")
    return found


def _read(ledger: Ledger, site: Site, span: Span) -> Overview:
    tallies = ledger.tallies.read(since=span.before.since, until=span.until)
    # Of rows that follow each other in time, the last one names the place.
    titles = {row.key: row.name for row in site.jurisdictions.rows}
    return make_overview(tallies, span, place_titles=titles)


def _describe(overview: Overview) -> dict[str, object]:
    return {
        "overview": overview,
        "titles": {each: TITLES[each] for each in overview.outcomes},
        "trend": _draw_trend(overview),
        "by_place": _draw_lines(overview, overview.places, "places", "Choices by jurisdiction"),
        "by_language": _draw_lines(overview, overview.languages, "languages", "Choices by language"),
        "has_marks": any(column.begun for column in overview.columns),
        "days": [(column.span, column.numbers) for column in overview.columns[::-1]],
        "named": _name_lines,
        "Counted": Counted,
    }


def _name_lines(lines: Sequence[Line]) -> list[tuple[str, Numbers]]:
    return [(line.title if line.title == line.key else f"{line.title} ({line.key})", line.numbers) for line in lines]


def _draw_trend(overview: Overview) -> Drawings:
    columns, total = overview.columns, overview.total
    said = ", ".join(f"{total[each]:,} {TITLES[each].lower()}" for each in overview.outcomes)

    def make(chart_id: str) -> Bars:
        return Bars(
            chart_id=chart_id,
            title="Choices over time",
            description=f"{columns[0].span} to {columns[-1].span}: {said}. The table below has every number.",
            labels=tuple(format_day(column.span.until) for column in columns),
            series=tuple(
                Series(key=each, title=TITLES[each], values=tuple(column.numbers[each] for column in columns))
                for each in overview.outcomes
            ),
            marks={
                at: f"{column.span}: policy version {', '.join(column.begun)}"
                for at, column in enumerate(columns)
                if column.begun
            },
        )

    return {
        name: draw_columns(make(f"trend-{name}"), width=width, height=height, label_limit=labels)
        for name, (width, height, labels) in _COLUMN_SIZES.items()
    }


def _draw_lines(overview: Overview, lines: Sequence[Line], key: str, title: str) -> Drawings:
    shown = [line for line in lines if line.choices][:_LINES_LIMIT]
    if not shown:
        return {}
    rates = "; ".join(
        f"{line.title}: "
        + ", ".join(f"{line.numbers[each] / line.choices:.0%} {TITLES[each].lower()}" for each in overview.outcomes)
        for line in shown
    )

    def make(chart_id: str) -> Bars:
        return Bars(
            chart_id=chart_id,
            title=title,
            description=f"{rates}.",
            labels=tuple(line.key for line in shown),
            series=tuple(
                Series(key=each, title=TITLES[each], values=tuple(line.numbers[each] for line in shown))
                for each in overview.outcomes
            ),
        )

    return {name: draw_shares(make(f"{key}-{name}"), width=width) for name, width in _LINE_WIDTHS.items()}


def _describe_health(health: Health, seal: Seal | None) -> dict[str, object]:
    events, erasures = (health.details.get(name) for name in ("events", "erasures"))
    # What says that others were erased is an event, and no choice.
    choices = events - erasures if isinstance(events, int) and isinstance(erasures, int) else events
    return {
        "is_writable": health.is_writable,
        "problem": health.problem,
        "backend": health.details.get("backend"),
        "choices": choices,
        "erased": health.details.get("erased"),
        "unsealed": health.details.get("unsealed"),
        "seal": seal,
    }
