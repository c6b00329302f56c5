/** Names that pages and other tabs rely on. */

/** Sent on `document` once, when the runtime has started. */
export const READY = "consent:ready";

/** Sent on `document` after each choice that the server confirmed, here or in another tab. */
export const CHANGE = "consent:change";

/** Channel between the tabs of a site. A message says that there was a choice, never which. */
export const CHANNEL = "consent";
