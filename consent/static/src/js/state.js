/**
 * What the server says of this visitor: the shape of `/state`, of a choice's answer and of the events' detail.
 * @typedef {object} ConsentState
 * @property {Readonly<Record<string, string>>} choices `"granted"` or `"denied"` by purpose.
 * @property {Readonly<Record<string, string>>} services The same by service.
 * @property {string} regime
 * @property {boolean} needs_prompt Whether the banner is to be shown.
 * @property {string} policy_version
 * @property {string | null} decided_at ISO 8601 instant of the choice; null for none.
 */

/**
 * Parse JSON into frozen objects without a prototype, lists included: nothing that a script put into `Object.prototype` reads as an answer.
 * @param {string} text
 */
export function parse(text) {
  return JSON.parse(text, (_, value) =>
    value && typeof value == "object" ? Object.freeze({ __proto__: null, ...value }) : value,
  );
}

/**
 * Read an answer of the server's, strictly.
 * @param {string} text
 * @returns {Readonly<ConsentState>}
 * @throws {SyntaxError | TypeError} For any other shape.
 */
export function readState(text) {
  return check(parse(text));
}

/**
 * @param {ConsentState} state
 * @throws {TypeError} For any other shape.
 */
export function check(state) {
  if (!state.choices.necessary || !state.services || typeof state.needs_prompt != "boolean") throw TypeError();
  return state;
}
