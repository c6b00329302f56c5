/**
 * What the server told the script that asks for the signal: its own element carries it.
 * @typedef {object} Told
 * @property {string} url Where to say that the browser has Global Privacy Control on.
 * @property {string} state_url Where the runtime reads the state once the browser has said that it is off.
 * @property {readonly string[]} opens Keys of the purposes and services that are open then.
 * @property {boolean} reload Whether the page may be loaded again: it was not the answer to a form.
 */

/**
 * Write what the server told the runtime as it is without the signal. As the server sent it, all that the signal would
 * close is shut, and stays so when the state is read again.
 *
 * A plain loop: pages may have patched the methods of `Array.prototype`.
 * @param {string} text The runtime's `data-consent-page`.
 * @param {Told} told
 * @param {boolean} isShown False for a page that is rendered ahead: the runtime reads the state when it is shown.
 * @returns {string}
 * @throws {SyntaxError | TypeError} If it was damaged on its way.
 */
export function openPage(text, { state_url, opens }, isShown) {
  const page = JSON.parse(text);
  page.state_url = state_url;
  for (let at = 0; isShown && at < opens.length; at++) {
    const key = /** @type {string} */ (opens[at]);
    const { choices, services } = page.state;
    if (Object.hasOwn(choices, key)) choices[key] = "granted";
    if (Object.hasOwn(services, key)) services[key] = "granted";
  }
  return JSON.stringify(page);
}
