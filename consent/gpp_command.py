"""`flask consent gpp …`: read what a privacy string of the IAB says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

import click

from consent.command_output import format_json, format_table
from consent.wire.gpp import Section, decode_gpp, describe_section
from consent.wire.us_privacy import parse_us_privacy

# Any: the plain JSON values of a string, taken apart here for people to read.
Values = Mapping[str, Any]

# IAB Tech Lab, Global Privacy Platform, "Section Information": ids and API prefixes as of December 2025.
_STATES = "ca va co ut ct fl mt or tx de ia ne nh nj tn mn md in ky ri"
_US_PRIVACY_ID = 6
_NAMES: Mapping[int, str] = MappingProxyType(
    {1: "tcfeuv1", 2: "tcfeuv2", 5: "tcfcav1", _US_PRIVACY_ID: "uspv1", 7: "usnat"}
    | {section_id: f"us{state}" for section_id, state in enumerate(_STATES.split(), start=8)}
)
_ANSWERS = MappingProxyType({True: "yes", False: "no", None: "does not apply"})
_NOTICE = ("does not apply", "given", "not given")
_OPT_OUT = ("does not apply", "opted out", "did not opt out")
_CONSENT = ("does not apply", "no consent", "consent")
_YES_NO = ("does not apply", "yes", "no")


@click.command("gpp")
@click.argument("string")
@click.option("--json", "is_json", is_flag=True, help="Print JSON.")
def gpp_command(*, string: str, is_json: bool) -> None:
    """Say what is in STRING, an IAB GPP string or a US Privacy string.

    The exit code is 2 if it is neither.
    """
    try:
        found = _read(string.strip())
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="STRING") from error
    click.echo(format_json(found) if is_json else _format(found))


def _read(text: str) -> dict[str, Any]:
    if text.startswith("1"):
        return {"format": "us_privacy", **asdict(parse_us_privacy(text))}
    if not text.startswith("D"):
        raise ValueError(
            f"A GPP string begins with 'DB', and a US Privacy string is one such as '1YNN', got {text[:40]!r}. Take it as it was made."
        )
    sections = decode_gpp(text)
    return {"format": "gpp", "sections": [_describe(section_id, each) for section_id, each in sections.items()]}


def _describe(section_id: int, section: Section | str) -> dict[str, Any]:
    found: dict[str, Any] = {"id": section_id, "name": _NAMES.get(section_id)}
    if not isinstance(section, str):
        return found | {"segments": describe_section(section)}
    if section_id == _US_PRIVACY_ID:
        return found | asdict(parse_us_privacy(section))
    return found | {"text": section}


def _format(found: Values) -> str:
    is_gpp = found["format"] == "gpp"
    sections = found["sections"] if is_gpp else [{"id": None, "name": "US Privacy", **found}]
    if not sections:
        return "The string holds no section."
    return format_table([("section", "field", "value", ""), *(row for each in sections for row in _list_rows(each))])


def _list_rows(section: Values) -> Iterable[tuple[str, str, str, str]]:
    name = " ".join(str(each) for each in (section["id"], section["name"]) if each is not None)
    if "text" in section:
        yield name, "", section["text"], "not decoded: another section, or another version of it"
        return
    if "segments" not in section:
        for field in ("notice", "has_opted_out", "lspa_covered"):
            yield name, field, _ANSWERS[section[field]], ""
        return
    for segment in section["segments"]:
        for field, value in segment.items():
            yield name, field, _format_value(value), _find_meaning(section["name"], field, value)


def _format_value(value: object) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value))
    return _ANSWERS[value] if isinstance(value, bool) else str(value)


def _find_meaning(name: str, field: str, value: object) -> str:
    words = _find_words(name, field)
    if not words:
        return ""
    if not isinstance(value, list):
        return words[int(str(value))]
    # Numbered from 1, as the specification numbers the kinds of data.
    meanings = [f"{number}: {words[each]}" for number, each in enumerate(value, start=1) if each]
    return ", ".join(meanings) or words[0]


def _find_words(name: str, field: str) -> Sequence[str]:
    if field.endswith("Notice"):
        return _NOTICE
    # California's visitors limit what the other states' visitors agree to.
    if field.endswith("OptOut") or (name, field) == ("usca", "SensitiveDataProcessing"):
        return _OPT_OUT
    if field.endswith("Consents") or field == "SensitiveDataProcessing":
        return _CONSENT
    return _YES_NO if field.startswith("Mspa") else ()
