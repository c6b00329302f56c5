"""What each provider is to hear, call by call, in the order in which its script takes the calls over.

The order matters to the providers: a default after the tag, or a refusal after `init`, comes too late. What a situation
does not name is silence. Situations are those of `signal_order.walk()`, where a visitor of the page has first accepted and
withdrawn, and another one granted analytics, then marketing, then preferences.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from tests.browser.provider_site import Mode

Calls = Mapping[str, Sequence[str]]


def _mark(*granted: str, keys: Sequence[str]) -> str:
    return ",".join(f'"{key}":"{"granted" if key in granted else "denied"}"' for key in keys)


# Google

_ADS = ("ad_storage", "ad_user_data", "ad_personalization")
_LOOKS = ("functionality_storage", "personalization_storage")
_TYPES = (*_ADS, "analytics_storage", *_LOOKS, "security_storage")


def _states(*granted: str) -> str:
    return _mark(*granted, "security_storage", keys=_TYPES)


def _choices(event: str, *granted: str) -> str:
    # In the order in which the policy declares them, or, as the runtime reads them, in that of the alphabet.
    keys = ["necessary", "preferences", "analytics", "marketing"]
    marks = _mark(*granted, "necessary", keys=keys if event == "consent_ready" else sorted(keys))
    return f'dataLayer.push({{"event":"{event}","consent":{{{marks}}}}})'


_ASKING = f'gtag("consent", "default", {{{_states()},"wait_for_update":500}})'
_DENIED = f'gtag("consent", "default", {{{_states()}}})'
_GRANTED = f'gtag("consent", "default", {{{_states(*_TYPES)}}})'
_REDACT = 'gtag("set", "ads_data_redaction", true)'
_KEEP = 'gtag("set", "ads_data_redaction", false)'
_NOT_READY = _choices("consent_ready")

_GOOGLE_ACCEPT = (
    _KEEP,
    f'gtag("consent", "update", {{{_states(*_TYPES)}}})',
    _choices("consent_change", "analytics", "marketing", "preferences"),
)
_GOOGLE_WITHDRAW = (_REDACT, f'gtag("consent", "update", {{{_states()}}})', _choices("consent_change"))
_GOOGLE_ANALYTICS = (
    _REDACT,
    f'gtag("consent", "update", {{{_states("analytics_storage")}}})',
    _choices("consent_change", "analytics"),
)
_GOOGLE_MARKETING = (
    _KEEP,
    f'gtag("consent", "update", {{{_states("analytics_storage", *_ADS)}}})',
    _choices("consent_change", "analytics", "marketing"),
)


def _expect_google(*, early: Sequence[str], late: Sequence[str], tags: Sequence[str]) -> Mapping[Mode | None, Calls]:
    """Return what Google is to hear.

    Args:
        early: Tags that analytics opens.
        late: Tags that need marketing.
        tags: All of them, in the order of the page.
    """
    begin = (_DENIED, _REDACT, _NOT_READY)
    return {
        None: {
            "withdrawn": _GOOGLE_WITHDRAW,
            "and preferences": _GOOGLE_ACCEPT,
            "returning, granted": (
                *(_GRANTED, _KEEP, _choices("consent_ready", "analytics", "marketing", "preferences")),
                *tags,
            ),
        },
        "basic": {
            "accepted": (*begin, *_GOOGLE_ACCEPT, *tags),
            # Nobody has told Google anything before its first tag opens.
            "analytics": (*begin, *_GOOGLE_ANALYTICS, *early) if early else (),
            "and marketing": (*(() if early else begin), *_GOOGLE_MARKETING, *late),
        },
        "advanced": {
            "first visit": (_ASKING, _REDACT, _NOT_READY, *tags),
            "returning, denied": (*begin, *tags),
            "accepted": _GOOGLE_ACCEPT,
            # A tag for ads that runs unasked hears of no grant that was given to others.
            "analytics": _GOOGLE_ANALYTICS if early else (),
            "and marketing": _GOOGLE_MARKETING,
        },
    }


_ANALYTICS_TAG = ('gtag("js", "now")', 'gtag("config", "G-AB12CD34EF")')
_ADS_TAG = ('gtag("js", "now")', 'gtag("config", "AW-123456789")')
_CONTAINER = ('dataLayer.push({"gtm.start":"now","event":"gtm.js"})',)

GOOGLE: Final[Mapping[str, Mapping[Mode | None, Calls]]] = {
    "all": _expect_google(early=_ANALYTICS_TAG, late=(), tags=_ANALYTICS_TAG),
    "ads": _expect_google(early=(), late=_ADS_TAG, tags=_ADS_TAG),
    "google": _expect_google(
        early=_ANALYTICS_TAG, late=(*_ADS_TAG, *_CONTAINER), tags=(*_ADS_TAG, *_ANALYTICS_TAG, *_CONTAINER)
    ),
}
"""By site; `None` is for both modes."""

# The others

_UET_START = 'new UET("12345678")'
_UET_VIEW = 'uetq.push("pageLoad")'
_UET_GRANT = 'uetq.push("consent", "update", {"ad_storage":"granted"})'
_UET_DENIED = (_UET_START, 'uetq.push("consent", "default", {"ad_storage":"denied"})', _UET_VIEW)
_UET: Mapping[Mode | None, Calls] = {
    None: {
        "withdrawn": ('uetq.push("consent", "update", {"ad_storage":"denied"})',),
        "returning, granted": (_UET_START, 'uetq.push("consent", "default", {"ad_storage":"granted"})', _UET_VIEW),
    },
    "basic": dict.fromkeys(("accepted", "and marketing"), (*_UET_DENIED[:2], _UET_GRANT, _UET_VIEW)),
    "advanced": {
        **dict.fromkeys(("first visit", "returning, denied"), _UET_DENIED),
        **dict.fromkeys(("accepted", "and marketing"), (_UET_GRANT,)),
    },
}

_CLARITY_DENIED = 'clarity("consentv2", {"ad_Storage":"denied","analytics_Storage":"denied"})'
_CLARITY_ANALYTICS = 'clarity("consentv2", {"ad_Storage":"denied","analytics_Storage":"granted"})'
_CLARITY_GRANTED = 'clarity("consentv2", {"ad_Storage":"granted","analytics_Storage":"granted"})'
_CLARITY: Mapping[Mode | None, Calls] = {
    None: {
        "withdrawn": (_CLARITY_DENIED,),
        "and marketing": (_CLARITY_GRANTED,),
        "returning, granted": (_CLARITY_GRANTED,),
    },
    "basic": {
        "accepted": (_CLARITY_DENIED, _CLARITY_GRANTED),
        "analytics": (_CLARITY_DENIED, _CLARITY_ANALYTICS),
    },
    "advanced": {
        **dict.fromkeys(("first visit", "returning, denied"), (_CLARITY_DENIED,)),
        "accepted": (_CLARITY_GRANTED,),
        "analytics": (_CLARITY_ANALYTICS,),
    },
}

_META_REVOKE = 'fbq("consent", "revoke")'
_META_GRANT = 'fbq("consent", "grant")'
_META_TAG = ('fbq("init", "1234567890123456")', 'fbq("track", "PageView")')
_META: Mapping[Mode | None, Calls] = {
    None: {"withdrawn": (_META_REVOKE,), "returning, granted": (_META_GRANT, *_META_TAG)},
    "basic": dict.fromkeys(("accepted", "and marketing"), (_META_REVOKE, _META_GRANT, *_META_TAG)),
    "advanced": {
        **dict.fromkeys(("first visit", "returning, denied"), (_META_REVOKE, *_META_TAG)),
        **dict.fromkeys(("accepted", "and marketing"), (_META_GRANT,)),
    },
}

_TIKTOK: Mapping[Mode | None, Calls] = {
    None: {"withdrawn": ("ttq.revokeConsent()",), "returning, granted": ("ttq.grantConsent()", "ttq.page()")},
    "basic": dict.fromkeys(("accepted", "and marketing"), ("ttq.holdConsent()", "ttq.grantConsent()", "ttq.page()")),
    "advanced": {
        **dict.fromkeys(("first visit", "returning, denied"), ("ttq.holdConsent()", "ttq.page()")),
        **dict.fromkeys(("accepted", "and marketing"), ("ttq.grantConsent()",)),
    },
}

_MATOMO_GIVEN = '_paq.push("setConsentGiven")'
_MATOMO_VIEW = '_paq.push("trackPageView")'
_MATOMO_START = (
    '_paq.push("setTrackerUrl", "https://example.matomo.cloud/matomo.php")',
    '_paq.push("setSiteId", "1")',
    '_paq.push("enableLinkTracking")',
    '_paq.push("requireConsent")',
)
_MATOMO: Mapping[Mode | None, Calls] = {
    None: {
        "withdrawn": ('_paq.push("forgetConsentGiven")',),
        "returning, granted": (*_MATOMO_START, _MATOMO_GIVEN, _MATOMO_VIEW),
    },
    "basic": dict.fromkeys(("accepted", "analytics"), (*_MATOMO_START, _MATOMO_GIVEN, _MATOMO_VIEW)),
    "advanced": {
        **dict.fromkeys(("first visit", "returning, denied"), (*_MATOMO_START, _MATOMO_VIEW)),
        **dict.fromkeys(("accepted", "analytics"), (_MATOMO_GIVEN,)),
    },
}


def _hubspot(analytics: str, advertisement: str, functionality: str) -> str:
    states = f'"analytics":{analytics},"advertisement":{advertisement},"functionality":{functionality}'
    return f'_hsp.push("setHubSpotConsent", {{{states}}})'


_HUBSPOT_QUIET = "disableHubSpotCookieBanner(true)"
_HUBSPOT_STOP = '_hsq.push("doNotTrack")'
_HUBSPOT_TRACK = '_hsq.push("doNotTrack", {"track":true})'
_HUBSPOT_NOTHING = _hubspot("false", "false", "false")
_HUBSPOT_MARKETING = _hubspot("true", "true", "false")
_HUBSPOT_ALL = _hubspot("true", "true", "true")
# Two queues: that of the banner is read first.
_HUBSPOT: Mapping[Mode | None, Calls] = {
    None: {
        "withdrawn": (_HUBSPOT_STOP, _HUBSPOT_NOTHING, '_hsp.push("revokeCookieConsent")'),
        "and preferences": (_HUBSPOT_TRACK, _HUBSPOT_ALL),
        "returning, granted": (_HUBSPOT_QUIET, _HUBSPOT_ALL, _HUBSPOT_TRACK),
    },
    "basic": {
        "accepted": (_HUBSPOT_QUIET, _HUBSPOT_NOTHING, _HUBSPOT_ALL, _HUBSPOT_TRACK),
        "and marketing": (_HUBSPOT_QUIET, _HUBSPOT_NOTHING, _HUBSPOT_MARKETING, _HUBSPOT_TRACK),
    },
    "advanced": {
        **dict.fromkeys(("first visit", "returning, denied"), (_HUBSPOT_QUIET, _HUBSPOT_NOTHING, _HUBSPOT_STOP)),
        "accepted": (_HUBSPOT_TRACK, _HUBSPOT_ALL),
        "and marketing": (_HUBSPOT_TRACK, _HUBSPOT_MARKETING),
    },
}

_PINTEREST_NO = 'pintrk("setconsent", false)'
_PINTEREST_YES = 'pintrk("setconsent", true)'
_PINTEREST_TAG = ('pintrk("load", "2612345678901")', 'pintrk("page")')
_PINTEREST: Mapping[Mode | None, Calls] = {
    None: {"withdrawn": (_PINTEREST_NO,), "returning, granted": (_PINTEREST_YES, *_PINTEREST_TAG)},
    "basic": dict.fromkeys(("accepted", "and marketing"), (_PINTEREST_NO, _PINTEREST_YES, *_PINTEREST_TAG)),
    "advanced": {
        **dict.fromkeys(("first visit", "returning, denied"), (_PINTEREST_NO, *_PINTEREST_TAG)),
        **dict.fromkeys(("accepted", "and marketing"), (_PINTEREST_YES,)),
    },
}

_POSTHOG_START = (
    'posthog.init("phc_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789abcdefg", {"api_host":"https://eu.i.posthog.com",'
    '"defaults":"2026-01-30","opt_out_capturing_by_default":true,"opt_out_persistence_by_default":true})'
)
_POSTHOG_OUT = "posthog.opt_out_capturing()"
_POSTHOG_IN = 'posthog.opt_in_capturing({"captureEventName":false})'
_POSTHOG: Mapping[Mode | None, Calls] = {
    None: {"withdrawn": (_POSTHOG_OUT,), "returning, granted": (_POSTHOG_START, _POSTHOG_IN)},
    "basic": dict.fromkeys(("accepted", "analytics"), (_POSTHOG_START, _POSTHOG_OUT, _POSTHOG_IN)),
    "advanced": {
        **dict.fromkeys(("first visit", "returning, denied"), (_POSTHOG_START, _POSTHOG_OUT)),
        **dict.fromkeys(("accepted", "analytics"), (_POSTHOG_IN,)),
    },
}

_MIXPANEL_START = (
    'mixpanel.init("0123456789abcdef0123456789abcdef", {"api_host":"https://api-js.mixpanel.com",'
    '"opt_out_tracking_by_default":true,"opt_out_persistence_by_default":true})'
)
_MIXPANEL_OUT = 'mixpanel.opt_out_tracking({"delete_user":false})'
_MIXPANEL_IN = 'mixpanel.opt_in_tracking({"track":false})'
_MIXPANEL_VIEW = "mixpanel.track_pageview()"
_MIXPANEL: Mapping[Mode | None, Calls] = {
    None: {"withdrawn": (_MIXPANEL_OUT,), "returning, granted": (_MIXPANEL_START, _MIXPANEL_IN, _MIXPANEL_VIEW)},
    "basic": dict.fromkeys(("accepted", "analytics"), (_MIXPANEL_START, _MIXPANEL_OUT, _MIXPANEL_IN, _MIXPANEL_VIEW)),
    "advanced": {
        **dict.fromkeys(("first visit", "returning, denied"), (_MIXPANEL_START, _MIXPANEL_OUT, _MIXPANEL_VIEW)),
        **dict.fromkeys(("accepted", "analytics"), (_MIXPANEL_IN,)),
    },
}

_ZENDESK_NONE = ('zE("messenger:set", "cookies", "none")',)
_ZENDESK_ALL = ('zE("messenger:set", "cookies", "all")',)
_ZENDESK: Mapping[Mode | None, Calls] = {
    None: dict.fromkeys(("accepted", "and preferences", "returning, granted"), _ZENDESK_ALL)
    | {"withdrawn": _ZENDESK_NONE},
    "advanced": dict.fromkeys(("first visit", "returning, denied"), _ZENDESK_NONE),
}

_OPTIMIZELY_OFF = ('optimizely.push({"type":"disable"})',)
_OPTIMIZELY: Mapping[Mode | None, Calls] = {
    None: {"returning, granted": ("started()",)},
    "basic": {
        **dict.fromkeys(("accepted", "analytics"), ("started()",)),
        "withdrawn": ('optimizely.push({"type":"holdEvents"})',),
    },
    # Once disabled it starts with the next page only.
    "advanced": dict.fromkeys(("first visit", "returning, denied"), _OPTIMIZELY_OFF),
}

OTHERS: Final[Mapping[str, Mapping[Mode | None, Calls]]] = {
    "microsoft-uet": _UET,
    "microsoft-clarity": _CLARITY,
    "meta": _META,
    "tiktok": _TIKTOK,
    "matomo": _MATOMO,
    "hubspot": _HUBSPOT,
    "pinterest": _PINTEREST,
    "posthog": _POSTHOG,
    "mixpanel": _MIXPANEL,
    "zendesk": _ZENDESK,
    "optimizely": _OPTIMIZELY,
}
"""By adapter, as for Google."""


def expect_calls(site: str, adapter: str, mode: Mode) -> dict[str, list[str]]:
    """Return what a provider is to hear on a site, by situation; without those in which it hears nothing."""
    expected = GOOGLE[site] if adapter == "google" else OTHERS[adapter] if site == "all" else {}
    merged = {**expected.get(None, {}), **expected.get(mode, {})}
    return {situation: list(calls) for situation, calls in merged.items() if calls}
