import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { SERVED, listServed } from "../../tools/served_assets.mjs";

const SCRIPTS = listServed().filter((name) => name.endsWith(".js"));

/** What no served script may do, and how often it may be found all the same: under a strict policy most of it fails. */
const LIMITS = Object.freeze([
  { what: "eval", pattern: /\beval\b/g, most: 0 },
  { what: "the Function constructor", pattern: /\bFunction\b/g, most: 0 },
  { what: "a timer that takes a string", pattern: /\bset(Timeout|Interval)\(["'`]/g, most: 0 },
  { what: "insertAdjacentHTML", pattern: /\binsertAdjacentHTML\b/g, most: 0 },
  { what: "outerHTML", pattern: /\bouterHTML\b/g, most: 0 },
  { what: "document.write", pattern: /\.write(ln)?\b/g, most: 0 },
  { what: "innerHTML, but for held markup", pattern: /\binnerHTML\b/g, most: 1 },
  { what: "cookies", pattern: /\bcookie\b/g, most: 0 },
  { what: "a style attribute", pattern: /setAttribute\(["'`]style|\bcssText\b|style=/g, most: 0 },
  { what: "an inline handler", pattern: /setAttribute\(["'`]on/g, most: 0 },
  { what: "a javascript: address", pattern: /\bjavascript:/g, most: 0 },
  { what: "a source map", pattern: /sourceMappingURL/g, most: 0 },
]);

test("the runtime is among the served scripts", () => {
  assert.ok(SCRIPTS.includes("consent.js"));
});

for (const name of SCRIPTS) {
  const code = readFileSync(join(SERVED, name), "utf8");

  for (const { what, pattern, most } of LIMITS) {
    test(`${name} leaves out ${what}`, () => {
      assert.ok((code.match(pattern) ?? []).length <= most, String(pattern));
    });
  }
}
