"""What stands in for the scripts of providers that are told what a visitor chose.

Each takes over the queue that it finds as the provider's own does, and says on the console what it was told, in the words
of the page: `told <adapter> <call>`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

# What varies from run to run is left out; everything else is said as it came.
_SAY: Final = """
const tidy = (value) => {
  if (value instanceof Date) return "now";
  return value && value["gtm.start"] ? { ...value, "gtm.start": "now" } : value;
};
const say = (name, ...values) =>
  console.log(`told %s ${name}(${values.map((value) => JSON.stringify(tidy(value))).join(", ")})`);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderScript:
    """One provider's script."""

    adapter: str
    """Key of the signal adapter that tells it."""

    text: str
    queues: tuple[str, ...]
    """Globals in which calls wait for it."""

    @property
    def body(self) -> str:
        """What its host answers."""
        return f"(() => {{{_SAY % self.adapter}{self.text}}})();"


# Told apart as Google's own does it: a command is an `arguments` object, an array is none.
_GOOGLE: Final = """
if (window.isGoogleHere) return;
window.isGoogleHere = true;
const read = (item) => {
  const kind = Object.prototype.toString.call(item);
  if (kind === "[object Arguments]") say("gtag", ...item);
  else if (Array.isArray(item)) say("an array", ...item);
  else say("dataLayer.push", item);
};
dataLayer.forEach(read);
dataLayer.push = read;
"""
# The queue is flat: how many values belong to a command follows from its name.
_UET: Final = """
const lengths = { consent: 3, event: 3 };
window.UET = function ({ ti, q }) {
  this.push = (...values) => say("uetq.push", ...values);
  say("new UET", ti);
  const queue = [...q];
  while (queue.length) this.push(...queue.splice(0, lengths[queue[0]] ?? 1));
};
"""
_CLARITY: Final = """
const queue = window.clarity?.q ?? [];
window.clarity = (...values) => say("clarity", ...values);
for (const values of queue) clarity(...values);
"""
_META: Final = """
fbq.callMethod = (...values) => say("fbq", ...values);
while (fbq.queue.length) fbq.callMethod(...fbq.queue.shift());
"""
_TIKTOK: Final = """
const found = window[window.TiktokAnalyticsObject];
for (const [name, ...values] of found) say(`ttq.${name}`, ...values);
for (const name of Object.keys(found)) {
  if (typeof found[name] === "function") found[name] = (...values) => say(`ttq.${name}`, ...values);
}
"""
# matomo.js (its `applyFirst`) runs some calls of its queue before all others, wherever they stand: these are the ones in use.
_MATOMO: Final = """
const first = ["setTrackerUrl", "setSiteId", "enableLinkTracking", "setCookieConsentGiven", "requireConsent", "setConsentGiven"];
const queue = window._paq;
window._paq = { push: (call) => say("_paq.push", ...call) };
for (const name of first) queue.filter((call) => call[0] === name).forEach(_paq.push);
queue.filter((call) => !first.includes(call[0])).forEach(_paq.push);
"""
_HUBSPOT: Final = """
say("disableHubSpotCookieBanner", window.disableHubSpotCookieBanner);
for (const name of ["_hsp", "_hsq"]) {
  const queue = window[name];
  window[name] = { push: (call) => say(`${name}.push`, ...call) };
  queue.forEach(window[name].push);
}
"""
_PINTEREST: Final = """
const { queue } = pintrk;
window.pintrk = (...values) => say("pintrk", ...values);
for (const values of queue) pintrk(...values);
"""
# Both start what `_i` names, and only then read the queue.
_POSTHOG: Final = """
const found = window.posthog;
for (const [token, options] of found._i) say("posthog.init", token, options);
for (const [name, ...values] of found) say(`posthog.${name}`, ...values);
window.posthog = new Proxy({}, { get: (_, name) => (...values) => say(`posthog.${name}`, ...values) });
"""
_OPTIMIZELY: Final = """
const queue = window.optimizely ?? [];
for (const call of queue) say("optimizely.push", call);
if (queue.some((call) => call.type === "disable")) return;
say("started");
window.optimizely = { push: (call) => say("optimizely.push", call) };
"""

SCRIPTS: Final[Mapping[str, ProviderScript]] = {
    "www.googletagmanager.com": ProviderScript(adapter="google", text=_GOOGLE, queues=("dataLayer", "gtag")),
    "bat.bing.com": ProviderScript(adapter="microsoft-uet", text=_UET, queues=("uetq",)),
    "www.clarity.ms": ProviderScript(adapter="microsoft-clarity", text=_CLARITY, queues=("clarity",)),
    "connect.facebook.net": ProviderScript(adapter="meta", text=_META, queues=("fbq", "_fbq")),
    "analytics.tiktok.com": ProviderScript(adapter="tiktok", text=_TIKTOK, queues=("ttq",)),
    "example.matomo.cloud": ProviderScript(adapter="matomo", text=_MATOMO, queues=("_paq",)),
    "js.hs-scripts.com": ProviderScript(adapter="hubspot", text=_HUBSPOT, queues=("_hsp", "_hsq", "tellHubSpot")),
    "s.pinimg.com": ProviderScript(adapter="pinterest", text=_PINTEREST, queues=("pintrk",)),
    "eu-assets.i.posthog.com": ProviderScript(adapter="posthog", text=_POSTHOG, queues=("posthog",)),
    "cdn.mxpnl.com": ProviderScript(
        adapter="mixpanel", text=_POSTHOG.replace("posthog", "mixpanel"), queues=("mixpanel",)
    ),
    "static.zdassets.com": ProviderScript(
        adapter="zendesk", text='window.zE = (...values) => say("zE", ...values);', queues=("zE", "tellZendesk")
    ),
    "cdn.optimizely.com": ProviderScript(
        adapter="optimizely", text=_OPTIMIZELY, queues=("optimizely", "tellOptimizely")
    ),
}
QUEUES: Final = tuple(name for script in SCRIPTS.values() for name in script.queues)
