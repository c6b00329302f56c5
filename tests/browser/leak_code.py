"""More ways to leak, see `leak_ways.py`: what script files of the site's own do, and pages that are left at once."""

from __future__ import annotations

from typing import Final, Unpack

from tests.browser.leak_way import Guard, Page, Traits, Way, describe

_HELD: Final = (Guard.HOLD, Guard.CSP)
_IMG: Final = '<img src="https://$host/p.gif" alt="">'

EARLY: Final[Traits] = {
    "connects_in": ("chromium",),
    "note": "for the CSP alone, Chromium connects before it refuses",
}

_BLINDED: Final = "no policy reaches a frame's or tab's own navigation"


def _code(key: str, name: str, code: str, **traits: Unpack[Traits]) -> Way:
    """Describe code in a script file of the site's own; what has to be waited for it puts into `pending`."""
    body = f'<script src="/own/{key}.js?visit=$visit"></script>'
    traits["files"] = {".js": f"window.pending ??= []; {{ {code} }}"} | dict(traits.get("files", {}))
    traits["page"] = Page.CODE
    traits.setdefault("stops", (Guard.CSP,))
    return describe(key, name, body, **traits)


# Says when it is done, and that alone: what it imports or fetches may be refused.
_WORKER: Final = 'try { importScripts("https://$host/s.js") } catch {} postMessage("done");'

CODE: Final = (
    _code("new-image", "`new Image()`", 'new Image().src = "https://$host/p.gif";'),
    _code("fetch", "`fetch()`", 'pending.push(fetch("https://$host/f.json"));'),
    _code(
        "xhr",
        "`XMLHttpRequest`",
        'const sent = new XMLHttpRequest(); sent.open("GET", "https://$host/x.json"); sent.send();'
        " pending.push(new Promise((done) => { sent.onloadend = done; }));",
    ),
    _code("beacon", "`navigator.sendBeacon()`", 'navigator.sendBeacon("https://$host/b", "seen");'),
    _code(
        "websocket",
        "WebSocket",
        'const socket = new WebSocket("wss://$host/w"); pending.push(new Promise((done) => { socket.onerror = done; }));',
    ),
    _code(
        "event-source",
        "`EventSource`",
        'const events = new EventSource("https://$host/e");'
        " pending.push(new Promise((done) => { events.onerror = () => { events.close(); done(); }; }));",
    ),
    _code("dynamic-import", "Dynamic `import()`", 'pending.push(import("https://$host/m.js"));'),
    _code(
        "jsonp",
        "JSONP",
        'const script = document.createElement("script"); script.src = "https://$host/j.js?callback=got";'
        " document.head.append(script);",
    ),
    _code("document-write", "`document.write()`", 'document.write(\'<img src="https://$host/p.gif" alt="">\');'),
    _code("eval", "Code built for `eval()`", 'eval("new Im" + "age().src = \'https://$host/p.gif\'");'),
    _code(
        "made-frame",
        "`<iframe>` made by a script",
        'const frame = document.createElement("iframe"); frame.src = "https://$host/f.html"; document.body.append(frame);',
        **EARLY,
    ),
    _code("script-style", "Style set by a script", 'document.body.style.backgroundImage = "url(https://$host/p.gif)";'),
    _code("font-face", "`new FontFace()`", 'pending.push(new FontFace("leak", "url(https://$host/f.woff2)").load());'),
    _code(
        "fragment",
        "Fragment that a script fetches and inserts",
        'pending.push(fetch("/own/fragment.part?visit=$visit", { headers: { "HX-Request": "true" } })'
        ".then((answer) => answer.text()).then((text) => { const box = document.createElement('div');"
        " document.body.append(box); box.innerHTML = text; }));",
        files={".part": f"<p>More</p>{_IMG}"},
        stops=_HELD,
    ),
    _code(
        "json",
        "Markup from JSON that a script inserts",
        'pending.push(fetch("/own/json.json?visit=$visit").then((answer) => answer.json())'
        ".then((data) => { const box = document.createElement('div'); document.body.append(box); box.innerHTML = data.html; }));",
        files={".json": '{"html": "<img src=\\"https://$host/p.gif\\" alt=\\"\\">"}'},
    ),
    _code(
        "blob-worker",
        "Worker from a `blob:`, `importScripts()`",
        "const url = URL.createObjectURL(new Blob(['try { importScripts(\"https://$host/s.js\") } catch {} postMessage(1)']));"
        " const worker = new Worker(url); pending.push(new Promise((done) => { worker.onmessage = worker.onerror = done; }));",
    ),
    _code(
        "worker",
        "Worker from a file of the site's own, `importScripts()`",
        'const worker = new Worker("/own/worker.worker.js?visit=$visit");'
        " pending.push(new Promise((done) => { worker.onmessage = worker.onerror = done; }));",
        files={".worker.js": _WORKER},
    ),
    _code(
        "kept-worker",
        "Worker from a file that the page has loaded before, and the browser kept",
        'const kept = "/own/kept-worker.worker.js?visit=$visit";'
        " pending.push(fetch(kept).then((answer) => answer.text()).then(() => { const worker = new Worker(kept);"
        " return new Promise((done) => { worker.onmessage = worker.onerror = done; }); }));",
        files={".worker.js": _WORKER},
    ),
    _code(
        "service-worker",
        "Service worker that fetches",
        "pending.push(navigator.serviceWorker.register('/own/service-worker.worker.js?visit=$visit', { scope: '/own/nowhere' })"
        ".then(({ installing }) => new Promise((done) => { installing.onstatechange = done; })));",
        files={
            ".worker.js": "oninstall = (event) => event.waitUntil(fetch('https://$host/f.json', { mode: 'no-cors' }).catch(() => {}));"
        },
        comes_back=False,
        note="its policy stays the one of before a choice, since browsers keep it beyond a withdrawal",
    ),
    _code(
        "script-preconnect",
        "`<link rel=preconnect>` made by a script",
        'const link = document.createElement("link"); link.rel = "preconnect"; link.href = "https://$host";'
        " document.head.append(link);",
        stops=(),
        note="no policy has a word for it: put the script into `gate()`",
    ),
    # A name of this machine's, whose port needs no mapping: with that, Chromium's network process crashes here.
    _code(
        "webrtc",
        "WebRTC",
        'const peer = new RTCPeerConnection({ iceServers: [{ urls: "turns:$host.x.localhost:$port?transport=tcp", username: "u", credential: "c" }] });'
        " peer.createDataChannel('leak'); peer.createOffer().then((offer) => peer.setLocalDescription(offer));",
        stops=(),
        note="no browser has a policy for its servers: put the script into `gate()`",
    ),
)

