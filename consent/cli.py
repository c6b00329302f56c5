"""`flask consent …`: ask the library what it would do, and whether it may."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import click
from flask import Flask, current_app
from flask.cli import AppGroup, NoAppException, ScriptInfo, pass_script_info, with_appcontext

from consent.audit_command import audit_command
from consent.command_output import count_of, format_json, format_table
from consent.command_site import find_site
from consent.core.jurisdiction import Place, parse_place
from consent.core.lint import Finding, Severity
from consent.core.record import ConsentRecord, read_record
from consent.errors import ConfigError, RecordError
from consent.evidence_command import evidence_command
from consent.gpp_command import gpp_command
from consent.jurisdictions import load_implied_consent
from consent.ledger_commands import group as ledger_group
from consent.receipt_commands import group as receipt_group
from consent.service_commands import group as services_group
from consent.stats_command import stats_command
from consent.web.explanation import explain
from consent.web.page_lint import lint_pages
from consent.web.rehearsal import Situation
from consent.web.visit import get_site

group = AppGroup("consent", help="Ask what visitors get and why, and whether the configuration is lawful.")
group.add_command(services_group)
group.add_command(audit_command)
group.add_command(evidence_command)
group.add_command(gpp_command)
group.add_command(ledger_group)
group.add_command(receipt_group)
group.add_command(stats_command)

# Any: the plain JSON values of an explanation, taken apart here for people to read.
Values = Any

_REASONS: Mapping[str, str] = {
    "necessary": "the site does not work without it",
    "granted": "the visitor has granted it",
    "refused": "the visitor has refused it",
    "gpc": "Global Privacy Control says no",
    "dnt": "Do Not Track says no, and the site heeds it",
    "not_objected": "it runs until the visitor objects",
    "informed": "it runs where the visitor is told",
    "undecided": "nobody has granted it",
}
_ON_OFF: Mapping[str, str] = {"granted": "on", "denied": "off"}
_KINDS: Mapping[str, str] = {
    "choice": "asks for a choice",
    "objection": "says what runs, and offers to stop it",
    "notice": "tells, and asks for nothing",
    "announcement": "tells of a revised document",
}


@group.command("explain")
@click.option("--country", help="Two-letter code, such as FR; nothing for unknown.")
@click.option("--region", help="Code of a region of it, such as CA in the US.")
@click.option("--gpc", is_flag=True, help="The browser sends Global Privacy Control.")
@click.option("--dnt", is_flag=True, help="The browser sends Do Not Track.")
@click.option("--record", type=click.Path(path_type=Path, dir_okay=False), help="The visitor's record, as JSON.")
@click.option("--at", "day", help="Day or instant of the visit, such as 2027-05-14; nothing for now.")
@click.option("--language", default="", help="Language to speak, such as de.")
@click.option("--all", "is_all", is_flag=True, help="One line for each row of the jurisdiction table.")
@click.option("--json", "is_json", is_flag=True, help="Print JSON.")
@with_appcontext
def explain_command(  # noqa: PLR0913 - one parameter for each option
    *,
    country: str | None,
    region: str | None,
    gpc: bool,
    dnt: bool,
    record: Path | None,
    day: str | None,
    language: str,
    is_all: bool,
    is_json: bool,
) -> None:
    """Say what a visitor would see, and why."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - as Flask tells extensions to
    find_site()
    _check_language(app, language)
    at = _read_day(app, day)

    visitor = _read_record(record) if record else None

    def ask(place: Place | None, instant: datetime) -> dict[str, Values]:
        return explain(
            app, Situation(place=place, has_gpc=gpc, has_dnt=dnt, record=visitor, at=instant, language=language)
        )

    if is_all:
        table = get_site(app).jurisdictions
        found_by_row = {row.row_id: ask(*table.find_case(row, now=at)) for row in table.rows}
        click.echo(format_json(found_by_row) if is_json else _format_all(found_by_row))
        return
    found = ask(_read_place(country, region), at)
    click.echo(format_json(found) if is_json else _format(found))


@group.command("check", with_appcontext=False)
@click.option("--strict", is_flag=True, help="Fail for warnings, too.")
@click.option("--json", "is_json", is_flag=True, help="Print JSON.")
@pass_script_info
@click.pass_context
def check_command(context: click.Context, info: ScriptInfo, *, strict: bool, is_json: bool) -> None:
    """Find what is unlawful or doubtful.

    It looks at the configuration, and at the pages as they are rendered.

    The exit code is 1 for an error, 1 for a warning with --strict, and 0 otherwise.
    """
    findings = _find_all(info)
    if is_json:
        click.echo(format_json([_describe_finding(finding) for finding in findings]))
    else:
        for finding in findings:
            click.echo(f"{finding.severity.value:<8}{finding.rule:<5}{finding.message}")
        click.echo(_count(findings))
    has_errors = any(finding.severity is Severity.ERROR for finding in findings)
    context.exit(1 if has_errors or (strict and findings) else 0)


