import assert from "node:assert/strict";
import { test } from "node:test";
import { follow, settle } from "../../consent/static/src/js/switches.js";

/** @typedef {import("../../consent/static/src/js/switches.js").Switch} Switch */

/**
 * A panel: the purposes "1", "2" …, and services by name, each with its purposes.
 * @param {Readonly<Record<string, string>>} needsByService
 */
function makePanel(needsByService) {
  /** @type {Map<string, Switch>} */
  const purposes = new Map();
  for (const number of Object.values(needsByService).join(" ").split(" ")) {
    purposes.set(number, { checked: false, indeterminate: false });
  }
  const services = Object.entries(needsByService).map(([name, numbers]) => ({
    name,
    input: { checked: false, indeterminate: false },
    needs: numbers.split(" ").map((number) => /** @type {Switch} */ (purposes.get(number))),
  }));
  const switches = new Map([...purposes, ...services.map(({ name, input }) => /** @type {const} */ ([name, input]))]);
  return {
    names: [...switches.keys()],
    services,
    purposes,
    /** @param {string} name What the visitor presses. */
    press(name) {
      const pressed = /** @type {Switch} */ (switches.get(name));
      // As browsers do.
      pressed.checked = !pressed.checked;
      pressed.indeterminate = false;
      follow(services, pressed);
      settle([...purposes.values()], services);
    },
    /** @param {string} name */
    shows(name) {
      const { checked, indeterminate } = /** @type {Switch} */ (switches.get(name));
      return indeterminate ? "mixed" : checked ? "on" : "off";
    },
    /** Everything that is shown, such as `1:mixed a:on b:off`. */
    get picture() {
      return this.names.map((name) => `${name}:${this.shows(name)}`).join(" ");
    },
  };
}

const STORIES = /** @type {const} */ ([
  ["a purpose takes its services along", { a: "1", b: "1" }, ["1"], "1:on a:on b:on"],
  ["a purpose that goes off takes its services along", { a: "1", b: "1" }, ["1", "1"], "1:off a:off b:off"],
  ["one service alone makes its purpose mixed", { a: "1", b: "1" }, ["a"], "1:mixed a:on b:off"],
  ["one service off leaves the others as they are", { a: "1", b: "1", c: "1" }, ["1", "b"], "1:mixed a:on b:off c:on"],
  ["the last service off makes its purpose off", { a: "1", b: "1" }, ["1", "a", "b"], "1:off a:off b:off"],
  ["all services on make their purpose on", { a: "1", b: "1" }, ["a", "b"], "1:on a:on b:on"],
  ["a mixed purpose goes on when it is pressed", { a: "1", b: "1" }, ["a", "1"], "1:on a:on b:on"],
  ["another purpose stays as it is", { a: "1", b: "2" }, ["1"], "1:on 2:off a:on b:off"],
  ["a service of two purposes waits for both", { a: "1", b: "1 2", c: "2" }, ["1"], "1:on 2:off a:on b:off c:off"],
  ["and goes on with both", { a: "1", b: "1 2", c: "2" }, ["1", "2"], "1:on 2:on a:on b:on c:on"],
  ["it alone makes both mixed", { a: "1", b: "1 2", c: "2" }, ["b"], "1:mixed 2:mixed a:off b:on c:off"],
  ["off, it leaves its neighbours on", { a: "1", b: "1 2", c: "2" }, ["1", "2", "b"], "1:mixed 2:mixed a:on b:off c:on"],
  ["on again, it is as before", { a: "1", b: "1 2", c: "2" }, ["1", "2", "b", "b"], "1:on 2:on a:on b:on c:on"],
  ["one of its purposes off takes it along", { a: "1", b: "1 2", c: "2" }, ["1", "2", "1"], "1:off 2:on a:off b:off c:on"],
  ["a neighbour on does not open it", { a: "1", b: "1 2", c: "2" }, ["2", "a"], "1:mixed 2:on a:on b:off c:on"],
]);

for (const [name, needs, presses, expected] of STORIES) {
  test(name, () => {
    const panel = makePanel(needs);

    for (const each of presses) panel.press(each);

    assert.equal(panel.picture, expected);
  });
}

test("a purpose that was not granted stays so while another is changed, with all its services on, too", () => {
  const panel = makePanel({ a: "1", b: "2" });
  // As stored: the visitor granted the service and not the purpose.
  for (const { name, input } of panel.services) input.checked = name == "a";

  panel.press("2");

  assert.equal(panel.picture, "1:mixed 2:on a:on b:on");
});

test("a purpose without services is never mixed", () => {
  const purpose = { checked: false, indeterminate: false };

  settle([purpose], []);

  assert.equal(purpose.indeterminate, false);
});

/** Each way in which up to three services can share up to three purposes. */
function* listPolicies() {
  const choices = ["1", "2", "3", "1 2", "1 3", "2 3", "1 2 3"];
  for (const a of choices) for (const b of choices) for (const c of choices) yield { a, b, c };
}

/**
 * Each picture that can be reached, and what a press leads to from there.
 * @param {Readonly<Record<string, string>>} needs
 * @param {(before: ReturnType<typeof makePanel>, pressed: string, after: ReturnType<typeof makePanel>) => void} check
 */
function walk(needs, check) {
  const seen = new Set();
  /** @type {string[][]} */
  const paths = [[]];
  for (let path; (path = paths.pop()); ) {
    for (const pressed of makePanel(needs).names) {
      const [before, after] = [makePanel(needs), makePanel(needs)];
      for (const each of path) {
        before.press(each);
        after.press(each);
      }
      after.press(pressed);
      check(before, pressed, after);
      if (!seen.has(after.picture)) paths.push([...path, pressed]);
      seen.add(after.picture);
    }
  }
}

test("whatever is pressed: the switch does as it was told, and what is shown is what the server will grant", () => {
  for (const needs of listPolicies()) {
    walk(needs, (before, pressed, after) => {
      const story = `${JSON.stringify(needs)}: ${before.picture}, press ${pressed}: ${after.picture}`;
      assert.equal(after.shows(pressed), before.shows(pressed) == "on" ? "off" : "on", story);
      for (const service of after.services) {
        // What the server makes of the posted form: a purpose grants its services, one of several purposes needs all.
        const isGranted = service.input.checked || service.needs.every((purpose) => purpose.checked);
        assert.equal(after.shows(service.name) == "on", isGranted, story);
      }
    });
  }
});

test("whatever is pressed: a press of a service opens no other, and switching off opens nothing", () => {
  for (const needs of listPolicies()) {
    walk(needs, (before, pressed, after) => {
      const story = `${JSON.stringify(needs)}: ${before.picture}, press ${pressed}: ${after.picture}`;
      const isOff = after.shows(pressed) != "on";
      for (const { name } of after.services) {
        if (name == pressed || before.shows(name) == "on" || after.shows(name) != "on") continue;
        assert.ok(!isOff && pressed in Object.fromEntries(before.purposes), story);
      }
      if (isOff) for (const name of before.purposes.keys()) assert.ok(before.shows(name) == "on" || after.shows(name) != "on", story);
    });
  }
});
