/*
 * Keeps "What the trackers saw" up to date while it is looked at. The server renders; this asks, and puts the answer
 * in its place.
 *
 * It asks every 1.5 s instead of being told over an open stream (server-sent events). The log is another server's,
 * which ours would have to ask as often; and a stream keeps busy, for each tab, one thread of the server and one of
 * the six connections that a browser opens to a host over HTTP/1.1: the seventh tab would hang. To ask is cheap: while
 * nothing is new the answer has no body, and while the page is hidden nothing is asked.
 */

const INTERVAL_MS = 1500;
const TIMEOUT_MS = 10_000;

const sightings = find("#sightings");
const note = find(".live");
// XMLHttpRequest hands over a parsed document, in which nothing runs or loads. The text that fetch() brings could not
// be parsed, by DOMParser or otherwise, where a Content-Security-Policy says `require-trusted-types-for 'script'`.
const request = new XMLHttpRequest();
let timer = 0;

request.responseType = "document";
request.timeout = TIMEOUT_MS;
request.addEventListener("load", takeAnswer);
request.addEventListener("error", () => showNote({ isUpdating: false }));
request.addEventListener("timeout", () => showNote({ isUpdating: false }));
request.addEventListener("loadend", () => {
  timer = setTimeout(look, INTERVAL_MS);
});
// At the first showing, since a page may come out of a cache, and when the back button revives it.
addEventListener("pageshow", look);
document.addEventListener("visibilitychange", look);
document.addEventListener("consent:change", look);
showNote({ isUpdating: true });

function look() {
  clearTimeout(timer);
  if (document.visibilityState !== "visible") return;
  // Ends a look that is under way, without an event: it may be too old to know of what made us look again.
  request.open("GET", `${sightings.dataset.url}&version=${sightings.dataset.version}`);
  request.send();
}

function takeAnswer() {
  const fresh = request.response?.getElementById("sightings");
  showNote({ isUpdating: request.status === 204 || Boolean(fresh) });
  if (!fresh) return;
  find(".live__news").textContent = describeNews(sightings.dataset, fresh.dataset);
  Object.assign(sightings.dataset, fresh.dataset);
  renew(sightings, fresh);
}

/** @param {{ isUpdating: boolean }} state */
function showNote({ isUpdating }) {
  note.hidden = false;
  find(".live__on").hidden = !isUpdating;
  find(".live__off").hidden = isUpdating;
}

/**
 * Say in a few words what came, and when: the same words twice would not be announced twice.
 * @param {DOMStringMap} before
 * @param {DOMStringMap} after
 */
function describeNews(before, after) {
  const choices = Number(after.choices) - Number(before.choices);
  const requests = Number(after.requests) - Number(before.requests);
  const news = [];
  if (choices > 0) news.push(`${choices} new choice${choices === 1 ? "" : "s"}`);
  if (requests > 0) news.push(`${requests} new request${requests === 1 ? "" : "s"}`);
  if (choices < 0 || requests < 0) news.push("Log emptied");
  const time = new Date().toISOString().slice(11, 19);
  return news.length ? `${news.join(", ")} at ${time}` : "";
}

/**
 * Give an element the content of another, and leave what is the same where it is: so it keeps focus, selection and
 * scrolling, and the browser holds the reader's place when rows come in above. Matched from the end, because what is
 * new comes first.
 * @param {Node} old
 * @param {Node} fresh
 */
function renew(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  const left = [...old.childNodes].reverse();
  /** @type {Node | null} */
  let next = null;
  for (const child of [...fresh.childNodes].reverse()) {
    const passed = left.splice(0, findMatch(left, child) + 1);
    const kept = passed.pop();
    for (const node of passed) node.remove();
    if (kept) renew(kept, child);
    next = kept ?? old.insertBefore(child, next);
  }
  for (const node of left) node.remove();
}

/**
 * Where the first node with the same tag and attributes stands; -1 for none. Text is not searched for, as all line
 * breaks are alike.
 * @param {Node[]} nodes
 * @param {Node} wanted
 */
function findMatch(nodes, wanted) {
  const shell = wanted.cloneNode(false);
  const candidates = wanted instanceof Element ? nodes : nodes.slice(0, 1);
  return candidates.findIndex((node) => node.cloneNode(false).isEqualNode(shell));
}

/**
 * @param {string} selector
 * @returns {HTMLElement}
 */
function find(selector) {
  const found = document.querySelector(selector);
  if (!(found instanceof HTMLElement)) throw new Error(`The page has no ${selector}.`);
  return found;
}
