"""What the browser runtime is told: one script tag a page, in front of the first thing that needs it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from markupsafe import Markup, escape

from consent.core import gate
from consent.core.cookie_declaration import StorageKind
from consent.core.policy import Policy
from consent.web.fragment import find_fragment_header
from consent.web.service_signals import describe_signals
from consent.web.site import Site
from consent.web.state import describe_state
from consent.web.visit import Visit
from consent.wire.held_markup import encode_attribute_json, hold
from consent.wire.shown_response import SAFE_METHODS

# A browser's own names for where a page keeps things.
_AREAS: Mapping[str, str] = {
    StorageKind.LOCAL_STORAGE: "localStorage",
    StorageKind.SESSION_STORAGE: "sessionStorage",
    StorageKind.INDEXED_DB: "indexedDB",
}
_KEPT_LIMIT = 64
# Behind the address of `/state`: whoever asks has not heard from the browser whether it has the signal on.
_UNASKED = "?gpc=unasked"


def runtime_script(visit: Visit) -> Markup:
    """Return the runtime's tag, or nothing if the page has it already."""
    if visit.has_script:
        return Markup()
    visit.has_script = True
    return script_tag(visit)


def held_block_script(visit: Visit) -> Markup:
    """Return what goes in front of a held block: the runtime's tag, but nothing in a part of a page.

    The page that a part goes into has the tag already; under a nonce a second one would only be reported.
    """
    header = find_fragment_header(visit.environ)
    if header:
        visit.add_vary(header)
        return Markup()
    return runtime_script(visit)


def script_tag(visit: Visit) -> Markup:
    """Return the runtime's tag as of now: in the page's own language once that is known."""
    before, after = _keep_tag(visit.site, visit) if visit.record is None else _write_tag(visit)
    nonce = f' nonce="{escape(visit.nonce)}"' if visit.nonce else ""
    own = f'{before}{nonce} data-consent-key="{visit.page_key}"{after}'
    return Markup(f"{_write_signal_tag(visit, nonce)}{own}{_write_reload_marks(visit)}")  # noqa: S704 - escaped here and there


def block_key(visit: Visit, keys: Collection[str] = ()) -> str:
    """Return the key that a held block carries: the page's, or none, so that a grant loads the page again.

    An enforced Content-Security-Policy shuts what is not granted out of the page until it is loaded again. What is granted,
    and held only until the browser was asked for its signal, it lets in.

    Args:
        keys: What opens the block.
    """
    if visit.site.settings.csp != "enforce" or gate.is_open(visit.decision, keys):
        return visit.page_key
    return ""


def find_own_tag(tag: bytes) -> int:
    """Return where in what `script_tag` gave the runtime's own tag begins: behind the one for signals, if there is one."""
    return tag.rindex(b'<script src="')


def _write_signal_tag(visit: Visit, nonce: str) -> str:
    """Return the script that asks the browser for its signal, right in front of the runtime.

    The runtime's own tag says "denied" of all that the signal would close. This script, and nothing else, opens it, so that
    a browser in which it is blocked or fails is left with the refusal.
    """
    closed = visit.waiting
    if not closed:
        return ""
    told = encode_attribute_json(
        {
            "url": f"{visit.base_path}gpc",
            "state_url": f"{visit.base_path}state",
            "opens": sorted(closed),
            # Loading the answer to a form again would post the form again.
            "reload": visit.environ.get("REQUEST_METHOD") in SAFE_METHODS,
        }
    )
    return f"<script src=\"{escape(visit.asset_url('signal.js'))}\" defer{nonce} data-consent-signal='{told}'></script>"


def _write_reload_marks(visit: Visit) -> str:
    """Return what makes the runtime load the page again once a service is granted that the page's policy shuts out.

    An empty block for each, for what holds nothing: a script of the site's own that loads the service when it hears of the grant.
    """
    if visit.site.settings.csp != "enforce":
        return ""
    shut = [
        each.key for each in visit.policy.services if each.hosts and block_key(visit, (each.key,)) != visit.page_key
    ]
    advanced = visit.site.signals.advanced
    return "".join(hold("", keys=(key,), page_key="", nonce=visit.nonce) for key in shut if key not in advanced)


def list_storage(policy: Policy) -> tuple[Mapping[str, str], ...]:
    """Return what services keep besides cookies, for the runtime to clear: nothing if none of it can be refused.

    What is necessary is among it: it stays, even where the pattern of a refused service matches it.

    Returns:
        Each as `{"service": key, "area": …, "name": name or pattern}`.
    """
    entries = tuple(
        {"service": service.key, "area": _AREAS[cookie.kind], "name": cookie.name}
        for service in policy.services
        for cookie in service.cookies
        if cookie.kind in _AREAS and not cookie.third_party
    )
    is_refusable = any(entry["service"] in policy.fingerprints for entry in entries)
    return entries if is_refusable else ()


def _keep_tag(site: Site, visit: Visit) -> tuple[str, str]:
    """Return the tag around what is each response's own: the same for all who have no record and one language."""
    key = (visit.action_url, visit.language, visit.browser_signals, visit.rules.row_id)
    kept = site.scripts.get(key)
    if kept is None:
        # A proxy can make up prefixes without end.
        if len(site.scripts) >= _KEPT_LIMIT:
            site.scripts.clear()
        kept = site.scripts[key] = _write_tag(visit)
    return kept


def _write_tag(visit: Visit) -> tuple[str, str]:
    source = escape(visit.asset_url("consent.js"))
    page = encode_attribute_json(_describe_page(visit))
    return f'<script src="{source}" defer', f" data-consent-page='{page}'></script>"


def _describe_page(visit: Visit) -> dict[str, object]:
    storage = visit.site.storage
    closed = visit.waiting
    return {
        "url": visit.action_url,
        "state_url": f"{visit.base_path}state{_UNASKED if closed else ''}",
        "more": visit.asset_url("preferences.js"),
        "chosen": visit.asset_url("chosen.js"),
        "state": describe_state(visit, shut=closed),
        **({"storage": storage, "todo": True} if storage else {}),
        **describe_signals(visit),
        "saved": visit.text("preferences.saved"),
        "failed": visit.text("preferences.failed"),
    }
