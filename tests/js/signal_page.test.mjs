import assert from "node:assert/strict";
import { test } from "node:test";
import { openPage } from "../../consent/static/src/js/signal_page.js";

const PAGE = Object.freeze({
  url: "/privacy-choices/",
  state_url: "/privacy-choices/state?gpc=unasked",
  state: {
    choices: { analytics: "granted", marketing: "denied", necessary: "granted", profiling: "denied" },
    decided_at: null,
    services: { ads: "denied", chat: "denied" },
  },
});
const TOLD = Object.freeze({
  url: "/privacy-choices/gpc",
  state_url: "/privacy-choices/state",
  opens: ["ads", "marketing"],
  reload: true,
});

/**
 * @param {Partial<import("../../consent/static/src/js/signal_page.js").Told>} [changes]
 * @param {boolean} [isShown]
 */
const open = (changes, isShown = true) => JSON.parse(openPage(JSON.stringify(PAGE), { ...TOLD, ...changes }, isShown));

test("what the signal would close opens, and nothing else", () => {
  const { state } = open();

  assert.deepEqual(state.choices, { ...PAGE.state.choices, marketing: "granted" });
  assert.deepEqual(state.services, { ads: "granted", chat: "denied" });
});

test("the state is read from then on as the server sees it", () => {
  assert.equal(open().state_url, "/privacy-choices/state");
});

test("a page that is rendered ahead opens nothing, but knows where to ask", () => {
  assert.deepEqual(open({}, false), { ...PAGE, state_url: "/privacy-choices/state" });
});

test("everything else stays as it was sent, in its order", () => {
  const expected = JSON.stringify(PAGE).replace('marketing":"denied', 'marketing":"granted').replace('ads":"denied', 'ads":"granted');

  assert.equal(openPage(JSON.stringify(PAGE), TOLD, true), expected.replace("?gpc=unasked", ""));
});

for (const key of ["unheard-of", "__proto__", "toString", ""]) {
  test(`a key that the page does not have adds nothing: ${key}`, () => {
    assert.deepEqual(open({ opens: [key] }).state, PAGE.state);
  });
}

test("patched iterators do not matter", () => {
  const { [Symbol.iterator]: iterator } = Array.prototype;
  Array.prototype[Symbol.iterator] = () => assert.fail("it was used");
  try {
    assert.match(openPage(JSON.stringify(PAGE), TOLD, true), /"marketing":"granted"/);
  } finally {
    Array.prototype[Symbol.iterator] = iterator;
  }
});

for (const text of ["", "{", "null", "{}", '{"state": null}', '{"state": {"choices": {}}}']) {
  test(`a damaged page is an error: ${text}`, () => {
    assert.throws(() => openPage(text, TOLD, true), (error) => error instanceof SyntaxError || error instanceof TypeError);
  });
}

test("a damaged word of the server's is an error", () => {
  // @ts-expect-error: what it is typed for
  assert.throws(() => openPage(JSON.stringify(PAGE), { state_url: "/privacy-choices/state" }, true), TypeError);
});
