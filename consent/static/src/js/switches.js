/**
 * What is read and set of a switch.
 * @typedef {Pick<HTMLInputElement, "checked" | "indeterminate">} Switch
 */

/**
 * @typedef {object} Service
 * @property {Switch} input
 * @property {readonly Switch[]} needs The switches of its purposes: while all of them are on, so is the service.
 */

/**
 * Let the switches of purposes and of their services follow each other. Without this they are as they are: what is
 * posted is what is shown, either way.
 * @param {HTMLElement} panel The preferences.
 */
export function linkSwitches(panel) {
  const purposes = new Map(findInputs(panel, "[data-pvc-number]").map((input) => [input.dataset.pvcNumber, input]));
  /** @type {Service[]} */
  const services = [];
  for (const input of findInputs(panel, "[data-pvc-needs] .pvc-switch")) {
    const row = /** @type {HTMLElement} */ (input.closest("[data-pvc-needs]"));
    const numbers = /** @type {string} */ (row.dataset.pvcNeeds).split(" ");
    const needs = numbers.flatMap((number) => purposes.get(number) ?? []);
    // A site's own template may leave a purpose out. A service that waits for it must not be taken for one that has all.
    if (needs.length < numbers.length) continue;
    services.push({ input, needs });
    // The stylesheet hides a switch that nothing keeps in step; this one is.
    row.removeAttribute("data-pvc-follows");
    row.setAttribute("data-pvc-linked", "");
  }
  const settleAll = () => settle([...purposes.values()], services);
  panel.addEventListener("change", ({ target }) => {
    follow(services, /** @type {HTMLInputElement} */ (target));
    settleAll();
  });
  settleAll();
}

/**
 * Carry over what the visitor just changed. Never opens anything but what was changed and what it is a part of.
 * @param {readonly Service[]} services
 * @param {Switch} changed A purpose's or a service's.
 */
export function follow(services, changed) {
  for (const { input, needs } of services) {
    if (needs.includes(changed) && !changed.checked) input.checked = false;
    if (input != changed) continue;
    // With all its purposes on, it would be on again; its neighbours stay as they are.
    if (!input.checked && needs.every(isOn)) for (const purpose of needs) purpose.checked = false;
    if (input.checked) for (const purpose of needs) purpose.checked ||= servicesOf(services, purpose).every(isOn);
  }
}

/**
 * Show what follows: a service whose purposes are all on is on, and a purpose of which only a part is on is mixed.
 * @param {readonly Switch[]} purposes
 * @param {readonly Service[]} services
 */
export function settle(purposes, services) {
  for (const { input, needs } of services) if (needs.every(isOn)) input.checked = true;
  for (const purpose of purposes) purpose.indeterminate = !purpose.checked && servicesOf(services, purpose).some(isOn);
}

/**
 * @param {readonly Service[]} services
 * @param {Switch} purpose
 */
const servicesOf = (services, purpose) =>
  services.filter(({ needs }) => needs.includes(purpose)).map(({ input }) => input);

/** @param {Switch} input */
const isOn = (input) => input.checked;

/**
 * @param {HTMLElement} panel
 * @param {string} selector
 * @returns {HTMLInputElement[]}
 */
const findInputs = (panel, selector) => [...panel.querySelectorAll(selector)].map((each) => /** @type {any} */ (each));
