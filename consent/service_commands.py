"""`flask consent services …`: the catalogue, and the beginning of a service of the site's own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup, ScriptInfo, pass_script_info

from consent.catalogue import Entry, list_entries, load_entry, open_folders, read_shipped, service_keys
from consent.catalogue.description import build_markup, describe, summarise
from consent.catalogue.entry import read_entry
from consent.catalogue.search import find_closest, find_entries, read_host
from consent.catalogue.skeleton import EXAMPLE_HOST, build_copy, build_skeleton
from consent.command_output import format_json, format_table
from consent.core.declaration import ServiceKind, default_purposes
from consent.core.declared_value import HOST
from consent.errors import ConfigError, order_by_likeness, quote_all
from consent.web.visit import get_site

group = AppGroup("services", help="Look up services, and begin a file for one of your own.")

# Any: the plain JSON values of a description, taken apart here for people to read.
Values = Mapping[str, Any]

_KINDS = click.Choice([str(kind) for kind in ServiceKind])
_as_json = click.option("--json", "is_json", is_flag=True, help="Print JSON.")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Site:
    """Hold what the app at hand says of the catalogue."""

    folders: tuple[Path, ...] = ()
    used: frozenset[str] | None = None
    """Keys of the services that it uses; None without an app."""

    purposes: frozenset[str] = frozenset()
    """Keys of the purposes that it declares."""

    missing_folder: Path | None = None
    """The folder of `CONSENT_CATALOGUE` that keeps the app from starting, because it does not exist yet."""

    trouble: str = ""
    """Why there is no app, or none with the extension; empty if there is one."""


@group.command("list", with_appcontext=False)
@click.option("--kind", type=_KINDS, help="Only services of this kind.")
@click.option("--purpose", help="Only services that serve this purpose.")
@_as_json
@pass_script_info
def list_command(info: ScriptInfo, *, kind: str | None, purpose: str | None, is_json: bool) -> None:
    """List the services of the catalogue.

    Those of the site's own folders are included. The exit code is 2 for a kind or a purpose that there is not; a kind or
    purpose without services is no error.
    """
    site = _tell_site(info)
    every = _list_entries(site)
    _check_purpose(purpose, site, every)
    entries = [
        entry
        for entry in every
        if kind in {None, entry.service.kind} and (purpose is None or purpose in entry.service.purposes)
    ]
    _print_list([summarise(entry) | _use(site, entry.service.key) for entry in entries], is_json=is_json)


@group.command("show", with_appcontext=False)
@click.argument("key")
@_as_json
@pass_script_info
def show_command(info: ScriptInfo, *, key: str, is_json: bool) -> None:
    """Show all that is known of one service, and what to write to use it."""
    site = _tell_site(info)
    try:
        entry = load_entry(key, folders=site.folders)
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    found = describe(entry) | _use(site, key)
    click.echo(format_json(found) if is_json else _format_entry(found))


@group.command("search", with_appcontext=False)
@click.argument("words", nargs=-1, required=True)
@_as_json
@pass_script_info
def search_command(info: ScriptInfo, *, words: tuple[str, ...], is_json: bool) -> None:
    """Find services by name, key, provider, host or cookie.

    Whole addresses do as well. All words must match. The exit code is 1 if there is none.
    """
    site = _tell_site(info)
    hits = find_entries(words, _list_entries(site))
    if not hits:
        closest = quote_all(find_closest(" ".join(words), service_keys(folders=site.folders)))
        raise click.ClickException(f"No service matches {' '.join(words)!r}. The closest keys: {closest}.")
    rows = [summarise(entry) | _use(site, entry.service.key) | {"matched": list(matched)} for entry, matched in hits]
    _print_list(rows, is_json=is_json)


@group.command("new", with_appcontext=False)
@click.argument("key")
@click.option("--name", default="", help="What visitors know; without, the key.")
@click.option("--kind", type=_KINDS, help="What it does; without, other.")
@click.option("--host", help="Host, or address, that it loads from.")
@click.option(
    "--folder", type=click.Path(path_type=Path), help="Where to write; without, the first of CONSENT_CATALOGUE."
)
@pass_script_info
def new_command(
    info: ScriptInfo, *, key: str, name: str, kind: str | None, host: str | None, folder: Path | None
) -> None:
    """Begin a file for a service of your own.

    For a shipped KEY, it is a copy of its file. Nothing is ever overwritten.
    """
    site = _read_site(info)
    target = folder or site.missing_folder or next(iter(site.folders), None)
    if target is None:
        raise click.UsageError(
            "There is no folder for services of your own. Name one with --folder, or in the app's settings: "
            'app.config["CONSENT_CATALOGUE"] = "services" is the folder beside the app\'s templates.'
            f"{f' There is no app: {site.trouble}' if site.trouble else ''}"
        )
    text = _write_text(key, name=name, kind=kind, host=host)
    path = _save(text, target, key=key)
    service = read_entry(key, text.encode(), path=path).service
    click.echo(
        f"Wrote {path}. Complete it, then:\n\nConsent(app, services=[{json.dumps(key)}])\n{build_markup(service)}"
    )
    if target.resolve() not in {each.resolve() for each in (*site.folders, site.missing_folder) if each}:
        click.echo(
            f'\nThe app reads it once its settings say so: app.config["CONSENT_CATALOGUE"] = {str(target.resolve())!r}'
        )


def _tell_site(info: ScriptInfo) -> _Site:
    site = _read_site(info)
    if site.trouble:
        click.echo(f"Only the shipped services are known, since there is no app: {site.trouble}", err=True)
    return site


def _read_site(info: ScriptInfo) -> _Site:
    try:
        app = info.load_app()
        with app.app_context():
            site = get_site(app)
        return _Site(
            folders=open_folders(site.settings.catalogue, root=app.root_path),
            used=frozenset(site.engine.policy.services_by_key),
            purposes=frozenset(site.engine.policy.purposes_by_key),
        )
    except Exception as error:  # noqa: BLE001 - whatever an app raises when it is made: the shipped services need none
        return _Site(
            missing_folder=_find_missing_folder(error),
            # What an import raised comes with its whole traceback.
            trouble=(str(error).strip().splitlines() or [type(error).__name__])[-1],
        )


def _find_missing_folder(error: Exception) -> Path | None:
    # Only the error of a folder that is not there has its path as the value.
    folder = error.value if isinstance(error, ConfigError) else None
    return folder if isinstance(folder, Path) and not folder.exists() else None


def _list_entries(site: _Site) -> tuple[Entry, ...]:
    try:
        return list_entries(folders=site.folders)
    except ConfigError as error:
        raise click.ClickException(str(error)) from error


def _check_purpose(purpose: str | None, site: _Site, entries: Sequence[Entry]) -> None:
    known = site.purposes | {key for entry in entries for key in entry.service.purposes}
    known |= {each.key for each in default_purposes()}
    if purpose is not None and purpose not in known:
        raise click.BadParameter(
            f"There is no purpose {purpose!r}. The purposes, the closest first: {quote_all(order_by_likeness(purpose, known))}.",
            param_hint="--purpose",
        )


def _use(site: _Site, key: str) -> dict[str, object]:
    return {} if site.used is None else {"used": key in site.used}


def _write_text(key: str, *, name: str, kind: str | None, host: str | None) -> str:
    if key in service_keys():
        if name or kind or host:
            raise click.UsageError(
                f"{key!r} is a shipped service, so its own file is copied. Leave --name, --kind and --host out, or take another key."
            )
        return build_copy(read_shipped(key))
    if key in {purpose.key for purpose in default_purposes()}:
        raise click.BadParameter(f"{key!r} is the key of a purpose. Take another one.", param_hint="KEY")
    if not name.isprintable():
        raise click.BadParameter("The name must be printable text.", param_hint="--name")
    text = build_skeleton(key, name=name, kind=kind or ServiceKind.OTHER, host=_read_host_option(host))
    try:
        read_entry(key, text.encode())
    except ConfigError as error:
        raise click.BadParameter(str(error.__cause__ or error), param_hint="KEY") from error
    return text


def _read_host_option(word: str | None) -> str:
    if word is None:
        return EXAMPLE_HOST
    host = read_host(word)
    if not HOST.fullmatch(host) or "*" in host:
        raise click.BadParameter(
            f"{word!r} names no host. Write one such as stats.example.com, or an address on it.", param_hint="--host"
        )
    return host


def _save(text: str, folder: Path, *, key: str) -> Path:
    path = folder / f"{key}.toml"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise click.ClickException(f"{error.filename} exists already. Nothing was written.") from error
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}.") from error
    return path


def _print_list(rows: Sequence[Values], *, is_json: bool) -> None:
    if is_json:
        click.echo(format_json(rows))
    elif rows:
        click.echo(format_table([list(rows[0]), *([*map(_show, row.values())] for row in rows)]))


def _show(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "?" if value is None else str(value)


def _format_entry(found: Values) -> str:
    facts = [
        (label, text) for label, value in _list_facts(found) for text in (value if isinstance(value, list) else [value])
    ]
    lines = [
        (label if at == 0 or facts[at - 1][0] != label else "", text) for at, (label, text) in enumerate(facts) if text
    ]
    return f"{format_table(lines)}\n\n{_format_use(found)}"


def _list_facts(found: Values) -> list[tuple[str, str | list[str]]]:
    """Return label and value of each line, a list for several lines; what is empty is left out later."""
    provider = ", ".join(filter(None, (found["provider"], found["provider_country"])))
    return [
        ("key", found["key"]),
        ("name", found["name"]),
        ("kind", found["kind"]),
        ("purposes", ", ".join(found["purposes"])),
        ("used here", _show(found["used"]) if "used" in found else ""),
        ("file", found["file"] or "shipped"),
        ("provider", provider),
        ("its own ends", "the provider uses the data for ends of its own" if found["third_party_use"] else ""),
        ("privacy policy", found["privacy_url"]),
        ("signals", ", ".join(found["signals"])),
        ("hosts", [f"{use}: {', '.join(hosts)}" for use, hosts in found["hosts"].items() if hosts]),
        ("parameters", [*map(_format_parameter, found["parameters"])]),
        ("id", _format_id(found["embed"])),
        ("cookies", [*map(_format_cookie, found["cookies"])] or _format_no_cookies(found)),
        ("not known", found["not_known"]),
        ("could be necessary", _list_necessary(found)),
        ("sources", found["sources"]),
        ("read on", found["checked"] or ""),
    ]


def _list_necessary(found: Values) -> list[str]:
    if not found["necessary_when"]:
        return []
    # The file's own words will do where it has some; otherwise the site has to find them.
    words = "" if found["justification"] else ', justification="…"'
    return [
        found["necessary_when"],
        f"Then, on your own word: load_necessary({json.dumps(found['key'])}{words}) of consent.catalogue, in place of the key.",
    ]


def _format_parameter(parameter: Values) -> str:
    optional = "" if parameter["required"] else ", optional"
    return f"{parameter['name']}, such as {parameter['example']}{optional} (pattern {parameter['pattern']})"


def _format_id(embed: Values | None) -> str:
    return f"such as {embed['id_example']} (pattern {embed['id_pattern']})" if embed else ""


def _format_cookie(cookie: Values) -> str:
    where = f"on {cookie['domain']}" if cookie["third_party"] else ""
    kind = cookie["kind"].replace("_", " ") if cookie["kind"] != "cookie" else ""
    facts = ", ".join(filter(None, (cookie["lifetime"], cookie["use"], kind, where)))
    source = f" ({cookie['source']}, {cookie['checked']})" if cookie["source"] else " (no source)"
    return f"{cookie['name']}: {facts}{source}"


def _format_no_cookies(found: Values) -> str:
    if found["cookieless"]:
        return f"none, says {found['cookieless']}"
    return "not known"


def _format_use(found: Values) -> str:
    macro = next((name for name in ("script", "embed", "gate") if f"{name}(" in found["markup"]), "gate")
    return "\n".join(
        (
            f"Consent(app, services=[{json.dumps(found['key'])}])",
            f'{{% from "consent/macros.html" import {macro} %}}',
            found["markup"],
        )
    )
