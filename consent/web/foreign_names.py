"""What other consent managers call things: categories, services, their own scripts."""

from __future__ import annotations

import re
from collections.abc import Mapping

from consent.wire.foreign_tag import Manager

NAMES: Mapping[Manager, Mapping[str, str]] = {
    Manager.COOKIEBOT: {
        "necessary": "necessary",
        "preferences": "preferences",
        "statistics": "analytics",
        "marketing": "marketing",
    },
    # The groups that OneTrust makes for a new site, and their numbers in tags from before it called them C0001 to C0005.
    Manager.ONETRUST: {
        "C0001": "necessary",
        "C0002": "analytics",
        "C0003": "preferences",
        "C0004": "marketing",
        "C0005": "marketing",
        "1": "necessary",
        "2": "analytics",
        "3": "preferences",
        "4": "marketing",
        "5": "marketing",
    },
    # A site gives its services names of its own.
    Manager.KLARO: {},
    # A site gives its categories names of its own; these are those of the documentation's examples.
    Manager.VANILLA: {"functionality": "preferences", "ads": "marketing"},
    Manager.TARTEAUCITRON: {
        "adsense": "google-adsense",
        "adsenseauto": "google-adsense",
        "bingads": "microsoft-advertising",
        "clarity": "microsoft-clarity",
        "criteoonetag": "criteo",
        "facebookpixel": "meta-pixel",
        "gagenda": "google-calendar",
        "gforms": "google-forms",
        "googleads": "google-ads",
        "googlemaps": "google-maps-js",
        "googlemapsembed": "google-maps",
        "gslides": "google-slides",
        "gtag": "google-analytics",
        "intercomChat": "intercom",
        "linkedininsighttag": "linkedin-insight",
        "maps_noapi": "google-maps",
        "marketomunchkin": "marketo",
        "matomocloud": "matomo",
        "metrica": "yandex-metrica",
        "multiplegoogletagmanager": "google-tag-manager",
        "multiplegtag": "google-analytics",
        "pinterestpixel": "pinterest-tag",
        "reddit": "reddit-pixel",
        "snapchat": "snap-pixel",
        "tiktok": "tiktok-pixel",
        "twitch": "twitch-video",
        "twitterembed": "x-post",
        "twitteruwt": "x-pixel",
        "typekit": "adobe-fonts",
    },
}
"""Keys as shipped, by the name that a manager has for the same; those that a site does not declare mean nothing there."""

LOADERS: Mapping[Manager, re.Pattern[str]] = {
    Manager.COOKIEBOT: re.compile(r"//consent(?:cdn)?\.cookiebot\.(?:com|eu)/", re.IGNORECASE),
    Manager.ONETRUST: re.compile(
        r"//cdn\.cookielaw\.org/|//cookie-cdn\.cookiepro\.com/|/otSDKStub\.js|/OtAutoBlock\.js", re.IGNORECASE
    ),
    Manager.KLARO: re.compile(
        r"(?:^|/)klaro(?:-no-[a-z-]+)?(?:\.min)?\.js|//cdn\.kiprotect\.com/klaro/", re.IGNORECASE
    ),
    Manager.VANILLA: re.compile(
        r"(?:^|/)(?:cookieconsent|iframemanager)(?:\.umd|\.esm)?(?:\.min)?\.js|/vanilla-cookieconsent", re.IGNORECASE
    ),
    Manager.TARTEAUCITRON: re.compile(
        r"(?:^|/)tarteaucitron(?:\.min)?\.js|//tarteaucitron\.io/load\.js", re.IGNORECASE
    ),
}
"""Find, in the address of a script, that it is the manager itself."""

WORDS: Mapping[Manager, tuple[bytes, ...]] = {
    Manager.COOKIEBOT: (b"data-cookieconsent", b".cookiebot."),
    Manager.ONETRUST: (
        *(b"optanon-category-", b"ot-vscat-"),
        *(b"cdn.cookielaw.org", b"cookie-cdn.cookiepro.com", b"otSDKStub.js", b"OtAutoBlock.js"),
    ),
    Manager.KLARO: (b"data-name", b"klaro"),
    Manager.VANILLA: (b"data-category", b"data-service", b"cookieconsent", b"iframemanager"),
    # What the classes of its placeholders have in common: each word costs a look at the whole page.
    Manager.TARTEAUCITRON: (
        *(b"tarteaucitron", b"_player", b"tac_", b"s_embed", b"d_embed", b"mapsembed", b"rembed-canvas"),
        *(b"openstreetmap", b"instagram_post", b"calendly-inline"),
    ),
}
"""One of these is in every tag that is written for the manager. In this case: in any, looking for them would take ten times as
long as reading the page, and a tag that is not found stays as it is."""

_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")


def normalise(manager: Manager, name: str) -> str:
    """Return a name in the form in which it is looked up."""
    text = name.strip()
    if manager is Manager.COOKIEBOT:
        return text.lower()
    return text.upper() if manager is Manager.ONETRUST else text


def fold(name: str) -> str:
    """Return what names have in common that differ in case and separators alone."""
    return _NOT_IN_NAMES.sub("", name.lower())
