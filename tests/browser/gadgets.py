"""What visitors could write into a page to have it run by the runtime, once other visitors accept.

Each form is inert: a browser does nothing with it, under any policy. It would come alive only if the runtime took it for
the site's own. What it would run says `attack <form>` on the console, or asks the vendor for `/attack/<form>…`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from tests.browser.policy_site import make_page

_KEYS: Final = "analytics"
_ATTACK: Final = "console.log('attack {form}')"
_MARKUP: Final = (
    "<script>{attack}</script><script src='{{{{ vendor }}}}/attack/{form}.js'></script>"
    "<img src='{{{{ vendor }}}}/attack/{form}.gif' onerror=\"{attack}\" alt=''>"
    "<iframe src=\"javascript:parent.{attack}\" title='x'></iframe>"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One piece of foreign markup."""

    key: str
    markup: str
    press: str = ""
    """Selector of what a visitor may press, if anything."""

    awaits: Literal["nothing", "dialog", "page"] = "nothing"
    """What the library is to make of that."""


def _attack(form: str) -> str:
    return _ATTACK.format(form=form)


def _payload(form: str) -> str:
    """Return what a held block would hold, as JSON."""
    markup = _MARKUP.format(form=form, attack=_attack(form))
    return '"' + markup.replace("\\", "\\\\").replace('"', '\\"').replace("<", "\\u003c") + '"'


def _block(key: str, attributes: str, *, gate: str = _KEYS) -> Form:
    """Return a form that copies the library's own block."""
    opening = f'<script type="application/json" data-consent-gate="{gate}" {attributes}>'
    return Form(key=key, markup=f"{opening}{_payload(key)}</script>")


def _look_alike(
    key: str, markup: str, *, press: str = "", awaits: Literal["nothing", "dialog", "page"] = "nothing"
) -> Form:
    """Return a form; in its markup, ATTACK is a statement, SOURCE an address and PAYLOAD the content of a block."""
    source = f"{{{{ vendor }}}}/attack/{key}.js"
    filled = markup.replace("PAYLOAD", _payload(key)).replace("ATTACK", _attack(key)).replace("SOURCE", source)
    return Form(key=key, markup=filled, press=press, awaits=awaits)


BLOCKS: Final = (
    _block("block-without-key", ""),
    _block("block-with-empty-key", 'data-consent-key="" nonce=""'),
    _block("block-with-wrong-key", 'data-consent-key="{{ other.key }}x"'),
    _block("block-with-key-of-another-response", 'data-consent-key="{{ other.key }}"'),
    _block("block-with-key-and-nonce-of-another", 'data-consent-key="{{ other.key }}" nonce="{{ other.nonce }}"'),
    _block("block-with-wrong-nonce", 'nonce="bm9uY2U"'),
    _block("block-for-necessary", 'data-consent-key="{{ other.key }}"', gate="necessary"),
    _block("block-for-an-inherited-name", "", gate="constructor __proto__ toString"),
    _block("block-for-nothing", "", gate=""),
    _block("block-for-a-service", "", gate="{{ film }}"),
)

# Even a runtime that checked no key would have to leave these shut.
UNOPENABLE: Final = frozenset({"block-for-an-inherited-name", "block-for-nothing"})

LOOK_ALIKES: Final = (
    _look_alike(
        "text-plain-external",
        '<script type="text/plain" data-category="analytics" data-consent="analytics" data-cookieconsent="statistics" '
        'data-type="text/javascript" data-name="matomo" data-src="SOURCE" src="SOURCE"></script>',
    ),
    _look_alike(
        "text-plain-inline",
        '<script type="text/plain" data-category="analytics" data-cookieconsent="statistics">ATTACK</script>',
    ),
    _look_alike(
        "text-plain-for-a-gate", '<script type="text/plain" data-gate="analytics" src="SOURCE">ATTACK</script>'
    ),
    _look_alike("template", '<template data-consent-gate="analytics"><script>ATTACK</script></template>'),
    _look_alike("block-that-is-no-script", '<div hidden data-consent-gate="analytics">PAYLOAD</div>'),
    _look_alike(
        "iframe-javascript",
        '<iframe title="x" data-category="analytics" data-src="javascript:parent.ATTACK" '
        'data-consent-src="javascript:parent.ATTACK"></iframe>',
    ),
    _look_alike(
        "banner-copy",
        '<section class="pvc-banner" data-consent-ui="banner"><h2 id="pvc-banner-title" class="pvc-banner__title">x</h2>'
        '<script type="application/json">PAYLOAD</script></section>',
    ),
    _look_alike(
        "runtime-tag-copy",
        '<script type="text/plain" src="/privacy-choices/assets/consent.js" data-consent-key="{{ other.key }}" '
        """data-consent-page='{"url": "SOURCE", "more": "SOURCE", "state": {"choices": {"analytics": "granted"}}}'>"""
        "</script>",
    ),
    _look_alike(
        "placeholder-around-nothing",
        '<div class="pvc-embed" data-consent-embed="film"><form method="dialog">'
        '<button id="press-nothing" name="action" value="once" data-consent-action="once">Load</button></form></div>',
        press="#press-nothing",
    ),
    _look_alike(
        "placeholder-around-a-block",
        '<div class="pvc-embed" data-consent-embed="film"><form method="post" action="/privacy-choices/">'
        '<button id="press-block" name="action" value="once" data-consent-action="once">Load</button></form>'
        '<script type="application/json" data-consent-key="{{ other.key }}">PAYLOAD</script></div>',
        press="#press-block",
        awaits="page",
    ),
    _look_alike(
        "bare-accept-button",
        '<button type="button" id="press-accept" name="action" value="accept_all" data-consent-action="accept_all">'
        "Continue</button>",
        press="#press-accept",
    ),
    _look_alike(
        "accept-button-in-a-foreign-form",
        '<form method="dialog"><button id="press-foreign" name="action" value="accept_all" '
        'data-consent-action="accept_all">Continue</button></form>',
        press="#press-foreign",
    ),
    _look_alike(
        "settings-link-to-javascript",
        '<a id="press-script" data-consent-action="settings" href="javascript:ATTACK">Settings</a>',
        press="#press-script",
        awaits="dialog",
    ),
    _look_alike(
        "settings-link-to-another-host",
        '<a id="press-host" data-consent-action="settings" href="{{ vendor_origin }}/vendor/attack/'
        'settings-link-to-another-host.js">Settings</a>',
        press="#press-host",
        awaits="dialog",
    ),
)

