import { isOpen } from "./decision.js";
import { create, find } from "./document.js";

/** @typedef {import("./state.js").ConsentState} ConsentState */
/** @typedef {import("./page.js").Page} Page */

/**
 * Open every held block of this page whose keys are all granted, in document order.
 * @param {ConsentState} state
 * @param {Page} page
 * @returns {HTMLScriptElement[]} The scripts that are to be run.
 */
export function openGates(state, page) {
  /** @type {HTMLScriptElement[]} */
  const scripts = [];
  // One at a time: what a block held may hold a block itself.
  for (let block; (block = findGranted(state, page, true)); ) {
    try {
      scripts.splice(scripts.indexOf(block) + 1 || scripts.length, 0, ...open(block, page));
    } catch {
      // Damaged on its way: it stays shut, and does not keep the others shut.
      block.remove();
    }
  }
  return scripts;
}

/**
 * Open one embed, whatever the state says: the visitor asked for it.
 * @param {Element} button In the embed's placeholder.
 * @param {Page} page
 * @returns The scripts that are to be run; nothing if there is no embed to open.
 */
export function openEmbed(button, page) {
  const block = button.closest("[data-consent-embed]")?.querySelector("script");
  return block && isOwn(block, page) ? open(block, page) : undefined;
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
  const place = /** @type {HTMLElement} */ (block.matches("[data-consent-embed] > *") ? block.parentNode : block);
  const content = page.parse(JSON.parse(block.text));
  // What is parsed here is parsed as if there were no scripts, and would come alive.
  for (const each of content.querySelectorAll("noscript")) each.remove();
  for (const held of content.querySelectorAll("[type=importmap]")) {
    // At once: in Firefox no map counts that comes after the first module, and chosen.js is one.
    const map = create("script");
    map.type = "importmap";
    map.text = page.policy.createScript(/** @type {string} */ (held.textContent));
    map.nonce = page.nonce;
    held.replaceWith(map);
  }
  const scripts = [.../** @type {NodeListOf<HTMLScriptElement>} */ (content.querySelectorAll("script:not([type=importmap])"))];
  const hadFocus = place.matches(":focus-within");
  const first = /** @type {any} */ (content.firstElementChild);
  // On a narrow screen the placeholder has another height than its attributes say: nothing around it may move.
  if (first && place != block) first.height = place.offsetHeight;
  place.replaceWith(content);
  // Whoever pressed the placeholder's button goes on in the frame.
  if (hadFocus) first?.focus();
  return scripts;
}
