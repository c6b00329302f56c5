import { isOpen } from "./decision.js";
import { create, find } from "./document.js";

/** @typedef {import("./state.js").ConsentState} ConsentState */
/** @typedef {import("./page.js").Page} Page */

/** Types of a classic script (HTML Standard, "JavaScript MIME type", as far as they are in use). */
const CLASSIC = /^$|javascript$/i;

/**
 * Open every held block of this page whose keys are all granted, in document order.
 * @param {ConsentState} state
 * @param {Page} page
 */
export function openGates(state, page) {
  /** @type {HTMLScriptElement[]} */
  const scripts = [];
  // One at a time: what a block held may hold a block itself.
  for (let block; (block = findGranted(state, page, true)); ) scripts.push(...open(block, page));
  run(scripts, page);
}

/**
 * Open one embed, whatever the state says: the visitor asked for it.
 * @param {Element} button In the embed's placeholder.
 * @param {Page} page
 * @returns Whether there was anything to open.
 */
export function openEmbed(button, page) {
  const block = button.closest("[data-consent-embed]")?.querySelector("script");
  const isOurs = block && isOwn(block, page);
  if (isOurs) run(open(block, page), page);
  return isOurs;
}

/**
 * Find the first block that the state opens.
 * @param {ConsentState} state
 * @param {Page} page
 * @param {boolean} own Whether of this page's own, or of those that came from elsewhere.
 * @returns {HTMLScriptElement | undefined}
 */
export function findGranted(state, page, own) {
  for (const block of find("script[data-consent-gate]")) {
    const keys = /** @type {string} */ (block.dataset.consentGate).split(" ");
    if (isOwn(block, page) == own && isOpen(state, keys)) return /** @type {HTMLScriptElement} */ (block);
  }
  return undefined;
}

/**
 * Whether a macro wrote this block into this response. Markup that copies ours cannot know the random key, nor the nonce.
 * @param {HTMLElement} block
 * @param {Page} page
 */
function isOwn(block, page) {
  return block.dataset.consentKey == page.key && block.nonce == page.nonce;
}

/**
 * Put what a block held where it stands, or where its embed's placeholder stands.
 * @param {HTMLScriptElement} block
 * @param {Page} page
 * @returns {HTMLScriptElement[]} The scripts in it, which do not run yet: browsers never run those of parsed text.
 */
function open(block, page) {
  const place = /** @type {Element} */ (block.matches("[data-consent-embed] > *") ? block.parentNode : block);
  const content = page.parse(JSON.parse(block.text));
  const scripts = [...content.querySelectorAll("script")];
  const hadFocus = place.matches(":focus-within");
  const first = /** @type {HTMLElement | null} */ (content.firstElementChild);
  place.replaceWith(content);
  // Whoever pressed the placeholder's button goes on in the frame.
  if (hadFocus) first?.focus();
  return scripts;
}

/**
 * Run scripts as a parser would: blocking ones in order, an inline one after the external ones before it; then the
 * deferred ones and modules in order; `async` ones when they arrive.
 * @param {readonly HTMLScriptElement[]} scripts
 * @param {Page} page
 */
async function run(scripts, page) {
  let loaded;
  for (const late of [false, true]) {
    for (const held of scripts) {
      const isExternal = held.hasAttribute("src");
      const isAsync = held.hasAttribute("async");
      if (late != (!isAsync && (held.type == "module" || (held.defer && isExternal)))) continue;
      const isBlocking = !late && !isAsync && !held.noModule && CLASSIC.test(held.type);
      if (isBlocking && !isExternal) await loaded;
      const script = revive(held, page, isAsync);
      if (isBlocking && isExternal && held.isConnected) loaded = settled(script);
      held.replaceWith(script);
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
    // A trusted script is as good as a string for an attribute that is no sink, and `onload` is one.
    script.setAttribute(name, page.policy[name == "src" ? "createScriptURL" : "createScript"](value));
  }
  script.text = page.policy.createScript(held.text);
  script.async = isAsync;
  if (page.nonce) script.nonce = page.nonce;
  return script;
}
