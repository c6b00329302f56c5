/**
 * Write and read GPP strings with the IAB's own package, to compare with.
 *
 * Reads JSON lines: `{"sections": {prefix: {field: value, …}}, "text": a string to read}`.
 * Writes one line each: `{"text": what it wrote, "sections": what it read}`.
 */

import { createInterface } from "node:readline";
import { GppModel } from "@iabgpp/cmpapi";

/** @param {Record<string, Record<string, unknown>>} sections */
function encode(sections) {
  const model = new GppModel();
  for (const [prefix, values] of Object.entries(sections)) {
    for (const [name, value] of Object.entries(values)) model.setFieldValue(prefix, name, value);
  }
  return model.encode();
}

for await (const line of createInterface({ input: process.stdin })) {
  const { sections, text } = JSON.parse(line);
  console.log(JSON.stringify({ text: encode(sections), sections: new GppModel(text).toObject() }));
}
