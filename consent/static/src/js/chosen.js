/** What a page needs once the visitor has chosen: loaded then, and not before. */

import { runScripts } from "./scripts.js";
import { clearStorage } from "./storage.js";
import { tellChanges } from "./told.js";

/** @typedef {import("./page.js").Page} Page */

/**
 * Carry out what was chosen, as far as it needs scripts: clear what denied services keep, tell providers of the change,
 * run what was held. May be asked for again and again.
 * @param {readonly HTMLScriptElement[]} held
 * @param {Page} page
 */
export async function carryOut(held, page) {
  /** @type {import("./state.js").ConsentState} */
  const state = /** @type {any} */ (window).flaskConsent.state;
  const cleared = state.decided_at && clearStorage(page.storage, state);
  tellChanges(page);
  await Promise.all([cleared, runScripts(held, page)]);
}