def _find_all(info: ScriptInfo) -> tuple[Finding, ...]:
    try:
        app = info.load_app()
    except NoAppException as error:
        # What an import raised, such as a missing extra; Flask puts the whole traceback into its words.
        return (Finding(rule="-", severity=Severity.ERROR, message=str(error).strip().splitlines()[-1], key="app"),)
    except ConfigError as error:
        known = error.value if isinstance(error.value, tuple) else ()
        found = tuple(each for each in known if isinstance(each, Finding))
        return found or (Finding(rule="-", severity=Severity.ERROR, message=str(error), key=error.key),)
    with app.app_context():
        site = find_site()
        pages = lint_pages(app, at=site.engine.read_clock(), phrases=load_implied_consent())
        return (*pages, *site.findings)


def _describe_finding(finding: Finding) -> dict[str, str]:
    return {
        "severity": finding.severity.value,
        "rule": finding.rule,
        "key": finding.key,
        "message": finding.message,
    }


def _count(findings: Sequence[Finding]) -> str:
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    return f"{count_of(errors, 'error')}, {count_of(len(findings) - errors, 'warning')}."


def _check_language(app: Flask, language: str) -> None:
    messages = get_site(app).messages
    if language and not messages.match(language):
        known = ", ".join(sorted(messages.languages))
        raise click.BadParameter(f"There are no texts in {language!r}. There are: {known}.", param_hint="--language")


def _read_place(country: str | None, region: str | None) -> Place | None:
    if country is None and region is None:
        return None
    place = parse_place(country, region)
    if place is None or (region and not place.region):
        raise click.BadParameter(
            f"{country!r} with region {region!r} is no place. Give codes such as --country US --region CA, or neither for unknown.",
            param_hint="--country",
        )
    return place


def _read_day(app: Flask, day: str | None) -> datetime:
    if day is None:
        return get_site(app).engine.read_clock()
    try:
        instant = datetime.fromisoformat(day)
    except ValueError as error:
        raise click.BadParameter(
            f"{day!r} is no day. Write it as 2027-05-14, or with a time as 2027-05-14T12:00+00:00.", param_hint="--at"
        ) from error
    # Noon: the day holds wherever the reader is.
    is_day = len(day) == len(date.min.isoformat())
    instant = datetime.combine(instant, time(12)) if is_day else instant
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _read_record(path: Path) -> ConsentRecord:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(data, dict):
            raise RecordError("record", found=data, allowed="a JSON object")
        return read_record(data)
    except (OSError, ValueError) as error:
        raise click.BadParameter(f"{path}: {error}", param_hint="--record") from error


def _format_all(found_by_row: Mapping[str, Mapping[str, Values]]) -> str:
    heads = ["row", "place", "on", "regime", "banner"]
    lines: list[list[str]] = []
    for row_id, found in found_by_row.items():
        heads[5:] = [each["key"] for each in found["decisions"]]
        verdicts = (f"{_ON_OFF[each['verdict']]} {each['reason']}" for each in found["decisions"])
        kind = found["prompt"]["kind"] if found["prompt"] else "-"
        lines.append([row_id, found["place"] or "unknown", found["at"][:10], found["regime"], kind, *verdicts])
    return format_table([heads, *lines])


def _row_id_of(rules: Mapping[str, Values]) -> str:
    return f"{rules['key']}@{rules['effective_from']}" if rules["effective_from"] else str(rules["key"])


def _format(found: Mapping[str, Values]) -> str:
    rules, prompt = found["jurisdiction"], found["prompt"]
    signals = [name.upper() for name, is_on in found["signals"].items() if is_on]
    facts = [
        ("place", f"{found['place'] or 'unknown'}, by the rules of {rules['name']} ({_row_id_of(rules)})"),
        ("law", rules["basis"]),
        ("at", found["at"]),
        ("signals", ", ".join(signals) or "none"),
        ("regime", found["regime"]),
        ("banner", f"{_KINDS[prompt['kind']]} ({prompt['kind']}), because of {prompt['reason']}" if prompt else "none"),
        *([("title", prompt["title"]), ("buttons", _join_buttons(prompt))] if prompt else []),
        ("documents", _join_documents(found["documents"]) or "none"),
        ("link", " | ".join(filter(None, (found["link"]["text"], found["link"]["honoured"])))),
        ("choice", "kept for {accept_months} months if granted, {refuse_months} if refused".format(**found["choice"])),
        ("waits", ", ".join(found["waits_for_browser"]) or "nothing waits for the browser's own word on GPC"),
        *(found["headers"].items()),
    ]
    decisions = [
        (each["key"], _ON_OFF[each["verdict"]], each["reason"], _REASONS[each["reason"]]) for each in found["decisions"]
    ]
    heads = ("purpose or service", "", "reason", "")
    return f"{format_table(facts)}\n\n{format_table([heads, *decisions])}"


def _join_buttons(prompt: Mapping[str, Values]) -> str:
    return " | ".join(f"{button['text']} ({button['action']})" for button in prompt["buttons"])


def _join_documents(documents: Iterable[Mapping[str, Values]]) -> str:
    return ", ".join(
        f"{each['title']} {each['version']}{' (revised)' if each['is_revised'] else ''}" for each in documents
    )
