"""The beginning of a service's file, for its author to complete. It loads as it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from string import Template

from consent.core.declaration import HostUse, ServiceKind

EXAMPLE_HOST = "service.example.com"

_STATISTICS = frozenset({ServiceKind.ANALYTICS, ServiceKind.RECORDING, ServiceKind.TESTING, ServiceKind.ERRORS})
_COMFORT = frozenset(
    {
        ServiceKind.CHAT,
        ServiceKind.COMMENTS,
        ServiceKind.FONT,
        ServiceKind.CAPTCHA,
        ServiceKind.PAYMENT,
        ServiceKind.FORM,
        ServiceKind.CALENDAR,
    }
)
_FRAMES = frozenset(
    {
        ServiceKind.VIDEO,
        ServiceKind.AUDIO,
        ServiceKind.MAP,
        ServiceKind.POST,
        ServiceKind.FORM,
        ServiceKind.CALENDAR,
        ServiceKind.FILE,
    }
)

_HEAD = Template("""\
# $comment: say here what a reader must know. What each field means is in docs/catalogue.md of flask-cookie-consent.
name = $name   # what visitors know
kind = "$kind"   # one of: $kinds
# provider = "Example Inc."   # the legal entity behind it: visitors must be told
# provider_country = "US"   # two letters (ISO 3166-1)
# privacy_url = "https://example.com/privacy"
# Of: necessary, preferences, analytics, marketing, and your own. Each of them must be granted.
purposes = $purposes
# justification = "…"   # for `necessary` alone: why visitors cannot get what they ask for without it
# third_party_use = true   # if the provider uses the data for ends of its own
# signals = ["google"]   # which of the shipped consent APIs tells it what the visitor chose
sources = []   # what you have read
# checked = 2027-05-14   # the day on which you read it
# What nobody could find out. Leave it out once the cookies below are complete.
not_known = "What it stores in the browser was not looked up yet."
""")

_WORDS = Template("""
# The words for visitors. Leave a kind's own words out, unless they say something wrong; the kind `other` has none.
$mark[description]
${mark}en = $words
""")

_SNIPPET = Template("""
# The markup that script() prints, as Jinja. Values reach a script through |tojson only, an address through |urlencode.
snippet = '''
<script{% if nonce %} nonce="{{ nonce }}"{% endif %}>
window.exampleQueue = window.exampleQueue || [];
window.exampleQueue.push({{ site_id|tojson }});
</script>
<script async src="https://$host/script.js?site={{ site_id|urlencode }}"{% if nonce %} nonce="{{ nonce }}"{% endif %}></script>
'''
""")

_STYLE = Template("""
# The markup that script() prints, as Jinja.
snippet = '''
<link rel="stylesheet" href="https://$host/style.css"{% if nonce %} nonce="{{ nonce }}"{% endif %}>
'''
""")

_HOSTS = Template("""
# Every host that it contacts, by what it serves: $uses.
# `*.example.com` stands for every subdomain.
[hosts]
$use = [$host]
""")

_PARAMETERS = """
# What script() takes. The pattern must match the whole value: keep it narrow, and give every repetition a bound.
[[parameters]]
name = "site_id"
pattern = '[a-z0-9-]{1,36}'
example = "example-1"
# required = false   # then it is "" in the snippet when it is not given
"""

_EMBED = Template("""
# What embed() shows: a frame. {id} stands for the percent-encoded id.
[embed]
url = "https://$host/embed/{id}"
source_url = "https://$host/{id}"   # the same content on the provider's own site
id_pattern = '[A-Za-z0-9_-]{1,64}'
id_example = "example-1"
# width = 560
# height = 315
# allow = "encrypted-media"   # more of the frame's Permissions Policy
""")

_COOKIES = """
# One for each cookie or entry of the browser's storage, each with its source.
# [[cookies]]
# name = "_example"   # or a pattern, such as "_example_*"
# months = 12   # or days, minutes, session = true, or unpublished = true
# kind = "cookie"   # or local_storage, session_storage, indexed_db
# domain = "example.com"   # both lines only for one that is set on the provider's own host
# third_party = true
# use = "visitor"   # what it is for; or words of your own in [cookies.description]
# source = "https://example.com/docs/cookies"
# checked = 2027-05-14
"""

_COPY = """\
# A copy of the shipped entry. This file comes before that one, whose later changes do not reach it.
"""


def build_skeleton(key: str, *, name: str = "", kind: str = ServiceKind.OTHER, host: str = EXAMPLE_HOST) -> str:
    """Return the text of a file that declares a service.

    Args:
        name: What visitors know; empty for the key, as words.
        kind: A value of `ServiceKind`; those that are shown in a frame get an embed, the others a snippet.
    """
    name = name or key.replace("-", " ").replace("_", " ").capitalize()
    is_other = kind == ServiceKind.OTHER
    blanks: Mapping[str, str] = {
        "comment": name,
        "name": _quote(name),
        "kind": kind,
        "kinds": ", ".join(ServiceKind),
        "purposes": json.dumps(_purposes_of(kind)),
        "host": host,
    }
    parts = [_HEAD.substitute(blanks)]
    if kind not in _FRAMES:
        parts.append((_STYLE if kind == ServiceKind.FONT else _SNIPPET).substitute(blanks))
    parts.append(_HOSTS.substitute(use=_use_of(kind), host=_quote(host), uses=", ".join(HostUse)))
    parts.append(_WORDS.substitute(mark="" if is_other else "# ", words=_quote(f"Loads something from {host}.")))
    if kind in _FRAMES:
        parts.append(_EMBED.substitute(blanks))
    elif kind != ServiceKind.FONT:
        parts.append(_PARAMETERS)
    return "".join((*parts, _COOKIES))


def build_copy(shipped: str) -> str:
    """Return the text of a file that replaces a shipped one, whose text is given."""
    return f"{_COPY}{shipped}"


def _purposes_of(kind: str) -> list[str]:
    if kind == ServiceKind.TAG_MANAGER:
        return ["analytics", "marketing"]
    if kind in _STATISTICS:
        return ["analytics"]
    # What cannot be known here waits for the purpose that Global Privacy Control closes.
    return ["preferences"] if kind in _COMFORT else ["marketing"]


def _use_of(kind: str) -> HostUse:
    if kind in _FRAMES:
        return HostUse.FRAME
    return HostUse.STYLE if kind == ServiceKind.FONT else HostUse.SCRIPT


def _quote(text: str) -> str:
    # JSON escapes whatever a basic string of TOML must escape, but for DEL, which no name may hold.
    return json.dumps(text, ensure_ascii=False)
