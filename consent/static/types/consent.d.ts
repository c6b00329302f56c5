/**
 * Types of what the browser runtime of flask-cookie-consent offers to a page's own scripts.
 *
 * Add this file to `include` of your tsconfig.json: it tells TypeScript of `window.flaskConsent` and of both events.
 */

/** One verdict. Anything else, a missing key too, means not granted. */
export type Choice = "granted" | "denied";

/**
 * The visitor's decision: what `/privacy-choices/state` answers, and the detail of both events.
 *
 * Frozen with all it holds, and without a prototype: of the keys ask with `in` or `Object.keys()`.
 */
export interface ConsentState {
  /** By purpose, such as `analytics`. */
  readonly choices: Readonly<Record<string, Choice>>;
  /** By service, such as `youtube`. */
  readonly services: Readonly<Record<string, Choice>>;
  /** How this visitor is asked. */
  readonly regime: "opt_in" | "opt_out" | "notice";
  /** Whether the banner is shown. */
  readonly needs_prompt: boolean;
  /** Changes with what the site declares. */
  readonly policy_version: string;
  /** ISO 8601 instant of the choice, in UTC; null while there is none. */
  readonly decided_at: string | null;
}

/** `window.flaskConsent`. Frozen. */
export interface FlaskConsent {
  /** The decision as the server last told it. */
  readonly state: ConsentState;
  /** Whether every purpose and service named is granted; false without a key, and for an unknown one. */
  readonly allows: (...keys: readonly string[]) => boolean;
  /** Show the preferences: in a dialog, or on their own page if that cannot be. Never rejects. */
  readonly open: () => Promise<void>;
}

declare global {
  interface Window {
    /** There once `consent:ready` was sent, and only in pages that ask or hold something. */
    readonly flaskConsent?: FlaskConsent;
  }

  interface DocumentEventMap {
    /** Once, when the runtime has started. */
    "consent:ready": CustomEvent<ConsentState>;
    /** When the decision has changed, in this tab or in another, and the server has confirmed it. */
    "consent:change": CustomEvent<ConsentState>;
  }
}
