"""Evidence of what visitors were shown: every notice of one policy version, as files that anybody can open and check."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from html import escape
from typing import Any

from consent.core.ledger import ConsentEvent
from consent.core.notice import Artefact, ShownNotice
from consent.core.policy_version import digest_material

SCHEMA = "consent-evidence/1"
MANIFEST = "manifest.json"

ReadArtefact = Callable[[str], Artefact | None]
"""Returns an artefact by its hash, as `NoticeStore.read` does."""

_ENDINGS: Mapping[str, str] = {"text/html": "html", "application/json": "json"}
_LAYERS: Mapping[int, str] = {1: "banner", 2: "preferences"}
_STYLE_LINK = re.compile(r'<link rel="stylesheet" href="[^"]*/assets/([a-z_]+\.)[0-9a-f]+\.(css)"[^>]*>')
_ABOUT = (
    "Every file under 'artefacts' is named by its SHA-256, which records of consent point to. Each markup is as all visitors "
    "alike were given it; blank in it is what differed between them: addresses of pages, random values, and the visitor's "
    "own record, whose days are given as 1970. Switches stand as before any choice, all granted, or all refused. The files "
    "under 'pages' show the same, made to open by themselves in the style of its time."
)
_NO_FILE_NAME = re.compile(r"[^A-Za-z0-9@_-]")
_HEAD = re.compile(r"<head[^>]*>", re.IGNORECASE)
# Nobody who opens the evidence may be tracked by it, or choose something by a button in it.
_SHUT = (
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
    "img-src data:; font-src data:; form-action 'none'; base-uri 'none'\">"
)
_BANNER_STYLES = "banner.css"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeKey:
    """Name a notice as records do."""

    policy_version: str
    language: str
    profile: str
    layer: int
    text_sha256: str | None
    ui_sha256: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Hold the files of a bundle, and what is wrong with what they show."""

    files: Mapping[str, bytes]
    """Content by path, the manifest's included."""

    troubles: tuple[str, ...]
    """Whole sentences; none if every hash holds."""

    @property
    def manifest_sha256(self) -> str:
        """64 hexadecimal digits that stand for the whole bundle: whoever has published them cannot change it any more."""
        return sha256(self.files[MANIFEST]).hexdigest()


def key_of(notice: ShownNotice) -> NoticeKey:
    """Return what records name a notice by."""
    return NoticeKey(**{name: getattr(notice, name) for name in NoticeKey.__slots__})


def count_records(events: Iterable[ConsentEvent]) -> Counter[NoticeKey]:
    """Return how many records point to each notice; those made before there were notices point to none, and are left out."""
    return Counter(_find_key(event) for event in events if event.text_sha256)


def find_troubles(
    notices: Sequence[ShownNotice], read: ReadArtefact, records: Mapping[NoticeKey, int]
) -> Iterator[str]:
    """Find artefacts that are missing or were changed, and records that point to nothing.

    Args:
        records: Number of records by what they point to, all of it of the notices' policy versions.
    """
    for digest in _list_hashes(notices):
        artefact = read(digest)
        if artefact is None:
            yield f"Artefact {digest} is missing, although a notice refers to it."
        elif artefact.sha256 != digest:
            yield f"Artefact {digest} was changed: the hash of what is kept is {artefact.sha256}."
    for digest, version in sorted({(each.configuration_sha256, each.policy_version) for each in notices}):
        configuration = read(digest)
        found = _find_version(configuration)
        if configuration and found != version:
            yield f"Configuration {digest} is not that of policy version {version}: its own version is {found or 'none'}."
    known = {key_of(notice) for notice in notices}
    for key, number in records.items():
        if key not in known:
            yield f"Records point to a notice that is not kept ({number} of them): {_name(key)}."


