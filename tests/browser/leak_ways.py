"""The ways in which a page, a header, a server or a script contacts a third party or stores something, and what stops each.

What stands here is claimed; `test_leak_ways.py` proves it in both browsers, and `docs/leaks.md` shows it as a table.
In the markup and code `$host` is a host of the third party's that no other way names, `$visit` says which visit it is, and
`$port` is where the third party listens.
"""

from __future__ import annotations

from typing import Final, Unpack

from tests.browser.leak_code import CODE, EARLY, LEFT
from tests.browser.leak_hidden import HIDDEN
from tests.browser.leak_way import STRANGER, Guard, Page, Traits, Way, describe

_HELD: Final = (Guard.HOLD, Guard.CSP)
_CSP: Final = (Guard.CSP,)
_HINT: Final = (Guard.HINTS,)


def _head(key: str, name: str, markup: str, *, body: str = "", **traits: Unpack[Traits]) -> Way:
    """Describe markup in a page's head."""
    traits["head"] = markup
    return describe(key, name, body, **traits)


def _link(rel: str, more: str = "", **traits: Unpack[Traits]) -> Way:
    """Describe a `Link:` header."""
    traits["header"] = ("Link", f"<https://$host/l>; rel={rel}{more}")
    return describe(f"link-{rel}", f"`Link:` header, `rel={rel}`", "", **traits)


def _framed(key: str, name: str, body: str, *, folder: str = "own", **traits: Unpack[Traits]) -> Way:
    """Describe a page of the site's own that stands in a frame."""
    html = f"<!doctype html><html lang=en><head><title>Framed</title></head><body>{body}</body></html>"
    traits["files"] = {".html": html}
    return _on_frames(key, name, f'<iframe src="/{folder}/{key}.html?visit=$visit"></iframe>', **traits)


def _file(key: str, name: str, ending: str, content: str, **traits: Unpack[Traits]) -> Way:
    """Describe a file of the site's own that stands in a frame, and is no HTML by what is said of it."""
    traits["files"] = {f".{ending}": content}
    traits["stops"] = _CSP
    return _on_frames(key, name, f'<iframe src="/own/{key}.{ending}?visit=$visit"></iframe>', **traits)


def _on_frames(key: str, name: str, body: str, **traits: Unpack[Traits]) -> Way:
    traits["page"] = Page.FRAMES
    return describe(key, name, body, **traits)


def _fetch(key: str, name: str, path: str, **traits: Unpack[Traits]) -> Way:
    """Describe an answer of the server's, whatever reads it."""
    traits["page"] = Page.STORAGE
    body = f'<script>(window.pending ??= []).push(fetch("{path}?visit=$visit"))</script>'
    return describe(key, name, body, **traits)


def _cookie(kind: str, name: str, **traits: Unpack[Traits]) -> Way:
    """Describe an answer that sets a cookie."""
    traits.setdefault("stops", (Guard.COOKIE_GATE,))
    return _fetch(f"cookie-{kind}", name, f"/cookies/{kind}", **traits)


_IMG: Final = '<img src="https://$host/p.gif" alt="">'

_COOKIES: Final = (
    _cookie("view", "Cookie set by a view"),
    _cookie("session", "Cookie that a session extension sets beside the session, after every hook"),
    _cookie("extension", "Cookie set by another extension's `after_request`"),
    _cookie("late", "Cookie set in `request_finished`"),
    _cookie("redirect", "Cookie on a redirect"),
    _cookie("missing", "Cookie on a 404"),
    _cookie("error", "Cookie on a 500"),
    _cookie("streamed", "Cookie on a streamed response"),
    _cookie("file", "Cookie on a file (`send_file`)"),
    _cookie("image", "Cookie on an image of the site's own"),
    _cookie(
        "own",
        "The app's own session cookie",
        stops=(),
        note="no gate touches it: put `guard()` around what needs a grant to be kept in the session",
    ),
    _cookie(
        "stray", "Cookie that no service declares", comes_back=False, note='with `CONSENT_UNDECLARED_COOKIES="block"`'
    ),
)

