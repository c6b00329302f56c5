import assert from "node:assert/strict";
import { test } from "node:test";
import { IN, OUT, SEGMENTS, ask, copy, listen, names, openPage } from "./gpp_window.mjs";

/** @typedef {import("./gpp_window.mjs").Page} Page */

const COMMANDS = ["ping", "addEventListener", "removeEventListener", "hasSection", "getSection", "getField", "x.y"];

// --- The stub ---------------------------------------------------------------------------------------------------------

test("the stub says that nothing is known yet", () => {
  assert.deepEqual(ask(openPage(), "ping"), [
    {
      gppVersion: "1.1",
      cmpStatus: "stub",
      cmpDisplayStatus: "hidden",
      signalStatus: "not ready",
      supportedAPIs: ["7:usnat", "8:usca"],
      cmpId: 1,
      sectionList: [],
      applicableSections: [0],
      gppString: "",
      parsedSections: {},
    },
    true,
  ]);
});

for (const command of ["hasSection", "getSection", "getField"]) {
  test(`the stub answers ${command} at once, with nothing`, () => {
    assert.deepEqual(ask(openPage(), command, "usca"), [null, true]);
  });
}

test("calls that the stub cannot answer are answered later, in their order", () => {
  const page = openPage();
  /** @type {unknown[]} */
  const answers = [];
  for (const name of ["usca.one", "usca.two", "usca.three"]) {
    page.window.__gpp(name, (/** @type {unknown} */ data, /** @type {unknown} */ success) => answers.push([name, data, success]));
  }
  assert.deepEqual(answers, []);

  page.load();

  assert.deepEqual(answers, [["usca.one", null, false], ["usca.two", null, false], ["usca.three", null, false]]);
});

test("a stub that is brought again changes nothing", () => {
  const page = openPage();
  const before = page.window.__gpp;
  page.stub();

  assert.equal(page.window.__gpp, before);
  assert.equal(page.frames.length, 1);
  assert.equal(page.handlers.message?.length, 1);
});

test("listeners of the stub keep their ids, and new ones get others", () => {
  const page = openPage();
  const [first, second] = [listen(page), listen(page)];
  page.load();
  const third = listen(page);

  assert.deepEqual([first, second, third].map((events) => events[0].listenerId), [1, 2, 3]);
  assert.equal(first.at(-1).listenerId, 1);
});

test("a listener that the stub has removed hears nothing", () => {
  const page = openPage();
  const events = listen(page);

  assert.deepEqual(ask(page, "removeEventListener", 1), [true, true]);
  assert.deepEqual(ask(page, "removeEventListener", 1), [false, true]);
  page.load();
  assert.deepEqual(names(events), ["listenerRegistered true"]);
});

// --- Frames -----------------------------------------------------------------------------------------------------------

test("frames find the page by one hidden locator", () => {
  const { frames } = openPage();

  assert.deepEqual(copy(frames), [{ name: "__gppLocator", style: { display: "none" } }]);
});

test("the locator waits for the body", () => {
  const page = openPage({ hasBody: false });
  page.observers[0]?.();
  assert.equal(page.frames.length, 0);

  page.window.document.body = page.body;
  page.observers[0]?.();

  assert.equal(page.frames.length, 1);
  assert.equal(page.observers.length, 0);
});

/** @param {Page} page @param {unknown} data @param {string} [origin] */
function post(page, data, origin = "https://ads.example") {
  /** @type {unknown[]} */
  const replies = [];
  const source = { postMessage: (/** @type {unknown} */ reply, /** @type {any} */ { targetOrigin }) => replies.push([reply, targetOrigin]) };
  page.dispatch("message", { data, origin, source });
  return replies;
}

for (const isText of [false, true]) {
  test(`a frame is answered in the way it asks: ${isText ? "text" : "object"}`, () => {
    const page = openPage();
    page.load();
    const message = { __gppCall: { command: "hasSection", parameter: "usca", version: "1.1", callId: "a" } };
    const [[reply, target]] = /** @type {any} */ (post(page, isText ? JSON.stringify(message) : message));

    assert.deepEqual(isText ? JSON.parse(reply) : copy(reply), { __gppReturn: { returnValue: true, success: true, callId: "a" } });
    assert.equal(target, "https://ads.example");
  });
}

test("a sandboxed frame is answered too", () => {
  const [[, target]] = /** @type {any} */ (post(openPage(), { __gppCall: { command: "ping", callId: 1 } }, "null"));

  assert.equal(target, "*");
});

