"""`flask consent evidence`: what visitors were shown under a policy version, as files for whoever asks for proof."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from flask.cli import with_appcontext

from consent.command_ledger import using_ledger
from consent.command_output import count_of, format_json, format_table
from consent.command_site import find_site
from consent.core.evidence import Evidence, NoticeKey, bundle, count_records, find_troubles
from consent.core.ledger import ConsentEvent, Ledger
from consent.core.notice import ShownNotice
from consent.errors import quote_all
from consent.web.shown_notice import find_library_version

_ROWS_AT_ONCE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Selection:
    """Say which notices are asked for; None for all."""

    version: str | None
    language: str | None
    profile: str | None

    def takes(self, notice: ShownNotice | NoticeKey) -> bool:
        """Whether a notice, or what records name it by, is among them."""
        row = notice.profile
        return (
            self.version in (None, notice.policy_version)
            and self.language in (None, notice.language)
            and self.profile in (None, row, row.partition("@")[0])
        )


@click.command("evidence")
@click.argument("version", required=False)
@click.option("--output", type=click.Path(path_type=Path), help="Folder to write to, or a file that ends in .zip.")
@click.option("--language", help="Only notices in this language, such as de.")
@click.option("--profile", help="Only notices for this row of the jurisdiction table, such as EEA or US-CA.")
@click.option(
    "--verify",
    "is_verifying",
    is_flag=True,
    help="Write nothing; only compare hashes, of all versions if none is named.",
)
@click.option("--json", "is_json", is_flag=True, help="Print JSON.")
@with_appcontext
@click.pass_context
def evidence_command(  # noqa: PLR0913 - one parameter for each option
    context: click.Context,
    *,
    version: str | None,
    output: Path | None,
    language: str | None,
    profile: str | None,
    is_verifying: bool,
    is_json: bool,
) -> None:
    """Bundle what visitors were shown under a policy version.

    VERSION may be the beginning of it; without one, the versions are listed. In the bundle are markup, words, configuration
    and hashes of every notice, and how many records point to it. There are no screenshots in it: each markup is a page that
    opens by itself. The exit code is 1 if a hash does not hold.
    """
    with using_ledger() as ledger:
        notices = ledger.notices.list()
        whole = _find_version(version, notices) if version else None
        selection = _Selection(version=whole, language=language, profile=profile)
        chosen = [each for each in notices if selection.takes(each)]
        records = {key: number for key, number in _count(ledger).items() if selection.takes(key)}
        if is_verifying:
            troubles = tuple(find_troubles(chosen, ledger.notices.read, records))
            _tell_troubles(chosen, troubles, is_json=is_json)
            context.exit(1 if troubles else 0)
        if whole is None:
            current = find_site().engine.policy.version
            click.echo(_list_versions(chosen, records, current=current, is_json=is_json))
            return
        if not chosen:
            raise click.ClickException(_write_absence(notices, whole, language, profile))
        now = find_site().engine.read_clock()
        evidence = bundle(chosen, ledger.notices.read, records, made_at=now, library=find_library_version())
    path = output or Path(f"evidence-{whole}.zip")
    _write(evidence, path, now)
    click.echo(format_json(_describe(evidence, path)) if is_json else _format(evidence, path, chosen))
    _warn(evidence.troubles)
    context.exit(1 if evidence.troubles else 0)


def _find_version(start: str, notices: Sequence[ShownNotice]) -> str:
    versions = sorted({each.policy_version for each in notices})
    found = [each for each in versions if each.startswith(start)]
    if len(found) == 1:
        return found[0]
    known = f"Versions with notices: {quote_all(found or versions)}."
    if found:
        raise click.BadParameter(
            f"{len(found)} versions begin with {start!r}. {known} Give more of it.", param_hint="VERSION"
        )
    raise click.BadParameter(f"No notice of a policy version {start!r} is kept. {known}", param_hint="VERSION")


def _write_absence(notices: Sequence[ShownNotice], version: str, language: str | None, profile: str | None) -> str:
    there = [each for each in notices if each.policy_version == version]
    asked = [f"{name} {value!r}" for name, value in (("language", language), ("profile", profile)) if value]
    return (
        f"Nothing was shown under policy version {version!r} in {' and '.join(asked)}. Languages: "
        f"{quote_all(sorted({each.language for each in there}))}. Profiles: {quote_all(sorted({each.profile for each in there}))}."
    )


def _count(ledger: Ledger) -> Counter[NoticeKey]:
    return count_records(_scan(ledger))


def _scan(ledger: Ledger) -> Iterator[ConsentEvent]:
    position = 0
    while rows := ledger.scan(after=position, limit=_ROWS_AT_ONCE):
        yield from (row.event for row in rows if row.event)
        position = rows[-1].position


def _list_versions(
    notices: Sequence[ShownNotice], records: Mapping[NoticeKey, int], *, current: str, is_json: bool
) -> str:
    found = [
        {
            "version": version,
            "is_current": version == current,
            "notices": sum(each.policy_version == version for each in notices),
            "records": sum(number for key, number in records.items() if key.policy_version == version),
            "languages": sorted({each.language for each in notices if each.policy_version == version}),
            "profiles": sorted({each.profile for each in notices if each.policy_version == version}),
        }
        for version in sorted({each.policy_version for each in notices})
    ]
    if is_json:
        return format_json(found)
    if not found:
        return "No notice is kept yet: the first one is with the first choice that the ledger records."
    heads = ("version", "", "notices", "records", "languages", "profiles")
    return format_table([heads, *(_to_row(each) for each in found)])


def _to_row(found: Mapping[str, Any]) -> tuple[str, ...]:
    names = (" ".join(found["languages"]), " ".join(found["profiles"]))
    return (
        found["version"],
        "in force" if found["is_current"] else "",
        str(found["notices"]),
        str(found["records"]),
        *names,
    )


def _tell_troubles(notices: Sequence[ShownNotice], troubles: Sequence[str], *, is_json: bool) -> None:
    if is_json:
        click.echo(format_json({"notices": len(notices), "troubles": troubles}))
        return
    _warn(troubles)
    if not troubles:
        click.echo(f"Every hash holds, and every record finds what it points to. Notices: {len(notices)}.")


def _warn(troubles: Sequence[str]) -> None:
    for trouble in troubles:
        click.echo(trouble, err=True)


def _write(evidence: Evidence, path: Path, now: datetime) -> None:
    """Write the bundle, over nothing that is there.

    Raises:
        click.ClickException: If there is something, or it cannot be written.
    """
    try:
        if path.suffix == ".zip":
            _write_zip(evidence, path, now)
        else:
            _write_folder(evidence, path)
    except FileExistsError as error:
        raise click.ClickException(
            f"{str(path)!r} exists already, and evidence is never written over. Give another --output, or move it away."
        ) from error
    except OSError as error:
        raise click.ClickException(f"{str(path)!r} could not be written: {error}. Give another --output.") from error


def _write_zip(evidence: Evidence, path: Path, now: datetime) -> None:
    with path.open("xb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in evidence.files.items():
            archive.writestr(zipfile.ZipInfo(name, now.timetuple()[:6]), body, zipfile.ZIP_DEFLATED)


def _write_folder(evidence: Evidence, path: Path) -> None:
    path.mkdir(parents=True)
    for name, body in evidence.files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(body)


def _describe(evidence: Evidence, path: Path) -> dict[str, object]:
    return {
        "path": str(path),
        "files": len(evidence.files),
        "manifest_sha256": evidence.manifest_sha256,
        "troubles": evidence.troubles,
    }


def _format(evidence: Evidence, path: Path, notices: Sequence[ShownNotice]) -> str:
    return (
        f"Written to {path}: what was shown in {count_of(len(notices), 'notice')}, in {count_of(len(evidence.files), 'file')}.\n"
        f"SHA-256 of the manifest, which stands for all of it: {evidence.manifest_sha256}"
    )
