import { create, find } from "./document.js";
import { linkSwitches } from "./switches.js";

/** @typedef {import("./page.js").Page} Page */

const PANEL = '[data-consent-ui="preferences"]';
const TITLE_ID = "pvc-preferences-title";

/** How long to wait before the visitor is led to the page itself, in milliseconds. */
const TIMEOUT = 10_000;

/**
 * Show the preferences page's own content in a dialog. It is fetched each time, so it always shows what is stored.
 *
 * Closing it in any way saves nothing and decides nothing; focus goes back to what had it (`<dialog>` does that).
 * @param {Page} page
 * @throws {unknown} If it cannot be shown; then nothing was.
 */
export async function showPreferences(page) {
  const own = find(`${PANEL}:not(dialog *)`)[0];
  // On the preferences page itself; a second form with the same ids would mix up the switches.
  if (own) return own.scrollIntoView();
  const signal = AbortSignal.timeout(TIMEOUT);
  const content = await fetchPreferences(page, signal);
  const panel = /** @type {HTMLElement} */ (content.querySelector(PANEL));
  await addStyles(content, page, signal);
  // Asked for twice in a hurry: the first that came stays.
  if (find(".pvc-dialog:modal").length) return;
  arrange(panel);
  linkSwitches(panel);
  open(panel);
}

/**
 * @param {Page} page
 * @param {AbortSignal} signal
 */
async function fetchPreferences(page, signal) {
  const answer = await fetch(location.origin + page.url, { signal });
  const content = page.parse(await answer.text());
  if (!answer.ok || !content.querySelector(PANEL)) throw answer;
  return content;
}

/**
 * Load the stylesheets of the library that the fetched page has and this one lacks. One that does not load does not
 * matter: everything can be read and pressed without.
 * @param {DocumentFragment} content
 * @param {Page} page
 * @param {AbortSignal} signal
 */
function addStyles(content, page, signal) {
  // Without the language, which may be asked for in the query.
  const folder = new URL("assets/", location.origin + page.url).pathname;
  const loading = [...content.querySelectorAll("link")].map((link) => {
    // Those within the panel, too: they would bring the nonce of the answer, which is none of this page's.
    link.remove();
    const path = link.getAttribute("href");
    if (!path?.startsWith(folder) || find(`link[href="${path}"]`).length) return undefined;
    // Not as a `<base>` in the page would have it.
    link.href = location.origin + path;
    link.nonce = page.nonce;
    find("head")[0]?.append(link);
    return new Promise((settle) => {
      for (const event of ["load", "error"]) link.addEventListener(event, settle);
      signal.addEventListener("abort", settle);
    });
  });
  return Promise.all(loading);
}

/**
 * Bring the page's content into the order of a dialog: a head with the way out, what is to be read, and the buttons,
 * which stay in sight.
 * @param {HTMLElement} panel
 */
function arrange(panel) {
  const form = /** @type {HTMLElement} */ (panel.querySelector(".pvc-form"));
  const actions = /** @type {HTMLElement} */ (panel.querySelector(".pvc-actions"));
  const close = /** @type {HTMLElement} */ (panel.querySelector(".pvc-close"));
  const title = panel.querySelector("#" + TITLE_ID);
  close.hidden = false;
  const head = makePart("head", title ? [title, close] : [close]);
  const parts = [...panel.children].flatMap((part) => (part == form ? [...form.children] : part));
  form.replaceChildren(makePart("body", parts.filter((part) => part != actions)), actions);
  panel.replaceChildren(head, form);
}

/**
 * @param {string} name
 * @param {readonly Element[]} content
 */
function makePart(name, content) {
  const part = create("div");
  part.className = "pvc-dialog__" + name;
  part.append(...content);
  return part;
}

/** @param {HTMLElement} panel */
function open(panel) {
  const dialog = create("dialog");
  dialog.className = "pvc-dialog";
  dialog.lang = panel.lang;
  dialog.dir = panel.dir;
  dialog.setAttribute("aria-labelledby", TITLE_ID);
  // Where a scrollbar takes room, its room stays while the page behind does not scroll.
  dialog.toggleAttribute("data-pvc-gutter", innerWidth > (find("html")[0]?.clientWidth ?? 0));
  dialog.append(panel);
  // Turbo keeps pages as they are left, but not this.
  dialog.setAttribute("data-turbo-temporary", "");
  dialog.addEventListener("close", () => dialog.remove());
  // A copy that came back with a page which a script had kept: its ids would be there twice.
  for (const copy of find(".pvc-dialog")) copy.remove();
  find("body")[0]?.append(dialog);
  dialog.showModal();
  // To the title and not to the first button: who listens begins at the beginning, and Enter does nothing yet.
  const title = /** @type {HTMLElement | null} */ (panel.querySelector("#" + TITLE_ID));
  if (title) {
    title.tabIndex = -1;
    title.focus();
  }
}
