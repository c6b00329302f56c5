/** The browser half: it only saves page loads. Everything here has a form or a link beneath it that works alone. */

import { closeBanner, tell } from "./banner.js";
import { hasClosed, isOpen } from "./decision.js";
import { dispatch, find, read } from "./document.js";
import { findGranted, openEmbed, openGates } from "./gate.js";
import { readPage } from "./page.js";
import { askState, readForm } from "./transport.js";

/** @typedef {import("./state.js").ConsentState} ConsentState */

/** @param {HTMLScriptElement} script */
function start(script) {
  // Throws where cookies are blocked, and nothing else tells so in Chromium: then the browser posts the forms, and the
  // next page asks again, as it should.
  localStorage;
  const page = readPage(script);
  // Between the tabs of the site. A message says that there may have been a choice, never which.
  const channel = new BroadcastChannel("consent");
  const panel = find('[data-consent-ui="preferences"]')[0];
  let { state } = page;
  /**
   * Whether forms and links are left to the browser: where it can show what is wrong, and on the preferences page.
   * @type {unknown}
   */
  let isNative = panel;
  let queue = Promise.resolve();
  /** @type {Element | undefined} */
  let pressed;

  /**
   * Load what is not needed before the visitor asks, and use it.
   * @param {(more: typeof import("./preferences.js")) => unknown} use
   * @param {() => void} [otherwise] What to do when it cannot be had, or fails.
   */
  const loadMore = (use, otherwise = () => {}) => import(page.more).then(use).catch(otherwise);

  /**
   * Carry out what was chosen, as far as there is anything to do.
   * @param {readonly HTMLScriptElement[]} [held] Scripts to run.
   */
  const carryOut = (held = []) =>
    (held[0] || (page.todo && state.decided_at)) &&
    import(page.chosen)
      .then((/** @type {typeof import("./chosen.js")} */ more) => more.carryOut(held, page))
      .catch(() => {});

  /**
   * @param {ConsentState} next
   * @param {string} [message]
   * @param {boolean} [isAllowing] Whether an embed was allowed, which may be one of another response.
   */
  async function apply(next, message, isAllowing) {
    const before = state;
    state = next;
    const done = carryOut();
    if (JSON.stringify(before) != JSON.stringify(state)) dispatch("consent:change", state);
    // What runs cannot be stopped; and of a block of another response nobody here can tell who wrote it.
    if (hasClosed(before, state) || ((isAllowing || hasClosed(state, before)) && findGranted(state, page, false))) {
      // It must not keep running what was refused.
      await Promise.race([done, new Promise((go) => setTimeout(go, 999))]);
      location.reload();
    } else settle(message);
  }

  /**
   * Bring the page in line with the state, also when something has put new content into it.
   * @param {string} [message]
   */
  function settle(message) {
    if (!state.needs_prompt) closeBanner(message);
    const opened = openGates(state, page);
    if (opened[0]) carryOut(opened);
  }

  /** Read the choice again: it was made in another tab, or before this page came back. */
  function refresh() {
    // A page that is rendered ahead opens nothing until it is shown. Out of reach: what was shut stays shut.
    if (read("prerendering")) return;
    const before = state;
    askState(page.state_url).then(
      // Slow news, from before a choice that was made here meanwhile, is no news.
      (next) => (state == before ? apply(next) : refresh()),
      () => {},
    );
  }

  /**
   * @param {FormData} fields
   * @param {HTMLButtonElement} button
   */
  async function post(fields, button) {
    /** @type {ConsentState} */
    let next;
    try {
      next = await askState(page.url, fields);
    } catch {
      if (!isNative) tell(button, page.failed);
      isNative = true;
      return refresh();
    }
    button.closest("dialog")?.close();
    apply(next, page.saved, button.value == "allow");
    channel.postMessage(0);
    if (pressed == button) pressed = undefined;
  }

  const open = () =>
    loadMore(
      (more) => more.showPreferences(page),
      () => location.assign(location.origin + page.url),
    );

  // In the capture phase of the window: before whatever boosts links and forms, such as htmx and Turbo.
  addEventListener(
    "submit",
    (event) => {
      const button = /** @type {HTMLButtonElement} */ (event.submitter);
      const form = /** @type {HTMLFormElement | null} */ (button?.closest(`form[action="${page.url}"]`));
      if (!form || isNative) return;
      const opened = button.value == "once" ? openEmbed(button, page) : [];
      if (!opened) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      if (button.value == "once") {
        if (opened[0]) carryOut(opened);
      } else if (button != pressed) {
        pressed = button;
        // As it was pressed, and not as it is when its turn comes.
        const fields = readForm(form, button);
        queue = queue.then(() => post(fields, button));
      }
    },
    true,
  );
  addEventListener(
    "click",
    (event) => {
      const target = /** @type {Element} */ (event.target);
      // A field named "closest" hides the method of its form, and the window, which scripts may click, has none.
      const link = target.nodeType == 1 && Element.prototype.closest.call(target, '[data-consent-action="settings"]');
      if (!link || isNative || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      open();
    },
    true,
  );
  addEventListener("pageshow", (event) => event.persisted && refresh());
  addEventListener("prerenderingchange", refresh, true);
  channel.onmessage = refresh;
  new MutationObserver(() => settle()).observe(document, { childList: true, subtree: true });
  if (panel) {
    loadMore((more) => more.linkSwitches(panel));
    channel.postMessage(0);
  }
  carryOut();
  /** @type {any} */ (window).flaskConsent = Object.freeze({
    get state() {
      return state;
    },
    allows: (/** @type {string[]} */ ...keys) => isOpen(state, keys),
    open,
  });
  dispatch("consent:ready", state);
}

const script = read("currentScript");
// A fragment or a page change may bring the script again. Own, since `<a id="flaskConsent">` is a property of the window too.
try {
  if (!Object.hasOwn(window, "flaskConsent")) start(script);
} catch {
  // An old or hardened browser, or a damaged page: the forms work without.
}
