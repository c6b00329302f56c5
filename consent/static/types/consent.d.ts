/**
 * Types of what the browser runtime of flask-cookie-consent offers to a page's own scripts.
 *
 * Add the file to `include` or `types` of your tsconfig; it declares globals and exports types.
 */

/** One verdict; anything else, also a missing key, means not granted. */
export type Choice = "granted" | "denied";

/** The visitor's decision: what `/privacy-choices/state` answers, and the detail of both events. Frozen. */
export interface ConsentState {
  /** By purpose key. */
  readonly choices: Readonly<Record<string, Choice>>;
  /** By service key. */
  readonly services: Readonly<Record<string, Choice>>;
  readonly regime: "opt_in" | "opt_out" | "notice";
  /** Whether the banner is shown. */
  readonly needs_prompt: boolean;
  readonly policy_version: string;
  /** ISO 8601 instant of the choice in UTC; null while there is none. */
  readonly decided_at: string | null;
}

/** `window.flaskConsent`; there only on pages that carry the runtime. */
export interface FlaskConsent {
  /** The decision as the server last told it. */
  readonly state: ConsentState;
  /** Whether every purpose and service named is granted; false without a key, and for an unknown one. */
  allows(...keys: string[]): boolean;
  /** Show the preferences: in a dialog, or on their own page if that cannot be. */
  open(): Promise<void>;
}

declare global {
  interface Window {
    readonly flaskConsent?: FlaskConsent;
  }
  interface DocumentEventMap {
    /** Once, when the runtime has started. */
    "consent:ready": CustomEvent<ConsentState>;
    /** After each choice that the server confirmed, in this tab or in another. */
    "consent:change": CustomEvent<ConsentState>;
  }
}
