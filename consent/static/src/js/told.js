/** Tell providers whose tags run here what the visitor has changed, in the calls of their own APIs. */

import { isOpen } from "./decision.js";
import { find } from "./document.js";

/** @typedef {import("./page.js").Page} Page */
/** @typedef {import("./state.js").ConsentState} ConsentState */

/**
 * One provider's API, as the server describes it.
 * @typedef {object} Signal
 * @property {string} key
 * @property {Record<string, string[][]>} rules Sets of keys by type; one set that is granted is enough.
 * @property {Record<string, string>} states What the page itself says in front of the tag, by type.
 * @property {[name: string, values: unknown[], when: Record<string, string>][]} change Calls to make.
 */

/**
 * Find the script that has spoken to a provider. One that was held has another mark until it runs; and one without the
 * nonce of this response is somebody else's markup.
 * @param {string} key
 * @param {Page} page
 */
export function findSignal(key, page) {
  for (const script of find(`script[data-consent-told="${key}"]`)) {
    if (script.nonce == page.nonce) return script;
  }
  return undefined;
}

/**
 * Tell every provider that was told something before, if there is anything new. Each is told once.
 * @param {Page} page
 */
export function tellChanges(page) {
  // As of now: scripts may have kept one another waiting.
  /** @type {ConsentState} */
  const state = /** @type {any} */ (window).flaskConsent.state;
  for (const signal of readSignals(page)) {
    const script = findSignal(signal.key, page);
    const states = findStates(signal, state);
    const text = JSON.stringify(states);
    if (!script || text == (script.dataset.consentStates ?? JSON.stringify(signal.states))) continue;
    script.dataset.consentStates = text;
    for (const call of listCalls(signal, states, state)) makeCall(call);
  }
}

/**
 * @param {Pick<Signal, "rules">} signal
 * @param {ConsentState} state
 * @returns {Record<string, string>} `"granted"` or `"denied"` by type.
 */
export function findStates({ rules }, state) {
  const found = Object.entries(rules).map(([type, rule]) => [type, rule.some((keys) => isOpen(state, keys))]);
  return Object.fromEntries(found.map(([type, isGranted]) => [type, isGranted ? "granted" : "denied"]));
}

/**
 * @param {Pick<Signal, "change">} signal
 * @param {Record<string, string>} states
 * @param {ConsentState} state
 * @returns {[name: string, values: unknown[]][]} Function and arguments of each call.
 */
export function listCalls({ change }, states, state) {
  return change
    .filter(([, , when]) => Object.entries(when).every(([type, wanted]) => states[type] == wanted))
    .map(([name, values]) => [name, values.map((value) => fill(value, states, state))]);
}

/**
 * Fill in what a value leaves open; `consent/core/signal_call.py` says what that can be.
 * @param {unknown} value
 * @param {Record<string, string>} states
 * @param {ConsentState} state
 * @returns {any}
 */
function fill(value, states, state) {
  if (value === "$states") return { ...states };
  if (value === "$choices") return { ...state.choices };
  if (typeof value == "string" && value.startsWith("$denied:")) return states[value.slice(8)] == "denied";
  if (Array.isArray(value)) return value.map((each) => fill(each, states, state));
  if (!value || typeof value != "object") return value;
  const filled = {};
  for (const [name, each] of Object.entries(value)) {
    Object.assign(filled, name == "..." ? fill(each, states, state) : { [name]: fill(each, states, state) });
  }
  return filled;
}

/** @param {[name: string, values: unknown[]]} call */
function makeCall([name, values]) {
  const path = name.split(".");
  const method = /** @type {string} */ (path.pop());
  try {
    path.reduce((owner, part) => owner[part], /** @type {any} */ (window))[method](...values);
  } catch (error) {
    // One provider's trouble is not to keep the next from hearing.
    reportError(error);
  }
}

/**
 * @param {Page} page
 * @returns {Signal[]}
 */
const readSignals = (page) => JSON.parse(page.signals ?? "[]");
