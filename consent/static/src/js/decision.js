/** @typedef {import("./state.js").ConsentState} ConsentState */

/**
 * Whether every purpose and service named is granted. No key, or an unknown one, keeps the gate shut.
 *
 * A plain loop: pages may have patched the methods of `Array.prototype`.
 * @param {ConsentState} state
 * @param {readonly string[]} keys
 */
export function isOpen(state, keys) {
  for (let at = 0; at < keys.length; at++) {
    if (!isGranted(state, /** @type {string} */ (keys[at]))) return false;
  }
  return keys.length > 0;
}

/**
 * Whether anything that was granted no longer is.
 * @param {ConsentState} before
 * @param {ConsentState} after
 */
export function hasClosed(before, after) {
  for (const key in { ...before.choices, ...before.services }) {
    if (isGranted(before, key) && !isGranted(after, key)) return true;
  }
  return false;
}

/**
 * Purposes and services share one namespace.
 * @param {ConsentState} state
 * @param {string} key
 */
function isGranted(state, key) {
  return (state.choices[key] ?? state.services[key]) === "granted";
}
