"""Ways that hide where they lead: in handlers, in addresses that are documents or scripts themselves, behind escapes."""

from __future__ import annotations

from typing import Final

from tests.browser.leak_way import Guard, Page, Way, describe

_CSP: Final = (Guard.CSP,)
_LATER: Final = "it is the site's own code until it runs"

HIDDEN: Final = (
    describe(
        "handler",
        "`onerror` and other handlers",
        """<img src="data:," alt="" onerror="new Image().src = 'https://$host/p.gif'">""",
        stops=_CSP,
        note=_LATER,
    ),
    describe(
        "javascript-frame",
        "`javascript:` in a frame",
        """<iframe src="javascript:'<img src=https://$host/p.gif>'"></iframe>""",
        page=Page.FRAMES,
        stops=_CSP,
        note=_LATER,
    ),
    describe(
        "data-script",
        "Script in a `data:` address",
        """<script src="data:text/javascript,new%20Image().src='https:%2F%2F$host%2Fp.gif'"></script>""",
    ),
    describe(
        "data-frame",
        "Document in a `data:` address",
        '<iframe src="data:text/html,%3Cimg%20src=%22https:%2F%2F$host%2Fp.gif%22%3E"></iframe>',
        page=Page.FRAMES,
    ),
    describe(
        "css-escape",
        "Address behind CSS escapes",
        r'<p style="background-image: u\72l(\68ttps:\2f\2f $host/p.gif)">.</p>',
    ),
    Way(
        leads_away=True,
        key="refresh-space",
        name="`<meta http-equiv=refresh>` with nothing but a space before the address",
        page=Page.REFRESH_SPACE,
        head='<meta http-equiv="refresh" content="0 https://$host/">',
        stops=(Guard.HOLD,),
    ),
)