_CALLS: Final = (
    _fetch(
        "server-call",
        "Call that a view makes itself",
        "/calls/server-call",
        stops=(),
        note="no browser takes part: put `guard()` around it",
    ),
    _fetch(
        "guarded-call",
        "Call that a view makes itself, with `guard()` around it",
        "/calls/guarded-call",
        stops=(Guard.GUARD,),
    ),
)

_STORAGE: Final = (
    describe(
        "script-cookie",
        "`document.cookie` in the site's own script",
        '<script>document.cookie = "leak-script-cookie=$visit; path=/";'
        ' window.kept = document.cookie.includes("leak-script-cookie=$visit") ? ["leak-script-cookie"] : []</script>',
        page=Page.STORAGE,
        stops=(),
        note="put it into `gate()`; once refused, the next answer takes the cookie away",
    ),
    describe(
        "local-storage",
        "`localStorage` in the site's own script",
        '<script>localStorage.setItem("leak-local-storage", "$visit")</script>',
        page=Page.STORAGE,
        stops=(),
        note="put it into `gate()`",
    ),
)

_SCRIPTS: Final = (
    # The first: Firefox reads none once a module has begun to load.
    _head(
        "import-map",
        "Import map that leads elsewhere",
        '<script type="importmap">{"imports": {"lib": "https://$host/m.js"}}</script><script type="module">import "lib";</script>',
    ),
    _head("script", "`<script src>`", '<script async src="https://$host/s.js"></script>'),
    _head("module", "`<script type=module src>`", '<script type="module" src="https://$host/m.js"></script>'),
    _head(
        "module-import", "`import` in an inline module", '<script type="module">import "https://$host/m.js";</script>'
    ),
    describe(
        "loader",
        "Inline loader that a provider lets people paste",
        "<script>(function (d, s) { var e = d.createElement(s), f = d.getElementsByTagName(s)[0]; e.async = 1;"
        ' e.src = "https://$host/s.js"; f.parentNode.insertBefore(e, f); })(document, "script");</script>',
    ),
    describe("nested", "Script that loads another", '<script src="https://first-$host/nested.js"></script>'),
    describe(
        "known-service",
        "Script of a service that the catalogue knows and the site forgot",
        '<script async src="https://connect.facebook.net/en_US/fbevents.js?leak=$host"></script>',
        comes_back=False,
        note="nobody can grant what is not declared",
    ),
    describe(
        "stranger",
        "Script of a host that nobody knows",
        f'<script async src="https://$host.{STRANGER}/s.js"></script>',
        stops=_CSP,
        comes_back=False,
        note="nobody can grant what is not declared",
    ),
    describe("svg-script", "`<script href>` in SVG", '<svg><script href="https://$host/s.js"></script></svg>'),
    describe(
        "speculation",
        "Speculation rules",
        '<script type="speculationrules">{"prefetch": [{"urls": ["https://$host/p.html"], "eagerness": "immediate"}]}</script>',
        engines=("chromium",),
        stops=(Guard.HOLD,),
        note="Chromium asks no policy for them",
    ),
)

_HINTS: Final = (
    _head("preconnect", "`<link rel=preconnect>`", '<link rel="preconnect" href="https://$host">', stops=_HINT),
    _head("dns-prefetch", "`<link rel=dns-prefetch>`", '<link rel="dns-prefetch" href="https://$host">', stops=_HINT),
    _head("preload", "`<link rel=preload>`", '<link rel="preload" as="image" href="https://$host/p.gif">'),
    _head("prefetch", "`<link rel=prefetch>`", '<link rel="prefetch" href="https://$host/p.html">'),
    _head("modulepreload", "`<link rel=modulepreload>`", '<link rel="modulepreload" href="https://$host/m.js">'),
    _link("preconnect", stops=_HINT),
    _link("preload", "; as=image", stops=(Guard.HINTS, Guard.CSP)),
    _link("compression-dictionary", stops=(Guard.HINTS, Guard.CSP)),
    describe(
        "speculation-header",
        "`Speculation-Rules:` header",
        "",
        header=("Speculation-Rules", '"https://$host/rules.json"'),
        stops=(Guard.HINTS,),
        engines=("chromium",),
    ),
    _link("stylesheet", stops=_CSP, engines=("firefox",)),
)

