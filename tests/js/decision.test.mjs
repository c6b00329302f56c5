import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { hasClosed, isOpen } from "../../consent/static/src/js/decision.js";
import { readState } from "../../consent/static/src/js/state.js";
import { CHECKOUT } from "../../tools/served_assets.mjs";

const VECTORS = JSON.parse(readFileSync(join(CHECKOUT, "tests", "vectors", "gate.json"), "utf8"));

/** @param {string} name One of the vectors' states, as the server sends it. */
const state = (name) => readState(JSON.stringify({ ...VECTORS.states[name], needs_prompt: false }));

for (const { name, state: of, keys, is_open } of VECTORS.gates) {
  test(`gate is ${is_open ? "open" : "shut"}: ${name}`, () => {
    assert.equal(isOpen(state(of), keys), is_open);
  });
}

for (const { name, before, after, has_closed } of VECTORS.changes) {
  test(`change ${has_closed ? "closes something" : "closes nothing"}: ${name}`, () => {
    assert.equal(hasClosed(state(before), state(after)), has_closed);
  });
}

test("what the site no longer declares counts as closed, since the page may still run it", () => {
  const after = readState('{"choices": {"necessary": "granted"}, "services": {}, "needs_prompt": true}');

  assert.equal(hasClosed(state("analytics"), after), true);
});

test("only the word itself grants", () => {
  for (const word of ["true", "Granted", "granted ", "", 1, true, ["granted"], null]) {
    const odd = readState(JSON.stringify({ choices: { necessary: "granted", analytics: word }, services: {}, needs_prompt: false }));

    assert.equal(isOpen(odd, ["analytics"]), false, JSON.stringify(word));
  }
});

test("nothing that a page puts into the prototype of all objects opens a gate or hides a closing", () => {
  const prototype = /** @type {any} */ (Object.prototype);
  const before = state("everything");
  const after = state("stranger");
  prototype.unknown = "granted";
  try {
    assert.equal(isOpen(after, ["unknown"]), false);
    assert.equal(hasClosed(before, after), true);
  } finally {
    delete prototype.unknown;
  }
});

test("patched methods of lists open nothing", () => {
  const { every, some } = Array.prototype;
  Object.assign(Array.prototype, { every: () => true, some: () => true });
  try {
    assert.equal(isOpen(state("stranger"), ["analytics"]), false);
  } finally {
    Object.assign(Array.prototype, { every, some });
  }
});
