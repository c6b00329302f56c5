/** A window for the two scripts of GPP, with just what they touch. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createContext, runInContext } from "node:vm";
import { SERVED } from "../../tools/served_assets.mjs";

// As they are served: what matters is that the two of them fit together.
const STUB = readFileSync(join(SERVED, "gpp_stub.js"), "utf8");
const SCRIPT = readFileSync(join(SERVED, "gpp.js"), "utf8");

export const SEGMENTS = Object.freeze([
  { Version: 1, SaleOptOut: 1, SensitiveDataProcessing: [0, 0] },
  { SubsectionType: 1, Gpc: true },
]);
export const OUT = Object.freeze({
  gppString: "DBABBg~BUUAAACA.YA",
  applicableSections: [8],
  sectionList: [8],
  parsedSections: { usca: SEGMENTS },
});
export const IN = Object.freeze({
  ...OUT,
  gppString: "DBABBg~BUoAAACA.QA",
  parsedSections: { usca: [{ ...SEGMENTS[0], SaleOptOut: 2 }, { SubsectionType: 1, Gpc: false }] },
});

/** @typedef {ReturnType<typeof openPage>} Page */

/**
 * A window with just what the two scripts touch.
 * @param {{ gpp?: unknown, told?: string, hasBody?: boolean, foreign?: Function, hasStub?: boolean, hasSignal?: boolean }} [options]
 */
export function openPage({ gpp = OUT, told = JSON.stringify({ url: "/choices/gpp", gpp }), ...options } = {}) {
  const { hasBody = true, foreign, hasStub = true, hasSignal } = options;
  /** @type {Record<string, ((event: any) => void)[]>} */
  const handlers = {};
  /** @type {{ url: string, init: any, answer: (json: unknown, ok?: boolean) => Promise<void>, fail: () => Promise<void> }[]} */
  const requests = [];
  /** @type {any[]} */
  const frames = [];
  /** @type {(() => void)[]} */
  const observers = [];
  /** @type {unknown[]} */
  const errors = [];
  const body = { append: (/** @type {any} */ frame) => (frames.push(frame), (window.frames[frame.name] = frame)) };
  class Document {
    body = hasBody ? body : null;
    documentElement = {};
    get currentScript() {
      return { dataset: { consentGpp: told } };
    }
    createElement = () => ({ style: {} });
  }
  class MutationObserver {
    /** @param {(records: unknown[], observer: MutationObserver) => void} react */
    constructor(react) {
      this.react = () => react([], this);
    }
    observe = () => observers.push(this.react);
    disconnect = () => observers.splice(observers.indexOf(this.react), 1);
  }
  const fetch = (/** @type {string} */ url, /** @type {any} */ init) =>
    new Promise((resolve, reject) => {
      requests.push({
        url,
        init,
        answer: (json, ok = true) => (resolve({ ok, json: async () => json }), settle()),
        fail: () => (reject(TypeError("offline")), settle()),
      });
    });
  /** @type {any} */
  const window = {
    ...{ AbortSignal, Document, MutationObserver, fetch, document: new Document(), frames: {} },
    addEventListener: (/** @type {string} */ type, /** @type {any} */ handler) => (handlers[type] ??= []).push(handler),
    location: { origin: "https://site.example" },
    navigator: { globalPrivacyControl: hasSignal },
    reportError: (/** @type {unknown} */ error) => errors.push(error),
    ...(foreign && { __gpp: foreign }),
  };
  window.window = window;
  createContext(window);
  const run = (/** @type {string} */ code) => void runInContext(code, window);
  if (hasStub) run(STUB);
  return {
    ...{ window, handlers, requests, frames, observers, errors, body },
    stub: () => run(STUB),
    load: () => run(SCRIPT),
    dispatch: (/** @type {string} */ type, event = {}) => handlers[type]?.forEach((handle) => handle(event)),
  };
}

/** Let what was promised happen. */
const settle = () => new Promise((/** @type {(value?: undefined) => void} */ go) => setImmediate(go));

/** Values of another realm have other prototypes. @param {unknown} value */
export const copy = (value) => JSON.parse(JSON.stringify(value));

/**
 * What a call's callback is given.
 * @param {Page} page
 * @param {string} command
 * @param {unknown} [parameter]
 */
export function ask({ window }, command, parameter) {
  /** @type {unknown[][]} */
  const answers = [];
  const returned = window.__gpp(command, (/** @type {unknown[]} */ ...given) => answers.push(copy(given)), parameter);
  assert.equal(returned, undefined);
  assert.equal(answers.length, 1, "a callback is called at once, and once");
  return answers[0] ?? [];
}

/**
 * Register a listener.
 * @param {Page} page
 * @returns {any[]} The events that it is given from then on, the registration first.
 */
export function listen({ window }) {
  /** @type {any[]} */
  const events = [];
  window.__gpp("addEventListener", (/** @type {unknown} */ event, /** @type {unknown} */ success) => {
    assert.equal(success, true);
    events.push(copy(event));
  });
  return events;
}

/** @param {any[]} events */
export const names = (events) => events.map(({ eventName, data }) => `${eventName} ${data}`);
