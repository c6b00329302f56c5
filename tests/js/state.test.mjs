import assert from "node:assert/strict";
import { test } from "node:test";
import { parse, readState } from "../../consent/static/src/js/state.js";

const STATE = Object.freeze({
  choices: { necessary: "granted", analytics: "denied" },
  services: { stats: "denied" },
  regime: "opt_in",
  needs_prompt: true,
  policy_version: "29464681a4d7541c",
  decided_at: null,
});

/** Answers that are no state; an array, a word or a number is no list of choices. */
const OTHERS = Object.freeze([
  "",
  " ",
  "<!doctype html><title>Sign in</title>",
  "null",
  "true",
  "0",
  '"granted"',
  "[]",
  "{}",
  '{"error": "not_recorded", "message": "The choice could not be recorded; nothing was granted."}',
  `${JSON.stringify(STATE)} `.repeat(2),
  JSON.stringify(STATE).slice(0, -1),
  JSON.stringify({ ...STATE, choices: null }),
  JSON.stringify({ ...STATE, choices: "granted" }),
  JSON.stringify({ ...STATE, choices: ["necessary", "analytics"] }),
  JSON.stringify({ ...STATE, choices: { statistics: "granted" } }),
  JSON.stringify({ ...STATE, services: null }),
  JSON.stringify({ ...STATE, choices: undefined }),
  JSON.stringify({ ...STATE, services: undefined }),
  JSON.stringify({ ...STATE, needs_prompt: undefined }),
  JSON.stringify({ ...STATE, needs_prompt: null }),
  JSON.stringify({ ...STATE, needs_prompt: "false" }),
  JSON.stringify({ ...STATE, needs_prompt: 0 }),
]);

test("a state is read as it was sent", () => {
  assert.equal(JSON.stringify(readState(JSON.stringify(STATE))), JSON.stringify(STATE));
});

test("members that a later server adds are kept", () => {
  const state = readState(JSON.stringify({ ...STATE, jurisdiction: "FR" }));

  assert.equal(Reflect.get(state, "jurisdiction"), "FR");
});

test("a state is frozen, all of it", () => {
  const state = readState(JSON.stringify(STATE));

  for (const each of [state, state.choices, state.services]) assert.ok(Object.isFrozen(each));
});

for (const text of OTHERS) {
  test(`anything else is an error: ${text.slice(0, 100)}`, () => {
    assert.throws(() => readState(text), (error) => error instanceof SyntaxError || error instanceof TypeError);
  });
}

test("what is parsed has no prototype, at any depth and in lists", () => {
  const { deep } = parse('{"deep": [{"entry": {}}]}');

  for (const each of [deep, deep[0], deep[0].entry]) assert.equal(Object.getPrototypeOf(each), null);
});

test("a prototype that was sent becomes a mere name", () => {
  const { choices } = parse('{"choices": {"__proto__": {"analytics": "granted"}}}');

  assert.equal(Object.getPrototypeOf(choices), null);
  assert.equal(choices.analytics, undefined);
});

test("a list keeps its entries, by number", () => {
  assert.deepEqual(Object.values(parse('[{"name": "one"}, {"name": "two"}]')).map(({ name }) => name), ["one", "two"]);
});