for (const data of [null, 1, "", "{", "__gppCall", "[]", '{"__gppCall": null}', {}, { __gppCall: null }, { other: 1 }]) {
  test(`other messages are none of ours: ${JSON.stringify(data)}`, () => {
    assert.deepEqual(post(openPage(), data), []);
  });
}

// --- The API ----------------------------------------------------------------------------------------------------------

for (const command of COMMANDS) {
  test(`${command} returns nothing, with a callback and without`, () => {
    const page = openPage();
    for (const step of [() => {}, page.load]) {
      step();
      assert.equal(page.window.__gpp(command, () => 1, "usca"), undefined);
      assert.equal(page.window.__gpp(command), undefined);
    }
    assert.deepEqual(page.errors, []);
  });
}

test("what the server knows is there at once", () => {
  const page = openPage();
  const events = listen(page);
  page.load();

  assert.deepEqual(names(events), ["listenerRegistered true", "cmpStatus loaded", "signalStatus ready"]);
  const [ping] = /** @type {[any]} */ (ask(page, "ping"));
  assert.deepEqual({ ...ping, ...OUT }, ping);
  assert.deepEqual([ping.cmpStatus, ping.signalStatus, ping.cmpId], ["loaded", "ready", 1]);
  assert.deepEqual(page.requests, []);
});

/** @type {[string, string, unknown[]][]} */
const ANSWERS = [
  ["hasSection", "usca", [true, true]],
  ["hasSection", "usnat", [false, true]],
  ["hasSection", "__proto__", [false, true]],
  ["getSection", "usca", [copy(SEGMENTS), true]],
  ["getSection", "usnat", [null, false]],
  ["getSection", "toString", [null, false]],
  ["getField", "usca.SaleOptOut", [1, true]],
  ["getField", "usca.SensitiveDataProcessing", [[0, 0], true]],
  ["getField", "usca.Gpc", [true, true]],
  ["getField", "usca.toString", [null, false]],
  ["getField", "usca.SaleOptOut.x", [null, false]],
  ["getField", "usca", [null, false]],
  ["getField", "usnat.Gpc", [null, false]],
  ["getVendorList", "usca", [null, false]],
];

for (const [command, parameter, answer] of ANSWERS) {
  test(`${command} ${parameter} is answered with ${JSON.stringify(answer)}`, () => {
    const page = openPage();
    page.load();

    assert.deepEqual(ask(page, command, parameter), answer);
  });
}

test("nobody can change what others are told", () => {
  const page = openPage();
  page.load();
  page.window.__gpp("getSection", (/** @type {any} */ segments) => (segments[0].SaleOptOut = 2), "usca");
  page.window.__gpp("ping", (/** @type {any} */ ping) => ping.applicableSections.push(7));

  assert.deepEqual(ask(page, "getField", "usca.SaleOptOut"), [1, true]);
  assert.deepEqual(/** @type {any} */ (ask(page, "ping")[0]).applicableSections, [8]);
});

test("a listener that fails keeps the others from nothing", () => {
  const page = openPage();
  page.window.__gpp("addEventListener", ({ eventName = "" }) => {
    if (eventName != "listenerRegistered") throw Error(eventName);
  });
  const events = listen(page);
  page.load();

  assert.equal(names(events).at(-1), "signalStatus ready");
  assert.deepEqual(page.errors.map(String), ["Error: cmpStatus", "Error: signalStatus"]);
});

test("a listener that another one removes hears no more", () => {
  const page = openPage();
  page.window.__gpp("addEventListener", () => page.window.__gpp("removeEventListener", () => {}, 2));
  const events = listen(page);
  page.load();

  assert.deepEqual(names(events), ["listenerRegistered true"]);
});

// --- Changes ----------------------------------------------------------------------------------------------------------

test("what the server did not tell is asked for", async () => {
  const page = openPage({ gpp: null });
  const events = listen(page);
  page.load();
  const [request] = page.requests;

  assert.equal(request?.url, "https://site.example/choices/gpp");
  assert.equal(request?.init.cache, "no-store");
  assert.equal(/** @type {any} */ (ask(page, "ping")[0]).signalStatus, "not ready");
  await request?.answer(OUT);
  assert.deepEqual(names(events).slice(1), ["cmpStatus loaded", "sectionChange usca", "signalStatus ready"]);
});

