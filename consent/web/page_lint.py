"""What is unlawful in the pages as they are rendered: a template of the site's own may have changed them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from flask import Flask, render_template

from consent.core.choice import find_switched_on
from consent.core.jurisdiction import Place, parse_place
from consent.core.lint import Finding, Severity, lint_text
from consent.core.prompt import PromptKind
from consent.core.record import Choice
from consent.web.page_reading import PageReading, read_page
from consent.web.rehearsal import Situation, rehearse
from consent.web.templating import render_banner
from consent.web.visit import Visit, get_site

UNRENDERED = "T60"
"""Rule of a finding that a template failed: it may need a real page around it."""

# The 120 that a first layer may have (D18; no law gives a number), and what buttons, links and documents are called.
_MOST_WORDS = 150


def lint_pages(app: Flask, *, at: datetime, phrases: Mapping[str, Sequence[str]]) -> tuple[Finding, ...]:
    """Render banner and preferences for a stranger, of each kind and in each language, and find what is wrong.

    Args:
        at: Aware instant of which the laws are taken.
        phrases: Phrases of implied consent by language tag, in lower case.
    """
    findings: dict[tuple[str, str], Finding] = {}
    for place in _find_examples(app, at).values():
        for language in get_site(app).messages.languages:
            with rehearse(app, Situation(place=place, at=at, language=language)) as visit:
                for finding in _lint_place(visit, place, phrases=phrases):
                    findings.setdefault((finding.rule, finding.key), finding)
    return tuple(findings.values())


def _find_examples(app: Flask, at: datetime) -> dict[PromptKind | None, Place | None]:
    """Return a place for each kind of banner that the rules lead to."""
    codes = (code for row in get_site(app).jurisdictions.rows for code in row.countries or (row.key,))
    examples: dict[PromptKind | None, Place | None] = {}
    for place in (None, *filter(None, map(parse_place, codes))):
        with rehearse(app, Situation(place=place, at=at)) as visit:
            examples.setdefault(visit.prompt.kind if visit.prompt else None, place)
    return examples


def _lint_place(visit: Visit, place: Place | None, *, phrases: Mapping[str, Sequence[str]]) -> Iterator[Finding]:
    where = f"{place or 'an unknown place'}, in {visit.language!r}"
    try:
        banner = read_page(render_banner(visit)) if visit.prompt else None
        preferences = read_page(_render_preferences(visit))
    except Exception as error:  # noqa: BLE001 - the site's own templates: whatever they raise is what is to be told
        yield _complain(
            UNRENDERED, "templates", f"The pages cannot be rendered for {where}: {error!r}. Correct the template."
        )
        return
    if banner and visit.prompt:
        yield from _lint_banner(banner, visit.prompt.kind, where, phrases=phrases)
    yield from _lint_switches(banner, preferences, visit, where)


def _render_preferences(visit: Visit) -> str:
    return render_template(
        "consent/preferences.html",
        visit=visit,
        switched_on=find_switched_on(visit.policy, visit.decision),
        saved=False,
        back_url=visit.home_path,
        stay_url=visit.preferences_url,
    )


def _lint_banner(
    banner: PageReading, kind: PromptKind, where: str, *, phrases: Mapping[str, Sequence[str]]
) -> Iterator[Finding]:
    actions = {action for action, _ in banner.buttons}
    if kind in (PromptKind.CHOICE, PromptKind.OBJECTION) and "reject_all" not in actions:
        yield _complain(
            "D13",
            f"{kind} banner",
            f"The banner for {where} has no button 'reject_all' beside {sorted(actions)}. Refusing must be as easy as "
            "accepting; put the button back into the block 'actions' of consent/banner.html.",
        )
    if banner.focused:
        yield _complain(
            "D6",
            f"{kind} banner",
            f"The banner for {where} gives the focus to {banner.focused[0]!r} by itself. Take 'autofocus' away.",
        )
    words = len(banner.text.split())
    if words > _MOST_WORDS:
        yield Finding(
            rule="D18",
            severity=Severity.WARNING,
            key=f"{kind} banner in {where}",
            message=f"The banner for {where} has {words} words. Nobody reads more than {_MOST_WORDS}; shorten its texts. (D18)",
        )
    if kind is not PromptKind.NOTICE:
        severity = Severity.ERROR if kind is PromptKind.CHOICE else Severity.WARNING
        found = lint_text(banner.text, key=f"The banner for {where}", severity=severity, phrases=phrases)
        if found:
            yield found


def _lint_switches(banner: PageReading | None, preferences: PageReading, visit: Visit, where: str) -> Iterator[Finding]:
    verdicts = {**visit.decision.choices, **visit.decision.services}
    for page, reading in (("banner", banner), ("preferences page", preferences)):
        ticked = [key for key in reading.ticked if verdicts.get(key) is not Choice.GRANTED] if reading else []
        if ticked:
            yield _complain(
                "D7",
                page,
                f"The {page} for {where} has {ticked[0]!r} switched on before the visitor chose. A switch that somebody "
                "else has set is no consent (CJEU C-673/17); take 'checked' away.",
            )


def _complain(rule: str, key: str, message: str) -> Finding:
    return Finding(rule=rule, severity=Severity.ERROR, key=key, message=f"{message} ({rule})")
