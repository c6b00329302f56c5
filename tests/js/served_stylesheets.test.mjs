import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { CHECKOUT, SERVED } from "../../tools/served_assets.mjs";

const SOURCES = join(CHECKOUT, "consent", "static", "src", "css");

/** What a minifier that knows less than browsers do drops, or rewrites for older ones. */
const CONSTRUCTS = ["@container", "@layer", "@media", "@supports", ":has(", ":not(", "clamp(", "light-dark(", "min("];

for (const name of readdirSync(SOURCES)) {
  const source = readFileSync(join(SOURCES, name), "utf8").replace(/\/\*.*?\*\//gs, "");
  const served = readFileSync(join(SERVED, name), "utf8");

  test(`${name} keeps its modern constructs when minified`, () => {
    assert.deepEqual(countConstructs(served), countConstructs(source));
  });

  test(`${name} keeps its properties when minified, prefixed or physical ones are not added`, () => {
    assert.deepEqual(listProperties(served), listProperties(source));
  });

  test(`${name} keeps the order of layers first`, () => {
    assert.match(served, /^@layer pvc\.tokens,pvc\.base,pvc\.components;/);
  });
}

/** @param {string} css */
function countConstructs(css) {
  return Object.fromEntries(CONSTRUCTS.map((construct) => [construct, css.split(construct).length - 1]));
}

/** @param {string} css */
function listProperties(css) {
  return [...new Set(css.match(/(?<=[{;]\s*)[a-z-]+(?=\s*:)/g))].sort();
}
