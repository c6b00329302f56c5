/**
 * What the server serves, and what it weighs on the wire.
 *
 * Usage: node tools/served_assets.mjs   (prints the table)
 */

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

export const CHECKOUT = fileURLToPath(new URL("..", import.meta.url));

export const SERVED = join(CHECKOUT, "consent", "static", "consent");

/** What a page that asks loads of the library. */
export const ASKING_PAGE = Object.freeze(["consent.js", "banner.css"]);

/** @returns {string[]} Names of the served scripts and stylesheets. */
export function listServed() {
  return readdirSync(SERVED)
    .filter((name) => /\.(css|js)$/.test(name))
    .sort();
}

/**
 * @typedef {object} Weight
 * @property {number} raw Bytes on disk.
 * @property {number} gzip Bytes by gzip, level 9.
 * @property {number} brotli Bytes by brotli, level 11.
 */

/**
 * @param {string} name One of `listServed()`.
 * @returns {Weight}
 */
export function weigh(name) {
  const content = readFileSync(join(SERVED, name));
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11 };
  return {
    raw: content.length,
    gzip: gzipSync(content, { level: 9 }).length,
    brotli: brotliCompressSync(content, { params }).length,
  };
}

/**
 * Weigh files together, each compressed on its own as a server does.
 * @param {readonly string[]} names
 * @returns {Weight}
 */
export function weighTogether(names) {
  const sum = { raw: 0, gzip: 0, brotli: 0 };
  for (const { raw, gzip, brotli } of names.map(weigh)) {
    sum.raw += raw;
    sum.gzip += gzip;
    sum.brotli += brotli;
  }
  return sum;
}

function printTable() {
  const width = 32;
  console.log(`${"bytes".padEnd(width)}${"raw".padStart(8)}${"gzip -9".padStart(9)}${"brotli 11".padStart(11)}`);
  /** @param {string} label @param {Weight} weight */
  const print = (label, { raw, gzip, brotli }) => {
    const columns = [String(raw).padStart(8), String(gzip).padStart(9), String(brotli).padStart(11)];
    console.log(label.padEnd(width) + columns.join(""));
  };
  for (const name of listServed()) print(name, weigh(name));
  print("a page that asks", weighTogether(ASKING_PAGE));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) printTable();