_LINKS: Final = (
    _head("stylesheet", "`<link rel=stylesheet>`", '<link rel="stylesheet" href="https://$host/s.css">'),
    _head("icon", "Favicon", '<link rel="icon" href="https://$host/i.png">'),
    _head(
        "manifest",
        "Web app manifest",
        '<link rel="manifest" href="https://$host/m.json" crossorigin="anonymous">',
        engines=("chromium",),
    ),
)

_STYLES: Final = (
    _head(
        "style-pixel",
        "Pixel in `<style>`",
        "<style>#style-pixel { background: url(https://$host/p.gif) }</style>",
        body="<p id=style-pixel>.</p>",
    ),
    _head("style-import", "`@import` in `<style>`", '<style>@import "https://$host/s.css";</style>'),
    _head(
        "font",
        "Font by `@font-face`",
        '<style>@font-face { font-family: leak; src: url("https://$host/f.woff2") }</style>',
        body='<p style="font-family: leak">Text</p>',
    ),
    describe("style-attribute", 'Pixel in `style=""`', '<p style="background-image: url(https://$host/p.gif)">.</p>'),
    _head(
        "own-css",
        "Pixel in the site's own CSS file",
        '<link rel="stylesheet" href="/own/own-css.css?visit=$visit">',
        body="<p id=own-css>.</p>",
        files={".css": "#own-css { background: url(https://$host/p.gif) }"},
        stops=_CSP,
    ),
)

_MEDIA: Final = (
    describe("img", "`<img src>`", _IMG),
    describe("srcset", "`<img srcset>`", '<img srcset="https://$host/p.gif 1x" alt="">'),
    describe(
        "picture",
        "`<picture><source>`",
        '<picture><source srcset="https://$host/p.gif"><img src="data:," alt=""></picture>',
    ),
    describe(
        "lazy-img", "`<img loading=lazy>`", '<img loading="lazy" width="9" height="9" src="https://$host/p.gif" alt="">'
    ),
    describe("input-image", "`<input type=image>`", '<input type="image" src="https://$host/p.gif" alt="">'),
    describe("poster", "`<video poster>`", '<video poster="https://$host/p.gif"></video>'),
    describe("video", "`<video src>`", '<video preload="auto" src="https://$host/v.webm"></video>'),
    describe("audio", "`<audio src>`", '<audio preload="auto" src="https://$host/a.ogg"></audio>'),
    describe(
        "source",
        "`<video><source>`",
        '<video preload="auto"><source src="https://$host/v.webm" type="video/webm"></video>',
    ),
    describe(
        "track",
        "`<track>`",
        '<video crossorigin preload="auto" src="/own/track.wav?visit=$visit"><track default kind="captions" src="https://$host/t.vtt"></video>',
        files={".wav": "RIFF"},
    ),
    describe("object", "`<object>`", '<object data="https://$host/o.svg" type="image/svg+xml"></object>'),
    describe("embed", "`<embed>`", '<embed src="https://$host/e.svg" type="image/svg+xml">'),
    describe(
        "background", "`background` attribute", '<table background="https://$host/p.gif"><tr><td>.</td></tr></table>'
    ),
    describe("svg-image", "SVG `<image href>`", '<svg><image href="https://$host/p.gif" width="9" height="9"/></svg>'),
    describe(
        "svg-xlink",
        "SVG `<image xlink:href>`",
        '<svg><image xlink:href="https://$host/p.gif" width="9" height="9"/></svg>',
    ),
    describe(
        "svg-filter",
        "SVG `<feImage>`",
        '<svg><filter id="leak"><feImage href="https://$host/p.gif"/></filter><rect filter="url(#leak)" width="9" height="9"/></svg>',
    ),
    describe("svg-use", "SVG `<use>` of another site", '<svg><use href="https://$host/u.svg#a"/></svg>', engines=()),
    describe(
        "hidden-url", "Address behind references and line breaks", '<img src="&#104;ttps:/\t/$host\\p.gif" alt="">'
    ),
    describe("twice", "Attribute given twice", '<img src="https://$host/p.gif" src="/own/twice.gif" alt="">'),
    describe(
        "foreign-object", "`<img>` in SVG's `<foreignObject>`", f"<svg><foreignObject>{_IMG}</foreignObject></svg>"
    ),
    describe(
        "shadow-root",
        "`<img>` in a declarative shadow root",
        f'<div><template shadowrootmode="open">{_IMG}</template></div>',
    ),
    describe(
        "own-redirect",
        "Address of the site's own that redirects",
        '<img src="/go?to=https://$host/p.gif" alt="">',
        stops=_CSP,
    ),
)

