/**
 * Ask the browser for Global Privacy Control where the law makes it an objection and no header came (Safari sends none).
 *
 * Runs right before the runtime, which the server has told nothing but refusals of what is at stake: whatever goes wrong
 * here, or keeps this script from running at all, leaves that shut.
 */

import { read } from "./document.js";
import { openPage } from "./signal_page.js";

/** @typedef {import("./signal_page.js").Told} Told */

/** @param {HTMLScriptElement} own */
function start(own) {
  const runtime = /** @type {HTMLScriptElement | null} */ (own.nextElementSibling);
  const told = JSON.parse(/** @type {string} */ (own.dataset.consentSignal));
  const isShown = !read("prerendering");
  if (navigator.globalPrivacyControl) {
    // A page that is rendered ahead may never be seen.
    if (isShown) report(told);
    else addEventListener("prerenderingchange", () => report(told), { capture: true, once: true });
  } else if (runtime?.matches("script[data-consent-page]") && runtime.nonce == own.nonce) {
    runtime.dataset.consentPage = openPage(/** @type {string} */ (runtime.dataset.consentPage), told, isShown);
    // The runtime opens nothing of its own accord, but looks at the page again whenever it changes.
    addEventListener("consent:ready", () => begin(own, runtime), { capture: true, once: true });
  }
}

/**
 * @param {HTMLScriptElement} own
 * @param {HTMLScriptElement} runtime
 */
function begin(own, runtime) {
  own.remove();
  /** @type {import("./page.js").Page} */
  const page = JSON.parse(/** @type {string} */ (runtime.dataset.consentPage));
  page.nonce = own.nonce;
  // Providers whose tags run were told that all of it is denied.
  if (page.todo) import(page.chosen).then((/** @type {typeof import("./chosen.js")} */ more) => more.carryOut([], page)).catch(() => {});
}

/**
 * Tell the server, which then remembers it; and show the page anew, as it is under the signal.
 * @param {Told} told
 */
async function report({ url, reload }) {
  try {
    // The origin is spelled out: a `<base>` in the page must not lead elsewhere.
    const { status } = await fetch(location.origin + url, {
      method: "POST",
      body: new URLSearchParams({ gpc: "1" }),
      keepalive: true,
    });
    const loaded = /** @type {PerformanceNavigationTiming | undefined} */ (performance.getEntriesByType("navigation")[0]);
    // Where nothing can be remembered, the page would be the same again, and go round for ever.
    if (status == 204 && reload && navigator.cookieEnabled && loaded && loaded.type != "reload") location.reload();
  } catch {
    // Out of reach: what is shut stays shut, and the next page tells it.
  }
}

try {
  // A fragment or a page change may bring the script again, when the runtime has long been told.
  if (!Object.hasOwn(window, "flaskConsent")) start(read("currentScript"));
} catch {
  // An old browser, or a damaged page.
}
