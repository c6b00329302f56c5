/** @typedef {import("./page.js").StorageEntry} StorageEntry */
/** @typedef {import("./state.js").ConsentState} ConsentState */

/**
 * Clear what denied services keep in the browser's storage.
 * @param {Readonly<Record<number, StorageEntry>> | undefined} declared
 * @param {ConsentState} state
 */
export async function clearStorage(declared = {}, state) {
  const entries = Object.values(declared);
  const kept = entries.filter(({ service }) => state.services[service] === "granted");
  for (const entry of entries) {
    if (kept.includes(entry)) continue;
    const isUnwanted = makeFilter(entry, kept);
    try {
      if (entry.area == "indexedDB") await removeDatabases(entry.name, isUnwanted);
      else removeItems(window[entry.area], isUnwanted);
    } catch {
      // The browser denies the page its storage, so there is nothing in it.
    }
  }
}

/**
 * What an entry names is to go, but for what a granted service declares too: as with cookies, that one needs it.
 * @param {StorageEntry} entry
 * @param {readonly StorageEntry[]} kept
 * @returns {(name: string) => boolean}
 */
function makeFilter({ area, name }, kept) {
  const pattern = makePattern(name);
  const others = kept.filter((other) => other.area == area).map((other) => makePattern(other.name));
  return (found) => pattern.test(found) && !others.some((other) => other.test(found));
}

/**
 * @param {Storage} storage
 * @param {(name: string) => boolean} isUnwanted
 */
function removeItems(storage, isUnwanted) {
  // Not Object.keys(): in Firefox that leaves out an item called like a method, such as `key`.
  const names = Array.from({ length: storage.length }, (_, at) => storage.key(at) ?? "");
  for (const name of names) if (isUnwanted(name)) storage.removeItem(name);
}

/**
 * Ask for databases to be deleted. One that the page still has open goes once it has been left, as a withdrawal's
 * reload leaves it.
 * @param {string} declared
 * @param {(name: string) => boolean} isUnwanted
 */
async function removeDatabases(declared, isUnwanted) {
  // Firefox lists them since 126; before, what has an exact name can go all the same.
  const found = (await indexedDB.databases?.()) ?? [{ name: declared }];
  for (const { name = "" } of found) if (isUnwanted(name)) indexedDB.deleteDatabase(name);
}

/**
 * @param {string} name `*` stands for anything.
 * @returns {RegExp}
 */
export function makePattern(name) {
  return RegExp("^" + name.replace(/[^\w*]/g, "\\$&").replace(/\*/g, ".*") + "$", "s");
}
