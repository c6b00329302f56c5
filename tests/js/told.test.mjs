import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readState } from "../../consent/static/src/js/state.js";
import { CHECKOUT } from "../../tools/served_assets.mjs";

const VECTORS = JSON.parse(readFileSync(join(CHECKOUT, "tests", "vectors", "signals.json"), "utf8"));

// What the modules read when they are loaded; none of it is used here.
Object.assign(globalThis, { Document: class {} });
const { findStates, listCalls } = await import("../../consent/static/src/js/told.js");

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
