/** What a page needs once the visitor asks for the preferences, or has made a choice: loaded then, and not before. */

export { showPreferences } from "./dialog.js";
export { clearStorage } from "./storage.js";
export { linkSwitches } from "./switches.js";
