/**
 * The `__gpp` API: commands and events, over what the server has said.
 *
 * Source: IAB Tech Lab, CMP API 1.1.
 */

/**
 * What the server says of a visitor in the words of GPP.
 * @typedef {object} Gpp
 * @property {string} gppString
 * @property {readonly number[]} applicableSections
 * @property {readonly number[]} sectionList
 * @property {Readonly<Record<string, readonly object[]>>} parsedSections Segments by section.
 */

/**
 * What the stub has kept until now.
 * @typedef {object} Held
 * @property {unknown[][]} queue Arguments of the calls that it could not answer, in their order.
 * @property {{ listenerId: number, callback: Function }[]} listeners
 * @property {number} lastId
 */

/**
 * @typedef {object} Api
 * @property {(command: unknown, callback?: unknown, parameter?: unknown) => void} call What `__gpp` is.
 * @property {(first: Gpp | null) => void} load Say that the API has loaded, with what is known; null if it is still to be asked for.
 * @property {() => void} wait Say that a change has begun: nobody may go by what was.
 * @property {(next: Gpp) => void} apply Say what is new, and that it can be gone by.
 */

/** Where no section applies, or nothing is known yet. */
const NOTHING = Object.freeze({ gppString: "", applicableSections: [-1], sectionList: [], parsedSections: {} });

/**
 * Read what the server answers, strictly. `null` is its word for a place where no section applies.
 * @param {any} gpp
 * @returns {Gpp}
 * @throws {TypeError} For any other shape.
 */
export function readGpp(gpp) {
  if (gpp === null) return NOTHING;
  const { gppString, applicableSections, sectionList, parsedSections } = gpp;
  const isWhole = Array.isArray(applicableSections) && Array.isArray(sectionList) && typeof gppString == "string";
  if (!isWhole || !parsedSections || !Object.values(parsedSections).every(Array.isArray)) throw TypeError();
  return { gppString, applicableSections, sectionList, parsedSections };
}

/**
 * @param {Held} held
 * @returns {Api}
 */
export function makeApi({ queue, listeners, lastId }) {
  let cmpStatus = "loading";
  let signalStatus = "not ready";
  // As text: whoever asks gets objects of its own, which nobody else sees changed.
  let known = JSON.stringify({ ...NOTHING, applicableSections: [0] });

  const read = () => /** @type {Gpp} */ (JSON.parse(known));

  const ping = () => ({
    gppVersion: "1.1",
    cmpStatus,
    cmpDisplayStatus: "hidden",
    signalStatus,
    supportedAPIs: ["7:usnat", "8:usca"],
    // No section that is supported asks for a registration.
    cmpId: 1,
    ...read(),
  });

  /** @param {unknown} prefix */
  const findSection = (prefix) => {
    const { parsedSections } = read();
    return typeof prefix == "string" && Object.hasOwn(parsedSections, prefix) ? parsedSections[prefix] : undefined;
  };

  /** @param {unknown} path Section and field, such as `usca.SaleOptOut`. */
  const findField = (path) => {
    const [prefix, name = "", ...rest] = String(path).split(".");
    const segment = rest.length ? undefined : findSection(prefix)?.find((each) => Object.hasOwn(each, name));
    return segment && /** @type {Record<string, unknown>} */ (segment)[name];
  };

  /** @type {Api["call"]} */
  function call(command, callback, parameter) {
    const answer = (/** @type {unknown} */ data) => {
      if (typeof callback == "function") callback(data ?? null, data !== undefined);
    };
    if (command == "ping") answer(ping());
    else if (command == "addEventListener") {
      if (typeof callback != "function") return;
      const listenerId = ++lastId;
      listeners.push({ listenerId, callback });
      answer({ eventName: "listenerRegistered", listenerId, data: true, pingData: ping() });
    } else if (command == "removeEventListener") {
      const count = listeners.length;
      listeners = listeners.filter(({ listenerId }) => listenerId !== parameter);
      answer(listeners.length < count);
    } else if (command == "hasSection") answer(!!findSection(parameter));
    else if (command == "getSection") answer(findSection(parameter));
    else answer(command == "getField" ? findField(parameter) : undefined);
  }

  /**
   * @param {string} eventName
   * @param {string} data
   */
  function fire(eventName, data) {
    for (const listener of [...listeners]) {
      const { callback, listenerId } = listener;
      // An earlier one may have removed it.
      if (listeners.includes(listener)) guard(() => callback({ eventName, listenerId, data, pingData: ping() }, true));
    }
  }

  /** @param {string} next */
  function setSignalStatus(next) {
    if (signalStatus == next) return;
    signalStatus = next;
    fire("signalStatus", next);
  }

  return {
    call,
    load(first) {
      if (first) known = JSON.stringify(first);
      cmpStatus = "loaded";
      fire("cmpStatus", cmpStatus);
      if (first) setSignalStatus("ready");
      for (const [command, callback, parameter] of queue) guard(() => call(command, callback, parameter));
    },
    wait: () => setSignalStatus("not ready"),
    apply(next) {
      const before = read().parsedSections;
      const after = next.parsedSections;
      known = JSON.stringify(next);
      for (const prefix of Object.keys({ ...before, ...after })) {
        if (JSON.stringify(before[prefix]) != JSON.stringify(after[prefix])) fire("sectionChange", prefix);
      }
      setSignalStatus("ready");
    },
  };
}

/**
 * Keep one listener's mistake from the others.
 * @param {() => void} action
 */
function guard(action) {
  try {
    action();
  } catch (error) {
    reportError(error);
  }
}
