"""What the paper declares: services that are shipped, those of its own folder `catalogue/`, and some in Python.

The trackers of the demonstration run on this machine, so their markup can be seen at work without a network. Declared in
Python is what a data file cannot say: a port that is known only at the start, and a service without a host.
"""

from __future__ import annotations

from consent import CookieDeclaration, Embed, Parameter, Service

OFFERS_COOKIE = "hp_offers"
READING_COOKIE = "hp_reading"

_SNIPPET = """
<script async src="http://stats.localhost:{port}/s.js" data-site="{{{{ site }}}}"{{% if nonce %}} nonce="{{{{ nonce }}}}"{{% endif %}}></script>
<noscript><img src="http://stats.localhost:{port}/pixel.gif?site={{{{ site|urlencode }}}}&amp;js=0" alt="" width="1" height="1"></noscript>
"""


def build_services(tracker_port: int) -> tuple[str | Service, ...]:
    return (
        _own_reading_list(),
        _stats(tracker_port),
        "google-analytics",
        _video(tracker_port),
        _map(tracker_port),
        "youtube",
        "openstreetmap",
        "harbour-ads",
        "harbour-share",
        _own_offers(),
    )


def _own_reading_list() -> Service:
    return Service(
        "reading-list",
        name="Reading list",
        purposes=("preferences",),
        provider="Harbour Post Media Ltd",
        provider_country="GB",
        description={
            "en": "Keeps the stories that you put aside, on this device.",
            "ar": "يحفظ على هذا الجهاز المقالات التي تضعها جانبًا.",
        },
        cookies=(
            CookieDeclaration(
                READING_COOKIE,
                months=6,
                description={"en": "The stories on your reading list.", "ar": "المقالات في قائمة القراءة."},
            ),
        ),
    )


def _stats(port: int) -> Service:
    return Service(
        "harbour-stats",
        name="Harbour Stats",
        purposes=("analytics",),
        hosts=("stats.localhost",),
        provider="Harbour Stats GmbH",
        provider_country="DE",
        description={
            "en": "Counts page views and how readers find us, with an identifier kept in your browser.",
            "ar": "يحصي مشاهدات الصفحات وكيف يصل القراء إلينا، بمعرّف محفوظ في متصفحك.",
        },
        cookies=(
            CookieDeclaration(
                "hs_id", months=13, description={"en": "Tells one browser from another.", "ar": "يميّز متصفحًا عن آخر."}
            ),
            CookieDeclaration(
                "hs_seen",
                minutes=30,
                description={"en": "Groups page views into one visit.", "ar": "يجمع مشاهدات الصفحات في زيارة واحدة."},
            ),
        ),
        parameters=(Parameter("site", pattern=r"[a-z0-9-]{3,40}", example="harbour-post"),),
        snippet=_SNIPPET.format(port=port),
    )


def _video(port: int) -> Service:
    return Service(
        "harbour-video",
        name="Harbour Video",
        kind="video",
        purposes=("marketing",),
        hosts=("video.localhost",),
        provider="Harbour Video NV",
        provider_country="NL",
        description={
            "en": "Plays our films. Learns which film you watch, and your IP address.",
            "ar": "يشغّل أفلامنا، ويعرف الفيلم الذي تشاهده وعنوان IP الخاص بك.",
        },
        cookies=(
            CookieDeclaration(
                "hv_viewer",
                months=12,
                domain="video.localhost",
                third_party=True,
                description={
                    "en": "Recognises you as a viewer on other sites.",
                    "ar": "يتعرّف عليك مشاهدًا على مواقع أخرى.",
                },
            ),
        ),
        embed=Embed(
            url=f"http://video.localhost:{port}/embed/{{id}}",
            source_url=f"http://video.localhost:{port}/watch/{{id}}",
            id_pattern=r"[a-z0-9-]{3,40}",
            id_example="first-crossing",
            width=720,
            height=405,
            allow="fullscreen",
        ),
    )


def _map(port: int) -> Service:
    return Service(
        "harbour-map",
        name="Harbour Maps",
        kind="map",
        purposes=("preferences",),
        hosts=("maps.localhost",),
        provider="Harbour Maps Oy",
        provider_country="FI",
        description={
            "en": "Shows maps. Learns which map you look at, and your IP address.",
            "ar": "يعرض الخرائط، ويعرف الخريطة التي تنظر إليها وعنوان IP الخاص بك.",
        },
        cookies=(
            CookieDeclaration(
                "hm_session",
                session=True,
                domain="maps.localhost",
                third_party=True,
                description={"en": "Counts map views for the bill.", "ar": "يحصي مرات عرض الخريطة للفوترة."},
            ),
        ),
        embed=Embed(
            url=f"http://maps.localhost:{port}/map/{{id}}",
            source_url=f"http://maps.localhost:{port}/place/{{id}}",
            id_pattern=r"[a-z0-9-]{3,40}",
            id_example="sea-wall",
            width=720,
            height=540,
        ),
    )


def _own_offers() -> Service:
    return Service(
        "subscription-offers",
        name="Subscription offers",
        purposes=("marketing",),
        provider="Harbour Post Media Ltd",
        provider_country="GB",
        description={
            "en": "Counts the stories you read, to decide when to offer a subscription.",
            "ar": "يحصي المقالات التي تقرؤها ليقرر متى يعرض عليك الاشتراك.",
        },
        cookies=(
            CookieDeclaration(
                OFFERS_COOKIE,
                months=3,
                description={
                    "en": "How many stories were read. Scripts cannot see it.",
                    "ar": "عدد المقالات المقروءة، ولا تراه البرامج النصية.",
                },
            ),
        ),
    )
