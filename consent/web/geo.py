"""The visitor's place by address, from a database on the server: MaxMind's MMDB format."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from consent.core.jurisdiction import Place, parse_place
from consent.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    import maxminddb

log = logging.getLogger("consent")

DATABASE_KEY = "CONSENT_JURISDICTION_DATABASE"

# Every country database has a country within its first few networks; a thousand take some milliseconds, once.
_NETWORKS_TRIED = 1000


@dataclass(slots=True, kw_only=True)
class DatabaseFinder:
    """Look up the address of each request, and keep none of them."""

    # Opened once, before the server forks, and shared: the file is mapped into memory and only read, no file descriptor
    # stays open, and the extension takes a lock of its own where there is no interpreter lock.
    reader: maxminddb.Reader
    has_ipv6: bool
    vary: tuple[str, ...] = ()
    """Empty: the address is no header."""

    _is_reported: bool = False

    def find(self, environ: Mapping[str, object], /) -> Place | None:
        """Return the place of `REMOTE_ADDR`, which ProxyFix may have set; None for not known."""
        address = _parse_address(environ.get("REMOTE_ADDR"))
        if address is None or (address.version == 6 and not self.has_ipv6):
            return None
        try:
            return _read_place(self.reader.get(address))
        except Exception as error:  # noqa: BLE001 - whatever a damaged file makes the reader raise, the place is not known
            self._report(error)
            return None

    def _report(self, error: Exception) -> None:
        if not self._is_reported:
            self._is_reported = True
            # The error's own words hold the address.
            log.error(
                "The visitor's place could not be looked up (%s): it counts as unknown. Is the database of %r damaged, or was "
                "it written over while the app ran? This is logged once.",
                type(error).__name__,
                DATABASE_KEY,
            )


def open_database(database: object) -> DatabaseFinder:
    """Open a country or city database, and try it.

    Args:
        database: Path of the file, absolute or from the working directory.

    Raises:
        ConfigError: If there is no such file, or it cannot be read or is no database with countries.
        MissingExtraError: If the reader is not installed.
    """
    try:
        import maxminddb  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingExtraError(repr(DATABASE_KEY), package="maxminddb", extra="geo") from error
    path = _check_path(database)
    try:
        _require_file(path)
        reader = maxminddb.open_database(path)
        database_type, has_ipv6 = reader.metadata().database_type, reader.metadata().ip_version == 6
        has_country = _has_country(reader, IPv6Address if has_ipv6 else IPv4Address)
    except OSError as error:
        raise _refuse(path, f"which cannot be read: {error.strerror}") from error
    except Exception as error:
        raise _refuse(path, "which is no MMDB database, or a damaged or packed one") from error
    if not has_country:
        raise _refuse(path, f"a database of type {database_type!r}, which has no 'country' with an 'iso_code'")
    return DatabaseFinder(reader=reader, has_ipv6=has_ipv6)


def _check_path(database: object) -> Path:
    if not isinstance(database, str | os.PathLike) or not str(database).strip():
        raise ConfigError(
            f"{DATABASE_KEY!r} must be the path of a country or city database in MMDB format, got {database!r}.",
            key=DATABASE_KEY,
            value=database,
        )
    return Path(database).absolute()


def _require_file(path: Path) -> None:
    # A pipe would hang the start.
    if not path.is_file():
        raise FileNotFoundError(errno.ENOENT, "No such file")


def _refuse(path: Path, found: str) -> ConfigError:
    return ConfigError(
        f"{DATABASE_KEY!r} names {str(path)!r}, {found}. Give the path of an unpacked country or city database in MMDB format, "
        "such as GeoLite2-Country.mmdb.",
        key=DATABASE_KEY,
        value=str(path),
    )


def _has_country(reader: maxminddb.Reader, make_address: type[IPv4Address | IPv6Address]) -> bool:
    """Whether one of the first networks has a country: what a database is called does not say how it is laid out.

    Goes from network to network by look-ups, each of a bounded number of steps: iteration over a damaged tree may
    never end.
    """
    address, bits = 0, make_address(0).max_prefixlen
    for _ in range(_NETWORKS_TRIED):
        record, prefix_bits = reader.get_with_prefix_len(make_address(address))
        if _read_place(record):
            return True
        host_bits = bits - prefix_bits
        address = ((address >> host_bits) + 1) << host_bits
        if address >> bits:
            return False
    return False


def _parse_address(value: object) -> IPv4Address | IPv6Address | None:
    """Read an address; None for a Unix socket's empty one and for whatever is none."""
    try:
        # A zone id names the server's own network card.
        address = ip_address(str(value or "").partition("%")[0])
    except ValueError:
        return None
    # A socket for both families shows IPv4 visitors mapped, and not every database has those.
    return (address.ipv4_mapped if isinstance(address, IPv6Address) else None) or address


def _read_place(record: object) -> Place | None:
    """Read a record of the GeoIP2 layout.

    `registered_country` does not count: it is where the provider is registered, and may relax the law of the place
    where the visitor is. Of several subdivisions the first is the largest, such as a state.
    """
    if not isinstance(record, dict):
        return None
    subdivisions = record.get("subdivisions")
    largest = subdivisions[0] if isinstance(subdivisions, list) and subdivisions else None
    return parse_place(_read_code(record.get("country")), _read_code(largest))


def _read_code(part: object) -> str:
    code = part.get("iso_code") if isinstance(part, dict) else None
    return code if isinstance(code, str) else ""
