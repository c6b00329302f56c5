/**
 * Let the switches of purposes and of their services follow each other. Without this they are as they are: what is
 * posted is what is shown, either way.
 * @param {HTMLElement} panel The preferences.
 */
export function linkSwitches(panel) {
  /** @type {Map<string, HTMLInputElement>} */
  const purposes = new Map();
  for (const purpose of inputs(panel, "[data-pvc-number]")) purposes.set(purpose.dataset.pvcNumber ?? "", purpose);
  const services = inputs(panel, "[data-pvc-needs] .pvc-switch").map((input) => {
    const row = /** @type {HTMLElement} */ (input.closest("[data-pvc-needs]"));
    const needs = (row.dataset.pvcNeeds ?? "").split(" ").flatMap((number) => purposes.get(number) ?? []);
    // The stylesheet hides a switch that nothing keeps in step; this one is.
    row.removeAttribute("data-pvc-needs");
    return { input, needs };
  });
  panel.addEventListener("change", ({ target }) => {
    follow(services, /** @type {HTMLInputElement} */ (target));
    settle(purposes, services);
  });
  settle(purposes, services);
}

/**
 * @typedef {object} ServiceSwitch
 * @property {HTMLInputElement} input
 * @property {readonly HTMLInputElement[]} needs Switches of the purposes it serves.
 */

/**
 * Carry over what the visitor just changed.
 * @param {readonly ServiceSwitch[]} services
 * @param {HTMLInputElement} changed
 */
function follow(services, changed) {
  for (const { input, needs } of services) {
    if (needs.includes(changed) && !changed.checked) input.checked = false;
    // All its purposes together would open the service again.
    if (input == changed && !input.checked && needs.every(isOn)) for (const purpose of needs) purpose.checked = false;
    if (input == changed && input.checked) {
      for (const purpose of needs) {
        const own = services.filter((each) => each.needs.length == 1 && each.needs[0] == purpose);
        if (own.length && own.every((each) => each.input.checked)) purpose.checked = true;
      }
    }
  }
}

/**
 * Show what follows: a service whose purposes are all on is on, and a purpose of which only a part is on is mixed.
 * @param {ReadonlyMap<string, HTMLInputElement>} purposes
 * @param {readonly ServiceSwitch[]} services
 */
function settle(purposes, services) {
  for (const { input, needs } of services) if (needs.every(isOn)) input.checked = true;
  for (const purpose of purposes.values()) {
    purpose.indeterminate =
      !purpose.checked && services.some(({ input, needs }) => input.checked && needs.includes(purpose));
  }
}

/** @param {HTMLInputElement} input */
const isOn = (input) => input.checked;

/**
 * @param {HTMLElement} panel
 * @param {string} selector
 * @returns {HTMLInputElement[]}
 */
const inputs = (panel, selector) => [...panel.querySelectorAll(selector)].map((each) => /** @type {any} */ (each));
