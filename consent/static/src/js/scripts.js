/** Run scripts that were held. */

import { create } from "./document.js";
import { findSignal, tellChanges } from "./told.js";

/** @typedef {import("./page.js").Page} Page */

/** Types of the scripts that tell when they have run (HTML Standard, "JavaScript MIME type", as far as they are in use). */
const RUNS = /^(module|(text|application)\/(x-)?javascript)?$/i;

/**
 * Run scripts as a parser would: blocking ones in order, an inline one after the external ones before it; then the
 * deferred ones and modules in order; `async` ones when they arrive.
 * @param {readonly HTMLScriptElement[]} scripts
 * @param {Page} page
 */
export async function runScripts(scripts, page) {
  /** @type {Promise<unknown> | undefined} */
  let done;
  for (const late of [false, true]) {
    for (const held of scripts) {
      const isInline = !held.hasAttribute("src");
      const isAsync = held.hasAttribute("async");
      if (late != (!isAsync && (held.type == "module" || (held.defer && !isInline)))) continue;
      const isOrdered = !isAsync && !held.noModule && RUNS.test(held.type);
      if (isOrdered && isInline) await done;
      const key = held.dataset.consentTells;
      if (key && findSignal(key, page)) {
        // A tag before this one has said it all: a default that comes twice would take back what was granted since.
        held.remove();
        continue;
      }
      const script = revive(held, page, isAsync);
      // All of them: in Firefox one that fails is known to have failed before an earlier one has run.
      if (isOrdered && !isInline && held.isConnected) done = Promise.all([done, settled(script)]);
      held.replaceWith(script);
      if (key) {
        script.dataset.consentTold = key;
        tellChanges(page);
      }
    }
  }
}

/** @param {HTMLScriptElement} script */
function settled(script) {
  return new Promise((settle) => {
    script.addEventListener("load", settle);
    script.addEventListener("error", settle);
  });
}

/**
 * Make a script anew, so that it runs.
 * @param {HTMLScriptElement} held
 * @param {Page} page
 * @param {boolean} isAsync
 */
function revive(held, page, isAsync) {
  const script = create("script");
  for (const { name, value } of held.attributes) {
    try {
      // A trusted script is as good as a string for an attribute that is no sink, and `onload` is one.
      script.setAttribute(name, page.policy[name == "src" ? "createScriptURL" : "createScript"](value));
    } catch {
      // A name that only a parser takes, such as a stray quotation mark.
    }
  }
  script.text = page.policy.createScript(held.text);
  script.async = isAsync;
  if (page.nonce) script.nonce = page.nonce;
  return script;
}
