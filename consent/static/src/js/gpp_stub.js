/**
 * Answer the `__gpp` API until `gpp.js` has loaded: printed into the page, in front of whatever reads it.
 *
 * Generic commands are answered at once, as the standard asks, with what is known so far: nothing. Others wait in order.
 * Source: IAB Tech Lab, CMP API 1.1.
 */

/** @param {any} page */
function start(page) {
  /** @type {import("./gpp_api.js").Held} */
  const held = { queue: [], listeners: [], lastId: 0 };

  const ping = () => ({
    gppVersion: "1.1",
    cmpStatus: "stub",
    cmpDisplayStatus: "hidden",
    signalStatus: "not ready",
    supportedAPIs: ["7:usnat", "8:usca"],
    cmpId: 1,
    sectionList: [],
    // 0, and not the -1 that would say that no section applies.
    applicableSections: [0],
    gppString: "",
    parsedSections: {},
  });

  /**
   * @param {unknown} command
   * @param {unknown} callback
   * @param {unknown} parameter
   * @param {unknown} version
   */
  function stub(command, callback, parameter, version) {
    const answer = (/** @type {unknown} */ data) => {
      if (typeof callback == "function") callback(data, true);
    };
    if (command == "ping") answer(ping());
    else if (command == "addEventListener") {
      if (typeof callback != "function") return;
      const listenerId = ++held.lastId;
      held.listeners.push({ listenerId, callback });
      answer({ eventName: "listenerRegistered", listenerId, data: true, pingData: ping() });
    } else if (command == "removeEventListener") {
      const at = held.listeners.findIndex(({ listenerId }) => listenerId === parameter);
      if (at >= 0) held.listeners.splice(at, 1);
      answer(at >= 0);
    } else if (command == "hasSection" || command == "getSection" || command == "getField") answer(null);
    else held.queue.push([command, callback, parameter, version]);
  }

  page.__gpp = Object.assign(stub, { consentHeld: held });

  // For frames, which find the page by the locator's name. The function is looked up at each call: it is replaced.
  addEventListener("message", ({ data, origin, source }) => {
    try {
      const isText = typeof data == "string";
      if (isText && !data.includes("__gppCall")) return;
      const message = isText ? JSON.parse(data) : data;
      if (!message || !Object.hasOwn(message, "__gppCall")) return;
      const { callId, command, parameter, version } = message.__gppCall;
      page.__gpp(
        command,
        (/** @type {unknown} */ returnValue, /** @type {boolean} */ success) => {
          const answer = { __gppReturn: { returnValue, success, callId } };
          // To whoever asked, and nobody who has come into that frame since; a sandboxed one has no origin to name.
          /** @type {Window} */ (source)?.postMessage(isText ? JSON.stringify(answer) : answer, {
            targetOrigin: origin == "null" ? "*" : origin,
          });
        },
        parameter,
        version,
      );
    } catch {
      // No call, or one from a place that cannot be answered.
    }
  });

  /** @returns {unknown} Whether the locator is there. */
  function addLocator() {
    const { body } = document;
    if (body && !page.frames.__gppLocator) {
      const frame = document.createElement("iframe");
      frame.name = "__gppLocator";
      frame.style.display = "none";
      body.append(frame);
    }
    return body;
  }

  if (!addLocator()) {
    new MutationObserver((_, observer) => {
      if (addLocator()) observer.disconnect();
    }).observe(document.documentElement, { childList: true });
  }
}

// Not over another tool's API, nor over this one: a fragment or a page change may bring the script again.
if (typeof (/** @type {any} */ (window).__gpp) != "function") start(window);
