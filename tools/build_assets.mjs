/**
 * Write the scripts and stylesheets that the server serves, minified, from their sources.
 *
 * They are committed, so that installing the package needs no Node. The same sources always give the same bytes.
 *
 * Usage: node tools/build_assets.mjs [--check]   (--check writes nothing and fails when the committed files are stale)
 */

import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { CHECKOUT, SERVED, listServed } from "./served_assets.mjs";

const SOURCES = join(CHECKOUT, "consent", "static", "src");

/** Scripts that are served, and how the page loads each; every other module is a part of one of them. */
const SCRIPTS = /** @type {const} */ ({
  "consent.js": "iife",
  "gpp.js": "iife",
  "gpp_stub.js": "iife",
  "preferences.js": "esm",
  "chosen.js": "esm",
  "signal.js": "iife",
});

/**
 * The oldest browsers that the runtime is for, all of March 2023. Newer syntax is rewritten for them where that can be
 * done, and stops the build where it cannot. Older ones get the pages that need no script.
 */
const BROWSER_FLOOR = ["chrome111", "firefox111", "safari16.4"];

/** @type {import("esbuild").BuildOptions & { write: false }} */
const OPTIONS = {
  absWorkingDir: CHECKOUT,
  bundle: true,
  charset: "utf8",
  legalComments: "none",
  minify: true,
  target: BROWSER_FLOOR,
  // What tsconfig.json says is for the type checker: by its `strict` each script would begin with a directive.
  tsconfigRaw: {},
  write: false,
};

/** @returns {Promise<Map<string, Uint8Array>>} Content by the name of the served file. */
async function buildAll() {
  const scripts = Object.entries(SCRIPTS).filter(([name]) => existsSync(join(SOURCES, "js", name)));
  const stylesheets = readdirSync(join(SOURCES, "css")).filter((name) => name.endsWith(".css"));
  const built = [
    ...scripts.map(([name, format]) => buildOne(name, join(SOURCES, "js", name), { ...OPTIONS, format })),
    ...stylesheets.sort().map((name) => buildOne(name, join(SOURCES, "css", name), OPTIONS)),
  ];
  return new Map(await Promise.all(built));
}

/**
 * @param {string} name
 * @param {string} source
 * @param {import("esbuild").BuildOptions & { write: false }} options
 * @returns {Promise<[string, Uint8Array]>}
 */
async function buildOne(name, source, options) {
  const { outputFiles, warnings } = await build({ ...options, entryPoints: [source], outfile: join(SERVED, name) });
  const [output] = outputFiles;
  // esbuild has printed them.
  if (warnings.length > 0 || output === undefined) throw new Error(`${name} was not built: mend the warnings first.`);
  return [name, output.contents];
}

/**
 * Names of the committed files that differ from what the sources give, files without a source included.
 * @param {ReadonlyMap<string, Uint8Array>} built
 * @returns {string[]}
 */
function findStale(built) {
  const names = new Set([...built.keys(), ...listServed()]);
  return [...names].sort().filter((name) => {
    const path = join(SERVED, name);
    const content = built.get(name);
    return content === undefined || !existsSync(path) || !readFileSync(path).equals(content);
  });
}

/** @param {ReadonlyMap<string, Uint8Array>} built */
function write(built) {
  mkdirSync(SERVED, { recursive: true });
  for (const name of findStale(built)) {
    const content = built.get(name);
    if (content === undefined) rmSync(join(SERVED, name));
    else writeFileSync(join(SERVED, name), content);
    console.log(`${content === undefined ? "removed" : "wrote"} ${name}`);
  }
}

/** @param {ReadonlyMap<string, Uint8Array>} built */
function check(built) {
  const stale = findStale(built);
  if (stale.length === 0) return;
  console.error(`These served files are not what their sources give: ${stale.join(", ")}. Run: make assets`);
  process.exitCode = 1;
}

const built = await buildAll();
if (process.argv.includes("--check")) check(built);
else write(built);