def bundle(
    notices: Sequence[ShownNotice],
    read: ReadArtefact,
    records: Mapping[NoticeKey, int],
    *,
    made_at: datetime,
    library: str,
) -> Evidence:
    """Return the evidence for notices of one policy version.

    Artefacts are in it byte by byte as they were hashed, and beside them each markup as a page that opens by itself, in
    the style of its time.

    Args:
        records: Number of records by what they point to.
        library: Version of the library that writes the bundle.
    """
    troubles = tuple(find_troubles(notices, read, records))
    artefacts = {digest: read(digest) for digest in _list_hashes(notices)}
    files = {_path_of(digest, each): each.body.encode() for digest, each in artefacts.items() if each}
    described = []
    for notice in notices:
        markup = artefacts.get(notice.ui_sha256 or "")
        page = _name_page(notice) if markup else None
        if page and markup:
            styles = _read_body(artefacts[notice.configuration_sha256]).get("stylesheets", {})
            files[page] = _make_page(notice, markup.body, styles).encode()
        described.append({**asdict(notice), "records": records.get(key_of(notice), 0), "page": page})
    configurations = {each.configuration_sha256: artefacts[each.configuration_sha256] for each in notices}
    manifest = {
        "schema": SCHEMA,
        "about": _ABOUT,
        "made_at": f"{made_at:%Y-%m-%dT%H:%M:%SZ}",
        "made_by": library,
        "policy_version": notices[0].policy_version if notices else "",
        "notices": described,
        "code": {digest: _read_body(each).get("code") for digest, each in sorted(configurations.items())},
        "troubles": troubles,
        "files": {path: sha256(body).hexdigest() for path, body in sorted(files.items())},
    }
    written = json.dumps(manifest, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
    return Evidence(files={MANIFEST: written.encode(), **files}, troubles=troubles)


def _find_key(event: ConsentEvent) -> NoticeKey:
    record = _read_json(event.payload)
    notice = record.get("notice") or {}
    return NoticeKey(
        policy_version=notice.get("version", ""),
        language=record.get("language", ""),
        profile=record.get("profile") or "",
        layer=notice.get("layer", 0),
        text_sha256=event.text_sha256,
        ui_sha256=event.ui_sha256,
    )


def _list_hashes(notices: Sequence[ShownNotice]) -> list[str]:
    found = {each for notice in notices for each in (notice.text_sha256, notice.ui_sha256, notice.configuration_sha256)}
    return sorted(filter(None, found))


def _find_version(configuration: Artefact | None) -> str:
    material = _read_body(configuration).get("material")
    return digest_material(material) if isinstance(material, dict) else ""


def _read_body(artefact: Artefact | None) -> dict[str, Any]:
    return _read_json(artefact.body) if artefact else {}


def _read_json(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:  # it was changed, which hashes tell of
        found = {}
    return found if isinstance(found, dict) else {}


def _path_of(digest: str, artefact: Artefact) -> str:
    return f"artefacts/{_make_file_name(digest)}.{_ENDINGS.get(artefact.media_type, 'txt')}"


def _name(key: NoticeKey) -> str:
    return (
        f"{key.language}, {key.profile}, layer {key.layer}, words {key.text_sha256}, markup {key.ui_sha256 or 'none'}"
    )


def _name_page(notice: ShownNotice) -> str:
    file_name = "-".join(filter(None, (_name_layer(notice), notice.prompt_kind, (notice.ui_sha256 or "")[:12])))
    return f"pages/{'/'.join(map(_make_file_name, (notice.language, notice.profile, file_name)))}.html"


def _name_layer(notice: ShownNotice) -> str:
    return _LAYERS.get(notice.layer, "embed" if notice.ui_sha256 else "api")


def _make_file_name(text: str) -> str:
    # Storage may have been edited, and must not choose where the bundle is written.
    return _NO_FILE_NAME.sub("_", text)


def _make_page(notice: ShownNotice, markup: str, stylesheets: Mapping[str, str]) -> str:
    """Return markup as a complete page that fetches nothing and posts nothing."""
    inlined = _STYLE_LINK.sub(lambda link: _write_style(stylesheets.get(f"{link[1]}{link[2]}", "")), markup)
    if _HEAD.search(inlined):
        return _HEAD.sub(lambda head: f"{head[0]}\n{_SHUT}", inlined, count=1)
    title = escape(f"{_name_layer(notice)} ({notice.language}, {notice.profile})")
    return (
        f'<!doctype html>\n<html lang="{escape(notice.language)}">\n<head>\n<meta charset="utf-8">\n{_SHUT}\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n{_write_style(stylesheets.get(_BANNER_STYLES, ''))}\n</head>\n<body>\n{markup}\n</body>\n</html>\n"
    )


def _write_style(stylesheet: str) -> str:
    return f"<style>{stylesheet}</style>"
