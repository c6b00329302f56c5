/** The document, past whatever markup names after its members: `<img name="querySelectorAll">` hides the method. */

const { querySelectorAll, createElement, dispatchEvent } = Document.prototype;

/**
 * @param {string} selector
 * @returns {NodeListOf<HTMLElement>}
 */
export const find = (selector) => /** @type {any} */ (querySelectorAll.call(document, selector));

/**
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @returns {HTMLElementTagNameMap[Name]}
 */
export const create = (name) => /** @type {any} */ (createElement.call(document, name));

/**
 * @param {keyof Document} name
 * @returns {any}
 */
export const read = (name) => Reflect.get(Document.prototype, name, document);

/**
 * @param {string} name
 * @param {unknown} detail
 */
export const dispatch = (name, detail) => dispatchEvent.call(document, new CustomEvent(name, { detail }));