_IFRAME: Final = '<iframe src="https://$host/f.html"></iframe>'
_XHTML: Final = '<html xmlns="http://www.w3.org/1999/xhtml"><head><title>X</title></head><body><img src="https://$host/p.gif" alt=""/></body></html>'
_AS_NOBODY: Final = "the policy is the one of before a choice: what is no page is the same for everyone"
_FRAMES: Final = (
    _on_frames("iframe", "`<iframe>`", _IFRAME, **EARLY),
    _on_frames("srcdoc", "`<iframe srcdoc>`", "<iframe srcdoc='<img src=\"https://$host/p.gif\">'></iframe>"),
    _framed("iframe-in-iframe", "`<iframe>` in a framed page of the site's own", _IFRAME, **EARLY),
    _framed("base", "`<base href>`", '<base href="https://$host/"><img src="p.gif" alt="">'),
    _framed("error-page", "Error page (404)", _IMG, folder="missing"),
    _framed("streamed-page", "Streamed page", _IMG, folder="streamed"),
    _framed("compressed-page", "Page that its view compressed", _IMG, folder="compressed", stops=_CSP),
    _file("xhtml", "`<img>` in a page of XHTML (`application/xhtml+xml`)", "xhtml", _XHTML),
    _file("xml", "`<img>` in XHTML that is sent as XML", "xml", _XHTML, comes_back=False, note=_AS_NOBODY),
    _file(
        "svg-file",
        "`<image>` in an SVG file in a frame",
        "svg",
        '<svg xmlns="http://www.w3.org/2000/svg"><image href="https://$host/p.gif" width="9" height="9"/></svg>',
        comes_back=False,
        note=_AS_NOBODY,
    ),
    _file(
        "untyped",
        "`<img>` in HTML without a `Content-Type`",
        "untyped",
        f"<!doctype html><html lang=en><head><title>U</title></head><body>{_IMG}</body></html>",
        comes_back=False,
        note=_AS_NOBODY,
    ),
    _on_frames("cms", "CMS body printed with `|safe`", _IMG),
    _on_frames("cms-filter", "CMS body printed with `|hold`", _IMG, stops=(Guard.FILTER, *_HELD)),
)

WAYS: Final = (
    *_COOKIES,
    *_CALLS,
    *_STORAGE,
    *_SCRIPTS,
    *_HINTS,
    *_LINKS,
    *_STYLES,
    *_MEDIA,
    *_FRAMES,
    *HIDDEN,
    *CODE,
    *LEFT,
)
"""In the order of the table."""
