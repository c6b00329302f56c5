import { create, find } from "./document.js";
import { linkSwitches } from "./switches.js";

/** @typedef {import("./page.js").Page} Page */

const PANEL = '[data-consent-ui="preferences"]';

/**
 * Show the preferences page's own content in a dialog. It is fetched each time, so it always shows what is stored.
 *
 * Closing it in any way saves nothing and decides nothing; focus goes back to what had it (`<dialog>` does that).
 * @param {Page} page
 * @throws {Error} If it cannot be fetched.
 */
export async function showPreferences(page) {
  const answer = await fetch(location.origin + page.url);
  const content = page.parse(await answer.text());
  const panel = /** @type {HTMLElement} */ (content.querySelector(PANEL));
  const dialog = create("dialog");
  dialog.className = "pvc-dialog";
  dialog.setAttribute("aria-labelledby", "pvc-preferences-title");
  dialog.append(panel);
  await addStyles(content, page);
  linkSwitches(panel);
  for (const close of panel.querySelectorAll(".pvc-close")) close.removeAttribute("hidden");
  dialog.addEventListener("close", () => dialog.remove());
  find("body")[0]?.append(dialog);
  dialog.showModal();
}

/**
 * Load the stylesheets of the library that the fetched page has and this one lacks.
 * @param {DocumentFragment} content
 * @param {Page} page
 */
function addStyles(content, page) {
  const links = [...content.querySelectorAll("link")].filter((link) => {
    const path = /** @type {string} */ (link.getAttribute("href"));
    return path.startsWith(page.url.split("?")[0] + "assets/") && !find(`link[href="${path}"]`).length;
  });
  return Promise.all(
    links.map((link) => {
      link.nonce = page.nonce;
      find("head")[0]?.append(link);
      return new Promise((settle) => (link.onload = link.onerror = settle));
    }),
  );
}
