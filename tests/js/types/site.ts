/** What a site's own script does with the declarations that ship: all of it must pass the type checker. */

import type { Choice, ConsentState, FlaskConsent } from "../../../consent/static/types/consent";

/** A counter that runs while it may. */
class Counter {
  isOn = false;

  follow(state: ConsentState): void {
    this.isOn = state.choices["analytics"] === "granted";
  }
}

const counter = new Counter();

// What fires only once may have fired before this script came.
const now: FlaskConsent | undefined = window.flaskConsent;
if (now) counter.follow(now.state);
else document.addEventListener("consent:ready", (event) => counter.follow(event.detail), { once: true });

document.addEventListener("consent:change", ({ detail }) => {
  counter.follow(detail);
  const granted: string[] = Object.entries(detail.services)
    .filter(([, choice]) => choice === "granted")
    .map(([key]) => key);
  console.info(`${detail.regime}, ${detail.policy_version}: ${granted.join(" ")}`);
});

export function describe(choice: Choice): string {
  switch (choice) {
    case "granted":
      return "on";
    case "denied":
      return "off";
  }
}

export function decidedAt(state: ConsentState): Date | null {
  return state.decided_at === null ? null : new Date(state.decided_at);
}

export async function showPreferences(): Promise<void> {
  await window.flaskConsent?.open();
}

export function mayPlay(keys: readonly string[]): boolean {
  return window.flaskConsent?.allows("marketing", ...keys) ?? false;
}

export const isAsked: boolean = window.flaskConsent?.state.needs_prompt ?? false;
