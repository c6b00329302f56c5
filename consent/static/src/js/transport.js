import { readState } from "./state.js";

/** How long a choice may take before the visitor is told, in milliseconds. */
const TIMEOUT = 15_000;

/**
 * Ask what the visitor's choice is, or post one.
 *
 * The origin is spelled out: a `<base>` in the page must not lead elsewhere.
 * @param {string} path
 * @param {RequestInit} [more]
 * @throws {unknown} If there is no answer, or none of the contracted shape.
 */
export async function askState(path, more) {
  const answer = await fetch(location.origin + path, {
    ...more,
    headers: { Accept: "application/json" },
    signal: AbortSignal.timeout(TIMEOUT),
  });
  if (!answer.ok) throw answer;
  return readState(await answer.text());
}

/**
 * The body that the browser would post for a pressed button.
 * @param {HTMLFormElement} form
 * @param {HTMLButtonElement} button
 */
export function readForm(form, button) {
  const fields = new FormData(form);
  fields.set(button.name, button.value);
  // Where a proxy has dropped the `Sec-GPC` header, the browser's own word still counts.
  if (/** @type {any} */ (navigator).globalPrivacyControl) fields.set("gpc", "1");
  return new URLSearchParams(/** @type {any} */ (fields));
}