PREFERENCES_COPY: Final = (
    _look_alike(
        "preferences-copy",
        '<section data-consent-ui="preferences"><h2 id="pvc-preferences-title">x</h2>'
        '<input class="pvc-switch" type="checkbox" name="granted" value="analytics" data-pvc-number="1" checked>'
        '<script type="application/json">PAYLOAD</script></section>',
    ),
)

_CLOBBERED: Final = (
    *("currentScript", "querySelector", "querySelectorAll", "createElement", "dispatchEvent", "addEventListener"),
    *("body", "head", "activeElement", "documentElement", "defaultView", "prerendering", "cookie", "implementation"),
    *("flaskConsent", "trustedTypes", "consent", "fetch", "BroadcastChannel", "MutationObserver", "FormData", "JSON"),
)
_FORM_MEMBERS: Final = (
    *("action", "closest", "getAttribute", "submit", "method", "matches", "elements", "nodeType", "parentNode"),
    *("addEventListener", "dataset", "nonce", "remove", "before", "contains", "isConnected"),
)
_SETTINGS: Final = ".pvc-settings-link"

CLOBBERING: Final = (
    Form(
        key="images-named-after-members",
        markup="".join(f'<img name="{name}" id="{name}" alt="">' for name in _CLOBBERED),
        press=_SETTINGS,
        awaits="dialog",
    ),
    Form(
        key="forms-named-after-members",
        markup="".join(
            f'<form name="{name}"><input name="value"></form><a id="{name}" href="javascript:void%200">x</a>'
            for name in _CLOBBERED
        ),
        press=_SETTINGS,
        awaits="dialog",
    ),
    Form(
        key="inputs-named-after-members",
        # Text alone can be seen of the form, so a click on it is one on the form itself.
        markup='<form id="clobbering" method="post" action="/privacy-choices/">Press here'
        + "".join(f'<input type="hidden" name="{name}" value="x">' for name in _FORM_MEMBERS)
        + "</form>",
        press="#clobbering",
    ),
)
BASE: Final = Form(key="base", markup='<base href="{{ vendor_origin }}/evil/">', press=_SETTINGS, awaits="dialog")

_LIE: Final = "Array.prototype.{name} = function () {{ return {answer} }};"
POLLUTIONS: Final[Mapping[str, str]] = {
    "object-prototype": """Object.assign(Object.prototype, {
      analytics: "granted", marketing: "granted", film: "granted", granted: true, necessary: "denied",
      choices: { analytics: "granted", marketing: "granted" }, services: { film: "granted" }, needs_prompt: false,
      key: "x", nonce: "x", state: {}, ok: true, value: "once", persisted: true,
    });""",
    "array-methods": "".join(
        _LIE.format(name=name, answer=answer)
        for name, answer in {
            **dict.fromkeys(("every", "some", "includes"), "true"),
            **dict.fromkeys(("map", "filter", "flatMap", "concat", "slice"), "[]"),
            **dict.fromkeys(("indexOf", "find", "forEach"), "0"),
        }.items()
    ),
    "array-iterator": "Array.prototype[Symbol.iterator] = function* () {};",
}

# What the site itself holds, behind all that visitors wrote.
_OWN: Final = """
{% call gate("analytics") %}{{ external("own") }}{{ inline("own inline") }}{{ external("end", query="?pause=0.1") }}{% endcall %}
"""


GROUPS: Final[Mapping[str, Sequence[Form]]] = {
    "blocks": BLOCKS,
    "look-alikes": LOOK_ALIKES,
    "preferences-copy": PREFERENCES_COPY,
    "images-named-after-members": CLOBBERING[:1],
    "forms-named-after-members": CLOBBERING[1:],
    "base": (BASE,),
}
PAGES: Final[Mapping[str, str]] = {
    **{
        name: make_page("".join(f"<div>{form.markup}</div>" for form in forms) + _OWN) for name, forms in GROUPS.items()
    },
    # Behind the gate: what stands in front of a site's own relative addresses leads those astray, not only the library's.
    "base": make_page(_OWN + BASE.markup),
    "own": make_page(_OWN),
}
