"""`flask consent audit`: what got past the templates, from the logs of a site or from its pages."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from consent.audit_report import Read, describe_audit, format_audit, show
from consent.catalogue import Entry, list_entries, open_folders
from consent.command_file import reading
from consent.command_output import show_progress
from consent.command_site import find_site
from consent.core.audit import Audit, AuditEntry, Position, count_kinds
from consent.core.leak import AUDIT_MARK, LeakKind
from consent.errors import UnknownKeyError, order_by_likeness, quote_all
from consent.web.page_audit import AuditedPage, audit_pages, list_plain_pages
from consent.wire.leak_line import find_leak

_ANY = "any"
_STDIN = Path("-")
# Far more than a line of ours, within whatever JSON; what is longer is nobody's line, and is not kept in memory.
_LINE_LIMIT_BYTES = 1 << 18
_PROGRESS_BYTES = 1 << 20
_MARK = AUDIT_MARK.encode()


def _read_kinds(_context: click.Context, _option: click.Parameter, value: str | None) -> frozenset[LeakKind]:
    known = [kind.value for kind in LeakKind]
    names = [name.strip() for name in (value or "").split(",") if name.strip()]
    if _ANY in names:
        return frozenset(LeakKind)
    for name in names:
        if name not in known:
            raise click.BadParameter(
                f"There is no kind {name!r}. The kinds, the closest first: {quote_all(order_by_likeness(name, known))}; "
                f"or {_ANY!r}."
            )
    return frozenset(map(LeakKind, names))


@click.command("audit")
@click.argument("files", metavar="[FILE]...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--kind", "kinds", callback=_read_kinds, help="Only these kinds, separated by commas.")
@click.option("--fail-on", callback=_read_kinds, help="Kinds for which to exit with 1, separated by commas; or any.")
@click.option("--visit", "paths", multiple=True, help="Path of a page of the app to visit; may be repeated.")
@click.option("--visit-all", is_flag=True, help="Visit every page that needs no argument.")
@click.option(
    "--granted", multiple=True, help="Key that the visitor has granted, in place of no choice; may be repeated."
)
@click.option("--json", "is_json", is_flag=True, help="Print JSON.")
@with_appcontext
@click.pass_context
def audit_command(  # noqa: PLR0913 - one parameter for each option
    context: click.Context,
    *,
    files: Sequence[Path],
    kinds: frozenset[LeakKind],
    fail_on: frozenset[LeakKind],
    paths: Sequence[str],
    visit_all: bool,
    granted: Sequence[str],
    is_json: bool,
) -> None:
    """List what got past the templates.

    It reads log files (- for what is piped in), whatever else is in them. With --visit it also asks the app itself for
    pages, whose views run; nothing is recorded of the visits.

    The exit code is 1 if there is anything of a kind in --fail-on, listed or not, or if with it there is a page that nobody
    has seen: one named by --visit that is not answered with 2xx, or one of --visit-all that fails. Otherwise it is 0.
    """
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - as Flask tells extensions to
    _check_keys(granted)
    visits = tuple(dict.fromkeys((*paths, *(list_plain_pages(app) if visit_all else ()))))
    _check_paths(visits)
    if not (files or visits):
        raise click.UsageError(
            "There is nothing to audit. Name a log file, - for what is piped in, or a page to --visit."
        )
    audit = Audit()
    lines = _read_files(files, audit)
    pages = _visit_pages(app, visits, granted, audit)
    read = Read(
        lines=lines,
        malformed=audit.malformed,
        left_out=audit.left_out,
        visits=visits,
        troubles={page.path: page.trouble for page in pages if page.trouble},
    )
    entries = audit.list_entries(kinds)
    catalogue = _load_catalogue(app, entries)
    if is_json:
        # In ASCII, where nothing can move a terminal's cursor.
        click.echo(json.dumps(describe_audit(entries, read, catalogue), indent=2))
    else:
        click.echo(format_audit(entries, read, catalogue))
    if fail_on:
        _exit_by(context, audit.list_entries(fail_on), _list_unseen(pages, named=frozenset(paths)))


def _list_unseen(pages: Sequence[AuditedPage], *, named: frozenset[str]) -> list[str]:
    """Return the addresses of which it is unknown what leaks there: a page that nobody has seen is no clean one.

    Among all pages of a site there are some that lead elsewhere, or are not for everyone; whoever names one wants it seen.
    """
    return [page.path for page in pages if page.has_failed or (page.trouble and page.path in named)]


def _exit_by(context: click.Context, found: Sequence[AuditEntry], unseen: Sequence[str]) -> None:
    """End with 1 if there is what must not be, and say what: what is listed can be something else."""
    reasons = [f"{number} {kind.value}" for kind, number in count_kinds(tuple(found)).items()]
    if unseen:
        reasons.append(f"not seen: {', '.join(map(show, unseen))}")
    if reasons:
        click.echo(f"Failed by --fail-on: {'; '.join(reasons)}", err=True)
        context.exit(1)


def _check_keys(granted: Sequence[str]) -> None:
    policy = find_site().engine.policy
    for key in granted:
        try:
            policy.check_key(key)
        except UnknownKeyError as error:
            raise click.BadParameter(str(error), param_hint="--granted") from error


def _check_paths(paths: Sequence[str]) -> None:
    for path in paths:
        if not path.startswith("/") or path.startswith("//"):
            raise click.BadParameter(
                f"A path of the app's own begins with one slash, such as /about, got {path!r}.", param_hint="--visit"
            )


def _visit_pages(app: Flask, paths: Sequence[str], granted: Sequence[str], audit: Audit) -> tuple[AuditedPage, ...]:
    pages: list[AuditedPage] = []
    with show_progress("Visiting", len(paths)) as advance:
        for page in audit_pages(app, paths, granted=granted):
            pages.append(page)
            for leak in page.leaks:
                audit.add(leak, Position(page.path))
            advance(1)
    return tuple(pages)


def _load_catalogue(app: Flask, entries: Sequence[AuditEntry]) -> Sequence[Entry]:
    """Read the catalogue, with the site's own folders, if anything is to be looked up in it."""
    if all(each.leak.services for each in entries):
        return ()
    folders = open_folders(find_site().settings.catalogue, root=app.root_path)
    return list_entries(folders=folders)


