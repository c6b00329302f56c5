/** What browsers have and TypeScript's own declarations lack. */

interface Document {
  /** Chromium: the page is rendered ahead and not shown yet. */
  readonly prerendering?: boolean;
}

interface Navigator {
  /** Global Privacy Control. */
  readonly globalPrivacyControl?: boolean;
}
