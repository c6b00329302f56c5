"""Placeholders that another consent manager would fill with a frame, such as `<div class="youtube_player" videoID="…">`.

Source: classes and attributes of AmauriC/tarteaucitron.js `tarteaucitron.services.js` and of orestbida/iframemanager, read
2026-11-23.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from consent.wire.foreign_tag import Manager
from consent.wire.markup import Element

PLACEHOLDER = "div"
"""Name of the only element that is read as one: a frame and a placeholder of ours can stand in it wherever it stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignFrame:
    """Hold what a placeholder says of the frame that belongs in it."""

    manager: Manager
    service: str
    """The name that the manager has for the service."""

    embed_id: str = ""
    """The provider's own id, in the form that our catalogue has it; empty where the markup gives an address."""

    address: str = ""
    """Address of the frame, as the markup gives it; empty where it gives an id."""

    title: str
    width: int | None
    """In CSS pixels; None for none that is said in them."""

    height: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """Say how the placeholders of one class are written."""

    service: str
    attribute: str
    """In lower case; with or without `data-` in front."""

    pattern: re.Pattern[str] = re.compile("(.+)")
    """What all of the attribute must match; its group is the id."""

    folder: str = ""
    """What the catalogue has in front of the id."""

    kinds: tuple[str, ...] = ()
    """Folders, of which the attribute `embedtype` names one; the first where it names none."""

    address: str = ""
    """What the attribute's value makes an address of; `{}` for one that it holds itself. Empty for an id."""

    spoilt_by: str = ""
    """An attribute without which the frame would show nothing, and which an id alone cannot say."""


# Not among them: what only a provider's script could fill, such as `fb-post`, and services that have no frame.
_SHAPES: Mapping[str, _Shape] = {
    "bandcamp_player": _Shape(service="bandcamp", attribute="albumid"),
    "calendly-inline-widget": _Shape(
        service="calendly", attribute="url", pattern=re.compile(r"https://calendly\.com/([^?#]+)(?:[?#].*)?")
    ),
    "deezer_player": _Shape(service="deezer", attribute="deezerid", kinds=("album", "track", "playlist")),
    "gforms_embed": _Shape(service="gforms", attribute="id"),
    "googlemaps_embed": _Shape(service="maps_noapi", attribute="id", address="https://www.google.com/maps/embed?pb={}"),
    "googlemapsembed": _Shape(service="googlemapsembed", attribute="url", address="{}"),
    "gslides_embed": _Shape(service="gslides", attribute="id"),
    "instagram_post": _Shape(service="instagram", attribute="postid", folder="p/"),
    "mixcloud_embed": _Shape(service="mixcloud", attribute="id", pattern=re.compile("/?(.+?)/?")),
    "openstreetmap": _Shape(service="openstreetmap", attribute="url", address="{}"),
    "soundcloud_player": _Shape(
        service="soundcloud",
        attribute="playable-url",
        pattern=re.compile(r"https://soundcloud\.com/([^?#]+)(?:[?#].*)?"),
    ),
    "spotify_player": _Shape(service="spotify", attribute="spotifyid"),
    "tac_facebookpost": _Shape(
        service="facebookpost", attribute="url", pattern=re.compile(r"https://www\.facebook\.com/([^?#]+)(?:[?#].*)?")
    ),
    "tac_iframe": _Shape(service="iframe", attribute="url", address="{}"),
    "twitch_player": _Shape(service="twitch", attribute="videoid", pattern=re.compile("v?([0-9]+)")),
    "twitterembed-canvas": _Shape(service="twitterembed", attribute="tweetid"),
    "vimeo_player": _Shape(service="vimeo", attribute="videoid", spoilt_by="hash"),
    "youtube_player": _Shape(service="youtube", attribute="videoid"),
}

PLACEHOLDER_CLASSES = tuple(_SHAPES)
"""Classes of tarteaucitron's placeholders that are read."""

# What a frame may be loaded from without asking the page: no other form is an address to tarteaucitron either.
_ADDRESS = re.compile(r"https?://[^\s\\]+", re.IGNORECASE)
_LENGTH = re.compile(r"([1-9][0-9]{0,4})(?:px)?")
# What an address may hold as it is: all that is reserved, and what is encoded already.
_SAFE_IN_QUERY = "!$'()*,:;@/?%"


def read_frame(element: Element, manager: Manager) -> ForeignFrame | None:
    """Return what a placeholder says of its frame; None if it is none of this manager's, or one that says too little."""
    if element.name != PLACEHOLDER:
        return None
    if manager is Manager.TARTEAUCITRON:
        return _read_tarteaucitron(element)
    return _read_iframemanager(element) if manager is Manager.VANILLA else None


def empty_placeholder(element: Element, page: bytes) -> bytes:
    """Return the placeholder's tag without what makes it one, so that it is filled once."""
    taken = {
        "data-service",
        "data-id",
        *(name for shape in _find_shapes(element) for name in _names_of(shape.attribute)),
    }
    parts = []
    done = element.start
    for attribute in element.attributes:
        if attribute.name in taken:
            parts.append(page[done : attribute.name_at])
            done = attribute.end
    return b"".join((*parts, page[done : element.end]))


def _read_tarteaucitron(element: Element) -> ForeignFrame | None:
    for shape in _find_shapes(element):
        value = _find_either(element, shape.attribute)
        match = shape.pattern.fullmatch(value)
        if match is None or (shape.spoilt_by and _find_either(element, shape.spoilt_by)):
            continue
        if shape.address:
            return _make_address_frame(element, shape, value)
        return _describe(
            element, Manager.TARTEAUCITRON, shape.service, embed_id=_find_folder(element, shape) + match[1]
        )
    return None


def _make_address_frame(element: Element, shape: _Shape, value: str) -> ForeignFrame | None:
    address = value if shape.address == "{}" else shape.address.format(quote(value, safe=_SAFE_IN_QUERY))
    if not _ADDRESS.fullmatch(address):
        return None
    return _describe(element, Manager.TARTEAUCITRON, shape.service, address=address)


def _read_iframemanager(element: Element) -> ForeignFrame | None:
    service, embed_id = (element.find("data-service") or "").strip(), (element.find("data-id") or "").strip()
    return _describe(element, Manager.VANILLA, service, embed_id=embed_id) if service and embed_id else None


def _find_shapes(element: Element) -> list[_Shape]:
    return [_SHAPES[name] for name in (element.find("class") or "").split() if name in _SHAPES]


def _find_folder(element: Element, shape: _Shape) -> str:
    if not shape.kinds:
        return shape.folder
    kind = _find_either(element, "embedtype")
    return f"{kind if kind in shape.kinds else shape.kinds[0]}/"


def _describe(
    element: Element, manager: Manager, service: str, *, embed_id: str = "", address: str = ""
) -> ForeignFrame:
    return ForeignFrame(
        manager=manager,
        service=service,
        embed_id=embed_id,
        address=address,
        title=_find_either(element, "title"),
        width=_read_length(_find_either(element, "width")),
        height=_read_length(_find_either(element, "height")),
    )


def _names_of(name: str) -> tuple[str, str]:
    return f"data-{name}", name


def _find_either(element: Element, name: str) -> str:
    values = (element.find(each) for each in _names_of(name))
    return next((value.strip() for value in values if value), "")


def _read_length(value: str) -> int | None:
    match = _LENGTH.fullmatch(value)
    return int(match[1]) if match else None
