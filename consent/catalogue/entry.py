"""One file of the catalogue: the service that it declares, and what it says to its reader."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from consent.catalogue._lines import find_line
from consent.catalogue._schema import SERVICE
from consent.core.cookie_declaration import CookieDeclaration, CookieUse
from consent.core.data_schema import check_table
from consent.core.declaration import Service, ServiceKind
from consent.core.embed import Embed, Parameter
from consent.errors import ConfigError, quote_all

Part = TypeVar("Part", CookieDeclaration, Parameter, Embed)

# Any: TOML values have no static type; `check_table` compares each with the schema.
Fields = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class CookieSource:
    """Say where the facts about one cookie come from."""

    source: str = ""
    checked: date | None = None
    """The day on which the source was read; None for not said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Hold a service with what is known about it."""

    service: Service
    path: Path | None = None
    """The file; None for one that is shipped."""

    sources: tuple[str, ...] = ()
    checked: date | None = None
    """The day on which the sources were read; None for not said."""

    not_known: str = ""
    cookieless: str = ""
    """The source that says that it stores nothing; empty if none does."""

    necessary_when: str = ""
    """When a site could call it necessary; empty for never."""

    cookie_sources: tuple[CookieSource, ...] = ()
    """One for each of the service's cookies, in the same order."""

    @property
    def has_sourced_cookies(self) -> bool:
        """Whether it declares cookies, and names a source for each of them."""
        return bool(self.cookie_sources) and all(each.source for each in self.cookie_sources)


def read_entry(key: str, data: bytes, *, path: Path | None = None) -> Entry:
    """Read the entry of that key from the content of its file.

    Args:
        path: The file, for error messages and for the entry; None for one that is shipped.

    Raises:
        ConfigError: If the file is malformed: with its name, the line as far as one is to blame, what was found, what is allowed.
    """
    # A shipped file lies wherever the package was installed, and maybe in a zip: its name says enough.
    file = str(path or f"{key}.toml")
    text = _decode(data, file=file)
    table = _parse(text, file=file)
    try:
        fields = check_table(table, SERVICE, where="")
    except ConfigError as error:
        place = _name_place(file, find_line(text, error.key))
        raise ConfigError(f"{place}{error}", key=error.key, value=error.value) from error
    return Entry(
        service=_Builder(file=file, text=text, table=table).build(key, fields), path=path, **_read_notes(table)
    )


def _decode(data: bytes, *, file: str) -> str:
    try:
        # Some editors on Windows begin a file with a byte order mark.
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{_name_place(file, line)} is not UTF-8 text. Save it as UTF-8.", key=file) from error


def _parse(text: str, *, file: str) -> Fields:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        # The error names line and column.
        raise ConfigError(f"{_name_place(file)} is not valid TOML: {error}. Correct it.", key=file) from error


def _name_place(file: str, line: int | None = None) -> str:
    return f"Line {line} of catalogue file {file!r}" if line else f"Catalogue file {file!r}"


def _read_notes(table: Fields) -> Fields:
    notes = {name: table[name] for name in SERVICE.notes if name in table}
    return notes | {
        "sources": tuple(notes.get("sources", ())),
        "cookie_sources": tuple(
            CookieSource(source=cookie.get("source", ""), checked=cookie.get("checked"))
            for cookie in table.get("cookies", ())
        ),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Builder:
    """Build declarations from one file, and name the line of what they refuse."""

    file: str
    text: str
    table: Mapping[str, object]

    def build(self, key: str, fields: Fields) -> Service:
        hosts = fields.pop("hosts")
        if not any(hosts.values()):
            raise ConfigError(
                f"{_name_place(self.file, find_line(self.text, 'hosts'))}: 'hosts' names no host. Give at least one, by what it "
                f"serves: {quote_all(SERVICE.tables['hosts'].fields)}.",
                key="hosts",
                value=hosts,
            )
        if "embed" in fields:
            fields["embed"] = self._build_part(Embed, fields["embed"], path="embed")
        fields["cookies"] = self._build_parts(CookieDeclaration, fields, name="cookies")
        fields["parameters"] = self._build_parts(Parameter, fields, name="parameters")
        fields["hosts_by_use"] = hosts
        self._check_cookieless(fields)
        fields["has_unknown_storage"] = not fields["cookies"] and "cookieless" not in self.table
        try:
            service = Service(key, **fields)
        except ConfigError as error:
            raise self._blame(error) from error
        self._check_words(service)
        return service

    def _check_words(self, service: Service) -> None:
        """Refuse what visitors could be told nothing of: a file is complete, where Python may fill in later."""
        if service.kind == ServiceKind.OTHER and not service.description:
            self._refuse("kind", f"service {service.key!r}", "kind", service.kind)
        for index, cookie in enumerate(service.cookies):
            if cookie.use == CookieUse.OTHER and not cookie.description:
                self._refuse(f"cookies[{index}].use", f"cookie {cookie.name!r}", "use", cookie.use)

    def _refuse(self, path: str, what: str, name: str, value: str) -> NoReturn:
        raise ConfigError(
            f"{_name_place(self.file, find_line(self.text, path))}: {what} is of {name} {str(value)!r}, which has no words for "
            f"visitors, and has no 'description'. Give another {name!r}, or a description.",
            key=path,
            value=value,
        )

    def _check_cookieless(self, fields: Fields) -> None:
        source = self.table.get("cookieless")
        if source is None:
            return
        place = _name_place(self.file, find_line(self.text, "cookieless"))
        if not str(source).strip():
            raise ConfigError(
                f"{place}: 'cookieless' is empty. Name the source that says that it stores nothing, or leave it out.",
                key="cookieless",
                value=source,
            )
        if fields["cookies"]:
            raise ConfigError(
                f"{place}: 'cookieless' says that it stores nothing, and 'cookies' what it stores. Leave out the wrong one.",
                key="cookieless",
                value=source,
            )

    def _build_parts(self, kind: type[Part], fields: Fields, *, name: str) -> tuple[Part, ...]:
        return tuple(
            self._build_part(kind, each, path=f"{name}[{index}]") for index, each in enumerate(fields.get(name, ()))
        )

    def _build_part(self, kind: type[Part], fields: Fields, *, path: str) -> Part:
        try:
            return kind(**fields)
        except ConfigError as error:
            raise self._blame(error, path) from error

    def _blame(self, error: ConfigError, path: str = "") -> ConfigError:
        # Declarations know nothing of files: the field is the one that holds what they refused. A key is no field.
        refused = "" if error.key == "service" else self._find_value(error.value, path) or path
        place = _name_place(self.file, find_line(self.text, refused))
        return ConfigError(f"{place}: {error}", key=error.key, value=error.value)

    def _find_value(self, value: object, path: str) -> str:
        wanted = list(value) if isinstance(value, tuple) else value
        own = [(name, each) for name, each in _walk(self.table) if name.startswith(path)]
        exact = [name for name, each in own if type(each) is type(wanted) and each == wanted]
        # What was refused may be a part of the field, such as the host of an address.
        partly = [
            name
            for name, each in own
            if isinstance(each, str) and isinstance(wanted, str) and wanted and wanted in each
        ]
        return next(iter((*exact, *partly)), "")


def _walk(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Yield the path and value of everything in a table, the table's own included."""
    yield path, value
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _walk(each, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _walk(each, f"{path}[{index}]")
