"""Pages whose gates hold every kind of markup, and how they come alive: by a choice, and sent live by the server.

The server sends a granted gate's markup as the site wrote it. So the browser's own order for the same markup is what a
reload after the choice shows, and what the runtime does is compared with that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tests.browser.policy_site import Policy, PolicySite, make_page
from tests.browser.watched_tab import WatchedTab, noted

ACCEPT: Final = ".pvc-banner [data-consent-action=accept_all]"

# What is `async` comes after the note that "end" leaves, so the order is the same each time.
_KINDS: Final = """
{% call gate("analytics") %}
{{ external("external") }}
{{ inline("inline after external") }}
{{ external("async", "async", "?after=end&note=async") }}
{{ external("defer", "defer") }}
{{ external("slow external", 'type="Text/JavaScript"', "?pause=0.5") }}
<script{{ nonced }} src="{{ vendor }}/missing"></script>
{{ inline("inline after slow and missing") }}
{{ external("nomodule", "nomodule") }}
{{ inline("inline nomodule", "nomodule") }}
{{ external("text/plain", 'type="text/plain"') }}
{{ inline("inline text/plain", 'type="text/plain"') }}
{{ external("made-up type", 'type="delayed/javascript"') }}
{{ inline("inline with defer", "defer") }}
<script id="data" type="application/json">{"name": "JSON data"}</script>
{% if has_inline %}
<script{{ nonced }}>console.log("ran " + JSON.parse(document.getElementById("data").text).name)</script>
<script{{ nonced }} type="importmap">{"imports": {"mapped": "{{ vendor }}/mapped.js"}}</script>
<script{{ nonced }} type="module">import { name } from "mapped"; console.log("ran " + name)</script>
{% endif %}
{{ inline("inline module", 'type="module"') }}
{{ external("module", 'type="module"') }}
{{ external("async module", 'type="module" async', "?after=async") }}
{% if policy == "none" %}
{{ external("external with onload", "onload=\\"console.log('ran onload')\\"") }}
{% endif %}
{% endcall %}
<p>Between two gates</p>
{% call gate("analytics") %}
{{ inline("inline of the next gate") }}
{{ external("external of the next gate") }}
{{ inline("last inline") }}
{{ external("end", 'type="module"', "?note=end") }}
{% endcall %}
"""
# Firefox keeps no order for an inline module that is put in by a script and imports something.
UNORDERED: Final = "import map"

_GATES: Final = """
{% call gate("analytics") %}
{{ external("before") }}
{% call gate("analytics") %}{{ external("inside") }}{{ inline("inline inside") }}{% endcall %}
{{ external("after") }}
{% call gate("marketing") %}{{ external("of another purpose") }}{% endcall %}
{% endcall %}
{% call gate("analytics") %}{{ external("slow", query="?pause=0.3") }}{% endcall %}
{% call gate("analytics") %}{{ inline("inline that needs the gate before") }}{{ external("end") }}{% endcall %}
"""
_HEAD: Final = """
{% call gate("analytics") %}
<meta name="held" content="yes">
<link{{ nonced }} rel="stylesheet" href="{{ vendor }}/style.css">
{{ external("head") }}
{{ inline("inline head") }}
{% endcall %}
"""
_TWO_KEYS: Final = """
{{ embed(film, "ferry", title="Ferry") }}
{% call gate("analytics", film) %}{{ external("two keys") }}{% endcall %}
{% call gate("analytics") %}{{ external("end") }}{% endcall %}
"""
_ELEMENTS: Final = """
{% call gate("analytics") %}
<noscript><img src="{{ vendor }}/pixel/noscript.gif" alt=""></noscript>
<link{{ nonced }} rel="stylesheet" href="{{ vendor }}/style.css">
<p id="styled">Styled</p>
<img src="{{ vendor }}/pixel/image.gif" alt="">
<picture><source srcset="{{ vendor }}/pixel/source.gif"><img src="{{ vendor }}/pixel/unused.gif" alt=""></picture>
<iframe src="{{ vendor }}/frame/frame" title="Frame"></iframe>
<video poster="{{ vendor }}/pixel/poster.gif" width="40" height="30"></video>
{% endcall %}
<table><tbody>
<tr><td>Row</td></tr>
{% call gate("analytics") %}<tr><td><img src="{{ vendor }}/pixel/row.gif" alt=""></td></tr>{% endcall %}
<tr><td>{% call gate("analytics") %}<img src="{{ vendor }}/pixel/cell.gif" alt="">{% endcall %}</td></tr>
<tr>{% call gate("analytics") %}<td><img src="{{ vendor }}/pixel/column.gif" alt=""></td>{% endcall %}</tr>
</tbody></table>
<ul>{% call gate("analytics") %}<li><img src="{{ vendor }}/pixel/item.gif" alt="">{% endcall %}</ul>
<select>{% call gate("analytics") %}<option>One</option><option>Two</option>{% endcall %}</select>
{{ embed(film, "ferry", title="Ferry") }}
{% call gate("analytics") %}{{ external("end") }}{% endcall %}
"""
ELEMENT_PATHS: Final = frozenset(
    {"/style.css", "/frame/frame", "/frame/ferry", "/run/end.js"}
    | {f"/pixel/{name}.gif" for name in ("image", "source", "poster", "row", "cell", "column", "item")}
)

PAGES: Final[Mapping[str, str]] = {
    "kinds": make_page(_KINDS),
    "gates": make_page(_GATES, head=_HEAD),
    "two-keys": make_page(_TWO_KEYS),
    "elements": make_page(_ELEMENTS),
}

# Without what differs and may: the library's own stylesheet and script, which a live page does not need; what is for
# visitors without scripts; and nonces, which Firefox hides only where its parser met them in the page itself.
_READ_MAIN: Final = """() => {
  const main = document.querySelector("main").cloneNode(true);
  for (const each of main.querySelectorAll("noscript, [href^='/privacy-choices/'], [src^='/privacy-choices/']")) each.remove();
  for (const each of main.querySelectorAll("[nonce]")) each.removeAttribute("nonce");
  return main.innerHTML.trim();
}"""
# What may tempt the runtime to look again: its own event, another tab's choice, and new content.
_STIR: Final = """() => {
  document.dispatchEvent(new CustomEvent("consent:change", { detail: flaskConsent.state }));
  new BroadcastChannel("consent").postMessage(0);
  document.querySelector("main").append(document.createElement("hr"));
}"""
_STATE: Final = "GET /privacy-choices/state"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a page has done since it was opened."""

    ran: Sequence[str]
    """Names of the scripts, in the order in which they ran."""

    sightings: frozenset[str]
    """Paths that the vendor was asked for."""

    faults: Sequence[str]
    """Violations of the policy, and errors that nobody caught."""

    markup: str
    """What is in the page's `<main>`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Awakening:
    """One page in three states."""

    shut: Scene
    """Before the choice, in which `sightings` has what the browser says it asked for, too."""

    opened: Scene
    """By the choice."""

    live: Scene
    """As the server sends it afterwards."""


def awaken(tab: WatchedTab, site: PolicySite, policy: Policy, name: str) -> Awakening:
    """Open a page as someone who has chosen nothing, accept, stir it, and have the server send it live."""
    until = _last_scripts(policy, name)
    site.forget()
    tab.open(site.page_url(policy, name))
    shut = _look(tab, site, asked={url for url in tab.requests if "/vendor/" in url})
    tab.click(ACCEPT)
    wait_for(tab, until)
    _wait_for_elements(tab, site, name)
    markup = _look(tab, site).markup
    _stir(tab, site)
    opened = _look(tab, site, markup=markup)
    since = len(tab.lines)
    site.forget()
    tab.reload()
    wait_for(tab, until, times=2)
    _wait_for_elements(tab, site, name)
    return Awakening(shut=shut, opened=opened, live=_look(tab, site, since=since))


def wait_for(tab: WatchedTab, names: Sequence[str], *, times: int = 1) -> None:
    """Wait until scripts have run."""
    tab.wait_until(lambda watched: all(noted(watched, "ran").count(name) >= times for name in names))


def _last_scripts(policy: Policy, name: str) -> Sequence[str]:
    if name != "kinds":
        return ("end",)
    return ("end", "async", "async module", *(() if policy == "self" else (UNORDERED,)))


def _wait_for_elements(tab: WatchedTab, site: PolicySite, name: str) -> None:
    if name == "elements":
        tab.wait_until(lambda _: set(site.vendor.sightings) >= ELEMENT_PATHS)


def _stir(tab: WatchedTab, site: PolicySite) -> None:
    site.seen.clear()
    tab.evaluate_in_page(_STIR)
    tab.wait_until(lambda _: _STATE in site.seen)


def _look(
    tab: WatchedTab,
    site: PolicySite,
    *,
    since: int = 0,
    asked: set[str] | frozenset[str] = frozenset(),
    markup: str | None = None,
) -> Scene:
    lines = tab.lines[since:]
    return Scene(
        ran=[line.removeprefix("ran ") for line in lines if line.startswith("ran ")],
        sightings=frozenset(site.vendor.sightings) | asked,
        faults=[line for line in lines if line.startswith(("violation", "uncaught", "error"))],
        markup=tab.evaluate_in_page(_READ_MAIN) if markup is None else markup,
    )
