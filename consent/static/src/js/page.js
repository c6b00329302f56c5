import { create } from "./document.js";
import { check, parse } from "./state.js";

/**
 * What the server told this page: the runtime's own script element carries it.
 * @typedef {object} Page
 * @property {unknown} key Random key of this response, on each block that its macros wrote.
 * @property {string} nonce The response's CSP nonce; empty for none.
 * @property {string} url Where the preferences are, and where choices are posted to.
 * @property {string} state_url Where the current state is to be read.
 * @property {import("./state.js").ConsentState} state
 * @property {Readonly<Record<number, StorageEntry>>} [storage] What services declared to keep outside of cookies.
 * @property {string} [signals] The providers to be told, as JSON: a list of `Signal` (told.js).
 * @property {boolean} [todo] Whether a choice leaves more to do here than to run scripts: storage to clear, providers to tell.
 * @property {string} more Address of the module `preferences.js`.
 * @property {string} chosen Address of the module `chosen.js`.
 * @property {string} saved What to say when a choice was saved.
 * @property {string} failed What to say when it was not.
 * @property {Policy} policy The only maker of trusted values.
 * @property {(html: string) => DocumentFragment} parse Parse markup of the server's into an inert fragment.
 */

/**
 * Makes trusted values where Trusted Types are enforced, and hands the text back elsewhere. Both are good wherever the
 * DOM takes text, which its declarations do not know.
 * @typedef {Record<"createHTML" | "createScript" | "createScriptURL", (text: string) => string>} Policy
 */

/**
 * @typedef {object} StorageEntry
 * @property {string} service
 * @property {"localStorage" | "sessionStorage" | "indexedDB"} area
 * @property {string} name `*` stands for anything.
 */

/**
 * Read what the server told this page.
 * @param {HTMLScriptElement} script The runtime's own element.
 * @returns {Page}
 */
export function readPage(script) {
  const told = parse(script.dataset.consentPage ?? "");
  check(told.state);
  const policy = makePolicy();
  return {
    // Nothing that a script put into `Object.prototype` may read as the server's word.
    __proto__: null,
    ...told,
    // Where the key was lost on its way, no block is like it.
    key: script.dataset.consentKey ?? NaN,
    nonce: script.nonce,
    policy,
    parse(html) {
      const template = create("template");
      template.innerHTML = policy.createHTML(html);
      return template.content;
    },
  };
}

/** @returns {Policy} */
function makePolicy() {
  const same = (/** @type {string} */ text) => text;
  const rules = { createHTML: same, createScript: same, createScriptURL: same };
  return /** @type {any} */ (window.trustedTypes?.createPolicy?.("consent", rules) ?? rules);
}
