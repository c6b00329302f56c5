"""What a browser makes of a `Set-Cookie` field, as far as a gate has to know, and of the names in a `Cookie` field."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

# Browsers take these and nothing else from both ends of names and values (RFC 6265bis section 5.6).
_WSP = " \t"
_MAX_AGE = re.compile(r"-?[0-9]+")
# RFC 6265bis section 5.6: browsers ignore the attribute.
_ATTRIBUTE_LIMIT = 1024

# RFC 6265bis section 5.1.1, the `cookie-date` algorithm: what stands between the parts of a date, and what the parts are.
_DATE_DELIMITERS = re.compile(r"[\t -/;-@\[-`{-~]+")
_DATE_PARTS = {
    "time": re.compile(r"([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?![0-9])"),
    "day": re.compile(r"([0-9]{1,2})(?![0-9])"),
    "month": re.compile(r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)", re.ASCII | re.IGNORECASE),
    "year": re.compile(r"([0-9]{2,4})(?![0-9])"),
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_FIRST_YEAR = 1601


def find_name(field: str) -> str:
    """Return the name under which a browser sends back what a `Set-Cookie` field sets; empty for none.

    What is set as `=_ga=1` or as `_ga` has no name for the browser, and yet comes back so, and scripts and servers take
    what is before the `=` for its name.

    Source:
        RFC 6265bis section 5.6, and section 5.8.3 for the way back.
    """
    pair = field.partition(";")[0].strip(_WSP)
    return pair.removeprefix("=").partition("=")[0].strip(_WSP)


def is_deletion(field: str, *, now: datetime) -> bool:
    """Whether a `Set-Cookie` field only takes a cookie away. What browsers cannot read they ignore, and so does this.

    Args:
        now: Aware instant that `Expires` is compared with; `Max-Age` comes before it, and of each the last one counts.

    Source:
        RFC 6265bis sections 5.6.1, 5.6.2 and 5.7.
    """
    max_age, ends_at = "", None
    for name, value in _read_attributes(field):
        if name == "max-age" and _MAX_AGE.fullmatch(value):
            max_age = value
        if name == "expires":
            ends_at = parse_cookie_date(value) or ends_at
    if max_age:
        return max_age.startswith("-") or not max_age.strip("0")
    return ends_at is not None and ends_at <= now


def parse_cookie_date(text: str) -> datetime | None:
    """Return the instant in an `Expires` attribute, read as browsers do; None for one that is no date.

    Source:
        RFC 6265bis section 5.1.1.
    """
    found: dict[str, re.Match[str]] = {}
    for token in _DATE_DELIMITERS.split(text):
        for part, pattern in _DATE_PARTS.items():
            match = pattern.match(token) if part not in found else None
            if match:
                found[part] = match
                break
    if len(found) < len(_DATE_PARTS):
        return None
    year, month = _complete_year(int(found["year"][1])), _MONTHS.index(found["month"][1].lower()) + 1
    hour, minute, second = map(int, found["time"].groups())
    try:
        instant = datetime(year, month, int(found["day"][1]), hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return instant if year >= _FIRST_YEAR else None


def drop_cookies(header: str, is_unwanted: Callable[[str], bool]) -> str:
    """Return a `Cookie` field without some of its cookies; what stays keeps its bytes and its order.

    It is cut at every semicolon, since no value that a browser sends has one. Servers that let a quoted value run on over
    them would see fewer names, and none that is not seen here.
    """
    parts = header.split(";")
    kept = [part for part in parts if not is_unwanted(_name_of(part))]
    return header if len(kept) == len(parts) else ";".join(kept).strip(_WSP)


def list_cookie_names(header: str) -> list[str]:
    """Return the names in a `Cookie` field, each once, in their order."""
    return [name for name in dict.fromkeys(map(_name_of, header.split(";"))) if name]


def _name_of(part: str) -> str:
    # Servers differ in what they take for space; the most of it is the safe reading.
    return part.partition("=")[0].strip()


def _read_attributes(field: str) -> Iterator[tuple[str, str]]:
    for part in field.split(";")[1:]:
        name, _, value = part.partition("=")
        if len(value.strip(_WSP)) <= _ATTRIBUTE_LIMIT:
            yield name.strip(_WSP).lower(), value.strip(_WSP)


def _complete_year(year: int) -> int:
    # Of two digits: those from 70 on are of the last century.
    if year >= 100:
        return year
    return year + (1900 if year >= 70 else 2000)
