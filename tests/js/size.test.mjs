import assert from "node:assert/strict";
import { test } from "node:test";
import { ASKING_PAGE, weighTogether } from "../../tools/served_assets.mjs";

/** What the design promises; `make size` shows where the bytes are. */
const MOST_BYTES = 3000;

test("script and style of a page that asks keep within their budget", () => {
  const { brotli } = weighTogether(ASKING_PAGE);

  assert.ok(brotli <= MOST_BYTES, `${ASKING_PAGE.join(" + ")}: ${brotli} bytes by brotli, at most ${MOST_BYTES}`);
});
