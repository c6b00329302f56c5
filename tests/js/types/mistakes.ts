/** What the declarations must not let pass. An expected error that does not come is an error itself. */

// @ts-expect-error: pages that neither ask nor hold anything have no such object
window.flaskConsent.allows("analytics");

// @ts-expect-error: without the window, a page that has no such object throws
flaskConsent?.allows("analytics");

// @ts-expect-error: keys are text
window.flaskConsent?.allows(["analytics"]);

// @ts-expect-error: it says yes or no
export const verdict: string | undefined = window.flaskConsent?.allows("analytics");

// @ts-expect-error: nothing of it can be replaced
if (window.flaskConsent) window.flaskConsent.allows = () => true;

// @ts-expect-error: nor given to a page
window.flaskConsent = undefined;

document.addEventListener("consent:change", ({ detail }) => {
  // @ts-expect-error: the state is frozen
  detail.needs_prompt = false;

  // @ts-expect-error: all of it
  detail.choices["analytics"] = "granted";

  // @ts-expect-error: a verdict is one of two words
  if (detail.choices["analytics"] === "accepted") console.info("never");

  // @ts-expect-error: there may be no choice yet
  console.info(detail.decided_at.length);

  // @ts-expect-error: purposes are in `choices`
  console.info(detail.purposes);
});

// @ts-expect-error: no such event, so its detail is unknown
document.addEventListener("consent:changed", ({ detail }) => console.info(detail));

// @ts-expect-error: events are sent on the document, and the window does not hear them
addEventListener("consent:ready", ({ detail }) => console.info(detail));
