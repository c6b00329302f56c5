"""The peers, each set up as its own documentation says, for the same two purposes and with nothing granted beforehand.

Where the documentation leaves a choice, the quicker one is taken: minified files, stylesheet in the head, script at the end
of the body or deferred, settings in the page and not in a file of their own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PEERS_PATH: Final = "/peers/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Describe one peer."""

    package: str
    """Its name on npm, and in the table."""

    selector: str
    """Of its banner."""

    files: tuple[str, ...]
    """What a page loads, as paths in the package."""

    body: str
    """Markup for the end of the body."""

    head: str = ""
    """Markup for the end of the head."""


def read_version(packages: Path, package: str) -> str:
    """Return the installed version of a package.

    Raises:
        FileNotFoundError: If it is not installed.
    """
    manifest: Mapping[str, str] = json.loads((packages / package / "package.json").read_text(encoding="utf-8"))
    return manifest["version"]


# https://cookieconsent.orestbida.com/essential/getting-started.html, "HTML".
_VANILLA: Final = Peer(
    package="vanilla-cookieconsent",
    selector="#cc-main .cm",
    files=("dist/cookieconsent.css", "dist/cookieconsent.umd.js"),
    head='<link rel="stylesheet" href="/peers/vanilla-cookieconsent/dist/cookieconsent.css">',
    body="""<script defer src="/peers/vanilla-cookieconsent/dist/cookieconsent.umd.js"></script>
<script type="module">
CookieConsent.run({
  // It hides from driven browsers otherwise.
  hideFromBots: false,
  categories: { necessary: { enabled: true, readOnly: true }, analytics: {}, marketing: {} },
  language: {
    default: "en",
    translations: {
      en: {
        consentModal: {
          title: "Your privacy choices",
          description: "Harbour Post Media Ltd asks to store and read data on your device. You decide for each purpose.",
          acceptAllBtn: "Accept all",
          acceptNecessaryBtn: "Reject all",
          showPreferencesBtn: "Choose by purpose",
        },
        preferencesModal: {
          title: "Your privacy choices",
          acceptAllBtn: "Accept all",
          acceptNecessaryBtn: "Reject all",
          savePreferencesBtn: "Save choices",
          closeIconLabel: "Close",
          sections: [
            { title: "Necessary", description: "What the site needs.", linkedCategory: "necessary" },
            { title: "Analytics", description: "Count visits and see which pages are read.", linkedCategory: "analytics" },
            { title: "Marketing", description: "Show content and ads of other companies.", linkedCategory: "marketing" },
          ],
        },
      },
    },
  },
});
</script>""",
)

# What its own wizard and examples write, for compliance type "opt-in": a button for yes, and one for no.
_OSANO: Final = Peer(
    package="cookieconsent",
    selector=".cc-window",
    files=("build/cookieconsent.min.css", "build/cookieconsent.min.js"),
    head='<link rel="stylesheet" href="/peers/cookieconsent/build/cookieconsent.min.css">',
    body="""<script src="/peers/cookieconsent/build/cookieconsent.min.js" data-cfasync="false"></script>
<script>
window.cookieconsent.initialise({
  palette: { popup: { background: "#fff", text: "#191c20" }, button: { background: "#22262b", text: "#fff" } },
  type: "opt-in",
  content: {
    message: "Harbour Post Media Ltd asks to store and read data on your device, for analytics and for marketing.",
    allow: "Accept all",
    deny: "Reject all",
    link: "Cookie list",
    href: "/privacy-choices/policy",
  },
});
</script>""",
)

# README, "Getting started".
_KLARO: Final = Peer(
    package="klaro",
    selector=".klaro .cookie-notice",
    files=("dist/klaro.js",),
    body="""<script>
var klaroConfig = {
  version: 1,
  acceptAll: true,
  default: false,
  translations: {
    zz: { privacyPolicyUrl: "/privacy-choices/policy" },
    en: { purposes: { analytics: "Analytics", marketing: "Marketing" } },
  },
  services: [
    { name: "harbour-stats", title: "Harbour Stats", purposes: ["analytics"] },
    { name: "harbour-ads", title: "Harbour Ads", purposes: ["marketing"] },
  ],
};
</script>
<script defer src="/peers/klaro/dist/klaro.js"></script>""",
)

# README, "How to use"; it shows nothing without a service, and finds its other files beside the script. The README turns its
# consent modes on, which contacts Google before any choice: no page of this bench may contact anyone.
_TARTEAUCITRON: Final = Peer(
    package="tarteaucitronjs",
    selector="#tarteaucitronAlertBig",
    files=(
        "tarteaucitron.min.js",
        "tarteaucitron.services.min.js",
        "lang/tarteaucitron.en.min.js",
        "css/tarteaucitron.min.css",
    ),
    body="""<script src="/peers/tarteaucitronjs/tarteaucitron.min.js"></script>
<script>
tarteaucitron.init({
  privacyUrl: "/privacy-choices/policy",
  bodyPosition: "bottom",
  hashtag: "#tarteaucitron",
  cookieName: "tarteaucitron",
  orientation: "bottom",
  groupServices: false,
  showAlertSmall: false,
  cookieslist: false,
  showIcon: false,
  adblocker: false,
  DenyAllCta: true,
  AcceptAllCta: true,
  highPrivacy: true,
  handleBrowserDNTRequest: false,
  removeCredit: false,
  moreInfoLink: true,
  useExternalCss: false,
  useExternalJs: false,
  mandatory: true,
  googleConsentMode: false,
  bingConsentMode: false,
  pianoConsentMode: false,
});
tarteaucitron.user.gtagUa = "G-NEWSROOM1";
tarteaucitron.user.facebookpixelId = "1";
(tarteaucitron.job = tarteaucitron.job || []).push("gtag", "facebookpixel");
</script>""",
)

PEERS: Final = (_VANILLA, _OSANO, _KLARO, _TARTEAUCITRON)