test("a signal that the server has not seen is told to it, and what it said before counts for nothing", async () => {
  const page = openPage({ gpp: IN, hasSignal: true });
  const events = listen(page);
  page.load();

  assert.deepEqual(page.requests.map(({ url }) => url), ["https://site.example/choices/gpp?gpc=1"]);
  assert.deepEqual(names(events).slice(1), ["cmpStatus loaded"]);
  await page.requests[0]?.answer(OUT);
  assert.deepEqual(names(events).slice(2), ["sectionChange usca", "signalStatus ready"]);
});

test("a signal that the server has seen is not told again", () => {
  const page = openPage({ gpp: OUT, hasSignal: true });
  page.load();

  assert.deepEqual(page.requests, []);
});

test("a change begins and ends with the signal's status", async () => {
  const page = openPage();
  page.load();
  const events = listen(page);

  page.dispatch("consent:change");
  await page.requests[0]?.answer(IN);

  assert.deepEqual(names(events).slice(1), ["signalStatus not ready", "sectionChange usca", "signalStatus ready"]);
  assert.deepEqual(
    events.slice(1).map(({ pingData }) => [pingData.signalStatus, pingData.gppString]),
    [["not ready", OUT.gppString], ["not ready", IN.gppString], ["ready", IN.gppString]],
  );
});

test("a choice that leaves the sections as they were changes none", async () => {
  const page = openPage();
  page.load();
  const events = listen(page);

  page.dispatch("consent:change");
  await page.requests[0]?.answer(OUT);

  assert.deepEqual(names(events).slice(1), ["signalStatus not ready", "signalStatus ready"]);
});

test("where no section applies any more, the page is told so", async () => {
  const page = openPage();
  page.load();
  page.dispatch("consent:change");
  await page.requests[0]?.answer(null);

  const [ping] = /** @type {[any]} */ (ask(page, "ping"));
  assert.deepEqual([ping.applicableSections, ping.sectionList, ping.signalStatus], [[-1], [], "ready"]);
});

for (const fail of ["fail", "refuse", "{}", "list", "text", "sections"]) {
  test(`without a good answer nobody may go by what was: ${fail}`, async () => {
    const page = openPage();
    page.load();
    const events = listen(page);
    page.dispatch("consent:change");
    const [request] = page.requests;
    if (fail == "fail") await request?.fail();
    else if (fail == "refuse") await request?.answer(IN, false);
    else if (fail == "{}") await request?.answer({});
    else if (fail == "list") await request?.answer({ ...IN, applicableSections: 8 });
    else if (fail == "text") await request?.answer({ ...IN, gppString: null });
    else await request?.answer({ ...IN, parsedSections: { usca: {} } });

    assert.deepEqual(names(events).slice(1), ["signalStatus not ready"]);
    assert.equal(/** @type {any} */ (ask(page, "ping")[0]).gppString, OUT.gppString);
  });
}

test("slow news from before a later choice is no news", async () => {
  const page = openPage();
  page.load();
  const events = listen(page);
  page.dispatch("consent:change");
  page.dispatch("consent:change");
  await page.requests[1]?.answer(IN);
  await page.requests[0]?.answer({ ...OUT, gppString: "old" });

  assert.deepEqual(names(events).slice(1), ["signalStatus not ready", "sectionChange usca", "signalStatus ready"]);
  assert.equal(/** @type {any} */ (ask(page, "ping")[0]).gppString, IN.gppString);
});

// --- Where something is wrong -----------------------------------------------------------------------------------------

for (const hasStub of [true, false]) {
  test(`another tool's API is left alone, ${hasStub ? "by the stub too" : "by the script"}`, () => {
    const foreign = () => {};
    const page = openPage({ foreign, hasStub });
    page.load();

    assert.equal(page.window.__gpp, foreign);
    assert.deepEqual([page.frames, page.handlers, page.requests], [[], {}, []]);
  });
}

for (const told of ["", "{", "null", '{"url": "/gpp", "gpp": {}}', '{"url": "/gpp", "gpp": [1]}']) {
  test(`a damaged page leaves the stub, which is never ready: ${told}`, () => {
    const page = openPage({ told });
    page.load();

    assert.equal(/** @type {any} */ (ask(page, "ping")[0]).cmpStatus, "stub");
  });
}

test("the script does nothing without its stub", () => {
  const page = openPage({ hasStub: false });
  page.load();

  assert.equal(page.window.__gpp, undefined);
});
