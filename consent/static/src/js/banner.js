import { create, find } from "./document.js";

/**
 * Take the banner away, and say so once to whoever listens to the page.
 * @param {string} [message] Nothing for a choice that was made elsewhere.
 */
export function closeBanner(message) {
  let hadFocus = false;
  for (const banner of find('[data-consent-ui="banner"]')) {
    hadFocus ||= banner.matches(":focus-within");
    banner.remove();
  }
  if (!message) return;
  const status = makeNote("status");
  status.tabIndex = -1;
  // Where the banner was: the next Tab leads to the page's first link.
  find("body")[0]?.prepend(status);
  if (hadFocus) status.focus();
  // Screen readers announce what changes in a region that they know, so it must be there first.
  setTimeout(() => (status.textContent = message), 99);
}

/**
 * Say beside the pressed button that it did not work.
 * @param {HTMLElement} button
 * @param {string} message
 */
export function tell(button, message) {
  const alert = makeNote("alert");
  alert.textContent = message;
  button.before(alert);
}

/** @param {"alert" | "status"} role */
function makeNote(role) {
  const note = create("p");
  note.className = "pvc-live-" + role;
  note.setAttribute("role", role);
  return note;
}
