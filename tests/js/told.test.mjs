import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readState } from "../../consent/static/src/js/state.js";
import { CHECKOUT } from "../../tools/served_assets.mjs";

const VECTORS = JSON.parse(readFileSync(join(CHECKOUT, "tests", "vectors", "signals.json"), "utf8"));

/** Scripts in the page that have spoken to a provider, or say so. @type {{ nonce: string, dataset: Record<string, string> }[]} */
let scripts = [];
class Document {
  /** @param {string} selector */
  querySelectorAll(selector) {
    return scripts.filter(({ dataset }) => selector == `script[data-consent-told="${dataset.consentTold}"]`);
  }
}
Object.assign(globalThis, { Document, document: new Document(), window: globalThis });
const { findStates, listCalls, tellChanges } = await import("../../consent/static/src/js/told.js");

/** @type {[string, unknown[], Record<string, string>][]} As the server sends them. */
const CHANGE = VECTORS.change.map((/** @type {any} */ call) => [call.call, call.arguments, call.when ?? {}]);

/** @param {string} name One of the vectors' states, as the server sends it. */
const state = (name) => readState(JSON.stringify({ ...VECTORS.states[name], needs_prompt: false }));

for (const { name, state: of, told, calls } of VECTORS.cases) {
  test(`states: ${name}`, () => {
    assert.deepEqual(findStates({ rules: VECTORS.rules }, state(of)), told);
  });

  test(`calls: ${name}`, () => {
    assert.deepEqual(listCalls({ change: CHANGE }, told, state(of)), calls);
  });
}

test("what providers get are plain objects and lists, as if the site had written them", () => {
  const [, [, , states]] = /** @type {any} */ (listCalls({ change: CHANGE }, { ad_storage: "denied" }, state("stranger")))[1];

  assert.equal(Object.getPrototypeOf(states), Object.prototype);
});

test("a list of one placeholder stays a list", () => {
  assert.deepEqual(listCalls({ change: [["hear", [["$states"]], {}]] }, { kind: "denied" }, state("stranger")), [
    ["hear", [[{ kind: "denied" }]]],
  ]);
});

const SIGNALS = JSON.stringify([
  { key: "maker", rules: VECTORS.rules, states: VECTORS.cases[0].told, change: [["maker.hear", ["$states"], {}]] },
]);

/**
 * Bring a page into a state, and return what the provider has heard of it.
 * @param {string} name One of the vectors' states.
 * @returns {any[]}
 */
function tell(name) {
  /** @type {any[]} */
  const heard = [];
  const maker = { hear: (/** @type {any} */ states) => heard.push(states) };
  Object.assign(globalThis, { maker, flaskConsent: { state: state(name) } });
  tellChanges(/** @type {any} */ ({ signals: SIGNALS, nonce: "own" }));
  return heard;
}

const makeScript = (nonce = "own") => ({ nonce, dataset: { consentTold: "maker" } });

test("a change is told once", () => {
  scripts = [makeScript()];

  assert.deepEqual(tell("analytics"), [VECTORS.cases[2].told]);
  assert.deepEqual(tell("analytics"), []);
  assert.deepEqual(tell("everything"), [VECTORS.cases[3].told]);
});

test("what the page itself has said is not said again", () => {
  scripts = [makeScript()];

  assert.deepEqual(tell("stranger"), []);
});

test("nobody is told whose tag is not there", () => {
  scripts = [];

  assert.deepEqual(tell("everything"), []);
});

test("markup without the nonce of the response has told nobody anything", () => {
  scripts = [makeScript("")];
  assert.deepEqual(tell("everything"), []);

  scripts = [makeScript(""), makeScript()];
  assert.deepEqual(tell("everything"), [VECTORS.cases[3].told]);
});
