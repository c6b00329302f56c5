"""Tell quickly whether a page names any host of a list, before it is read tag by tag.

Source: URL Standard, 4.4 (what counts as slashes, what is left out) and 3.5 (hosts).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from consent.wire.url_reading import read_url

# What follows two slashes, up to what ends a host, with the tabs and line ends that URLs may have in them. A pattern that begins
# with plain characters is fast, since `re` looks for those as `bytes.find` does; and one look is faster than two, so what nobody
# writes but to hide is left out: no slashes behind `https:`, line ends between slashes. Who hides can name a host that no list has.
_find_hosts = re.compile(rb"""//([^\x00-\x20/?#"'<>()\\]*+(?:[\t\n\r]++[^\x00-\x20/?#"'<>()\\]*+)*+)""").findall
# References to characters that hosts and the slashes before them are made of, and to what URLs leave out.
_search_hidden = re.compile(
    # First what most pages are full of.
    rb"&(?!amp;|#39;|#34;|lt;|gt;|quot;|nbsp;)(?:#0*+(?:9|1[03]|4[5-9]|5[0-8]|6[4-9]|[78][0-9]|9[0-257-9]|1[01][0-9]|12[0-2]|173)(?![0-9])"
    rb"|#[xX]0*+(?:[9aAdD]|2[dDeEfF]|3[0-9aA]|[46][0-9a-fA-F]|[57][0-9aAcC]|5[fF]|[aA][dD])(?![0-9a-fA-F])"
    rb"|(?:sol|bsol|colon|period|commat|lowbar|UnderBar|dash|hyphen|Tab|NewLine|shy);)"
).search
_STYLE_ESCAPES = (
    re.compile(rb"url\([\x00-\x20\"']*+[^\x00-\x20\"'()\\]*+\\").search,
    re.compile(rb"@import[\x00-\x20\"']*+[^\x00-\x20\"'()\\]*+\\").search,
)
# A backslash that is more than one in front of a letter or quotation mark, as in the scripts and data of most pages.
_search_backslash = re.compile(rb"""\\(?:[^nrtu"']|(?<=/\\))""").search
_ODD = re.compile(rb"[^a-zA-Z0-9.\-_:]").search
_NAME = re.compile(rb"[a-zA-Z0-9.\-_:]++")
# Where a link begins that stands right in front of a host, and what makes a link contact hosts by itself.
_match_link = re.compile(
    rb"""<[aA][\t\n\f\r ](?:[^<>]*[\t\n\f\r "'])?[hH][rR][eE][fF]=["']?(?:[hH][tT][tT][pP][sS]?:)?""", re.DOTALL
).fullmatch
# Beyond these, the page is read tag by tag.
_LINKS_LIMIT = 40
_TAG_LIMIT = 4096


def names_listed_host(body: bytes, has_host: Callable[[str], bool]) -> bool:
    """Whether a body may name a host of a list by anything but a link, as `<a href="https://…">` for sharing is on most pages.

    False for a body in which `markup_scan` finds such a host only if that is written in a way that nobody writes but to hide.

    Args:
        has_host: Tells whether a host is listed, by its name in lower case.
    """
    if _search_hidden(body):
        return True
    if _search_backslash(body):
        lower = body.lower()
        if any(search(lower) for search in _STYLE_ESCAPES):
            return True
        # Browsers take `\` for a slash, and JSON puts one before each.
        body = body.replace(b"\\", b"/")
    return any(_is_listed(host, has_host) and not _is_only_linked(body, host) for host in {*_find_hosts(body)})


def _is_listed(found: bytes, has_host: Callable[[str], bool]) -> bool:
    if not _ODD(found):
        return has_host(found.partition(b":")[0].rstrip(b".").lower().decode())
    # A line end may be part of the URL, or end the text that names the host; and so may what stands for a quotation mark.
    ends = (found, *found.split()[:1], found.partition(b"&")[0], *_NAME.findall(found)[:1])
    addresses = (read_url("//" + each.decode("utf-8", "replace")) for each in ends)
    return any(address is not None and has_host(address.host) for address in addresses)


def _is_only_linked(body: bytes, host: bytes) -> bool:
    """Whether a host stands in the page as where links lead, and nowhere else."""
    named = b"//" + host
    at = body.find(named)
    for _ in range(_LINKS_LIMIT):
        if at < 0:
            return True
        begins_at, ends_at = body.rfind(b"<", max(0, at - _TAG_LIMIT), at), body.find(b">", at, at + _TAG_LIMIT)
        if begins_at < 0 or ends_at < 0 or not _match_link(body, begins_at, at):
            return False
        if b"ping" in body[begins_at:ends_at].lower():
            return False
        at = body.find(named, ends_at)
    return False
