/** What a page needs once the visitor asks for the preferences: loaded then, and not before. */

export { showPreferences } from "./dialog.js";
export { linkSwitches } from "./switches.js";
