/**
 * Tell scripts that read IAB GPP what the visitor chose. Runs behind the stub, and takes its place.
 *
 * What the server does not know yet, or knows no longer, is asked for; until it has answered, the signal is "not ready".
 */

import { read } from "./document.js";
import { makeApi, readGpp } from "./gpp_api.js";

/** How long the server may take to answer, in milliseconds. */
const TIMEOUT = 15_000;

/** @param {HTMLScriptElement} own */
function start(own) {
  /** @type {any} */
  const page = window;
  const stub = page.__gpp;
  // Another tool's API: two of them would contradict each other.
  if (typeof stub != "function" || !Object.hasOwn(stub, "consentHeld")) return;
  const { url, gpp } = JSON.parse(/** @type {string} */ (own.dataset.consentGpp));
  // Where scripts alone see the browser's signal, as in Safari, a page may have come that knows nothing of it.
  const first = gpp && (!hasSignal() || saysSignal(gpp)) ? readGpp(gpp) : null;
  const api = makeApi(stub.consentHeld);
  let turn = 0;

  async function refresh() {
    const current = ++turn;
    api.wait();
    try {
      const next = await ask(url);
      // Slow news, from before a later choice, is no news.
      if (current == turn) api.apply(next);
    } catch {
      // Out of reach: nobody may go by what was.
    }
  }

  page.__gpp = api.call;
  api.load(first);
  if (!first) refresh();
  addEventListener("consent:change", refresh, true);
}

/** @returns {boolean} Whether the browser tells its scripts that Global Privacy Control is on. */
const hasSignal = () => !!navigator.globalPrivacyControl;

/** @param {import("./gpp_api.js").Gpp} gpp */
function saysSignal({ parsedSections }) {
  return Object.values(parsedSections).every((segments) => segments.some((each) => /** @type {any} */ (each).Gpc));
}

/**
 * The origin is spelled out: a `<base>` in the page must not lead elsewhere.
 * @param {string} path
 */
async function ask(path) {
  // No header tells the server where the browser keeps its signal for scripts, as Safari does.
  const query = hasSignal() ? "?gpc=1" : "";
  const answer = await fetch(location.origin + path + query, {
    cache: "no-store",
    headers: { Accept: "application/json" },
    signal: AbortSignal.timeout(TIMEOUT),
  });
  if (!answer.ok) throw answer;
  return readGpp(await answer.json());
}

try {
  start(read("currentScript"));
} catch {
  // An old browser, or a damaged page: the stub stays, whose signal is never ready.
}
