/**
 * Clear what denied services keep in the browser's storage.
 * @param {Readonly<Record<number, import("./page.js").StorageEntry>>} entries
 * @param {import("./state.js").ConsentState} state
 */
export async function clearStorage(entries, state) {
  for (const { service, area, name } of Object.values(entries)) {
    if (state.services[service] == "granted") continue;
    const pattern = makePattern(name);
    try {
      if (area == "indexedDB") await removeDatabases(pattern);
      else removeItems(window[area], pattern);
    } catch {
      // The browser denies the page its storage, so there is nothing in it.
    }
  }
}

/**
 * @param {Storage} storage
 * @param {RegExp} pattern
 */
function removeItems(storage, pattern) {
  for (const name of Object.keys(storage)) {
    if (pattern.test(name)) storage.removeItem(name);
  }
}

/** @param {RegExp} pattern */
async function removeDatabases(pattern) {
  for (const { name = "" } of await indexedDB.databases()) {
    if (pattern.test(name)) indexedDB.deleteDatabase(name);
  }
}

/**
 * @param {string} name `*` stands for anything.
 * @returns {RegExp}
 */
export function makePattern(name) {
  return RegExp("^" + name.replace(/[^\w*]/g, "\\$&").replace(/\*/g, ".*") + "$", "s");
}
