import { readState } from "./state.js";

/** How long a choice may take before the visitor is told, in milliseconds. */
const TIMEOUT = 15_000;

/**
 * Ask what the visitor's choice is, or post one.
 *
 * The origin is spelled out: a `<base>` in the page must not lead elsewhere.
 * @param {string} path
 * @param {FormData} [fields] What to post.
 * @throws {unknown} If there is no answer, or none of the contracted shape.
 */
export async function askState(path, fields) {
  const answer = await fetch(location.origin + path, {
    ...(fields && { method: "POST", body: new URLSearchParams(/** @type {any} */ (fields)), keepalive: true }),
    headers: { Accept: "application/json" },
    signal: AbortSignal.timeout(TIMEOUT),
  });
  if (!answer.ok) throw answer;
  return readState(await answer.text());
}

/**
 * What the browser would post for a pressed button.
 * @param {HTMLFormElement} form
 * @param {HTMLButtonElement} button
 */
export function readForm(form, button) {
  const fields = new FormData(form, button);
  // Where a proxy has dropped the `Sec-GPC` header, the browser's own word still counts.
  if (/** @type {any} */ (navigator).globalPrivacyControl) fields.set("gpc", "1");
  return fields;
}