def _read_files(files: Sequence[Path], audit: Audit) -> int:
    """Read files into an audit; return how many lines there were."""
    sizes = {path: _find_size(path) for path in files}
    with show_progress("Reading", sum(sizes.values())) as advance:
        return sum(_read_file(path, audit, advance) for path in files)


def _find_size(path: Path) -> int:
    if path == _STDIN:
        return 0
    with reading(path, hint="FILE"):
        if path.is_dir():
            raise ValueError("It is a folder.")
        return path.stat().st_size


def _read_file(path: Path, audit: Audit, advance: Callable[[int], None]) -> int:
    if path == _STDIN:
        return _read_lines(sys.stdin.buffer, "standard input", audit, advance)
    with reading(path, hint="FILE"), path.open("rb") as file:
        return _read_lines(file, path.name, audit, advance)


def _read_lines(file: IO[bytes], name: str, audit: Audit, advance: Callable[[int], None]) -> int:
    number = pending = 0
    for line in _split(file):
        number += 1
        pending += len(line)
        if pending > _PROGRESS_BYTES:
            advance(pending)
            pending = 0
        if _MARK in line:
            audit.add(find_leak(line.decode("utf-8", "replace")), Position(name, number))
    advance(pending)
    return number


def _split(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the lines of a file; of one that is too long its beginning alone."""
    while line := file.readline(_LINE_LIMIT_BYTES):
        yield line
        while len(line) == _LINE_LIMIT_BYTES and not line.endswith(b"\n"):
            line = file.readline(_LINE_LIMIT_BYTES)
