import assert from "node:assert/strict";
import { test } from "node:test";
import { makePattern } from "../../consent/static/src/js/storage.js";

const MATCHES = Object.freeze([
  ["panel", "panel"],
  ["panel_*", "panel_"],
  ["panel_*", "panel_a"],
  ["panel_*", "panel_a_b"],
  ["panel_*", "panel_\n"],
  ["*_panel", "my_panel"],
  ["_hj*User*", "_hjSessionUser_1"],
  ["a.b", "a.b"],
  ["a+b", "a+b"],
  ["a|b", "a|b"],
  ["^a$", "^a$"],
  ["_ga.é", "_ga.é"],
]);

const OTHERS = Object.freeze([
  ["panel", "panels"],
  ["panel", "my_panel"],
  ["panel", "Panel"],
  ["panel", "panel\n"],
  ["panel", ""],
  ["panel_*", "panel"],
  ["panel_*", "a panel_"],
  ["*_panel", "_panels"],
  ["a.b", "a-b"],
  ["a+b", "aab"],
  ["a|b", "a"],
  ["^a$", "a"],
  ["_ga_*_", "_ga_"],
]);

for (const [name = "", found = ""] of MATCHES) {
  test(`${name} means ${JSON.stringify(found)}`, () => assert.ok(makePattern(name).test(found)));
}

for (const [name = "", found = ""] of OTHERS) {
  test(`${name} does not mean ${JSON.stringify(found)}`, () => assert.ok(!makePattern(name).test(found)));
}