LEFT: Final = (
    Way(
        key="noscript",
        name="`<noscript>` pixel, JavaScript off",
        page=Page.NOSCRIPT,
        body=f"<noscript>{_IMG}</noscript>",
        stops=_HELD,
    ),
    Way(
        leads_away=True,
        key="meta-refresh",
        name="`<meta http-equiv=refresh>`",
        page=Page.REFRESH,
        head='<meta http-equiv="refresh" content="0; url=https://$host/">',
        stops=(Guard.HOLD,),
    ),
    Way(
        leads_away=True,
        key="refresh-header",
        name="`Refresh:` header",
        header=("Refresh", "0; url=https://$host/"),
        page=Page.REFRESH_HEADER,
        stops=(Guard.HOLD,),
    ),
    Way(
        leads_away=True,
        key="location",
        name="`location` set by a script",
        page=Page.LEAVE,
        body='<script src="/own/location.js?visit=$visit"></script>',
        files={".js": 'addEventListener("load", () => { location.href = "https://$host/"; });'},
        stops=(),
        note=_BLINDED,
    ),
    Way(
        key="ping",
        name="`<a ping>`, the visitor clicks",
        page=Page.CLICK,
        body='<p><a id="link" href="#there" ping="https://$host/ping">Link</a></p>',
        engines=("chromium",),
        stops=_HELD,
    ),
    Way(
        leads_away=True,
        key="form",
        name="Form that the visitor submits",
        page=Page.CLICK,
        body='<form action="https://$host/form"><button id="submit">Send</button></form>',
        stops=(),
        note="the visitor's own act: the page should say where it leads",
    ),
)
