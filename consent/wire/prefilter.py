"""Tell quickly whether a page names any host of a list, before it is read tag by tag.

Source: URL Standard, 4.4 (what counts as slashes, what is left out) and 3.5 (hosts).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from consent.wire.url_reading import read_url

# A host, in which URLs may have tabs and line ends, and a `&` behind it that may go on with it.
_HOST = (
    r"""(?:[^@\x00-\x20/?#"'<>()]*+@)?+([a-zA-Z0-9.\-_%:\x80-\xff]++(?:[\t\n\r]++[a-zA-Z0-9.\-_%:\x80-\xff]++)*+"""
    r"(?:&(?!(?i:amp|quot|lt|gt|apos|nbsp|#0?+3[49]|#x2[27]))(?=[a-zA-Z#]))?+)"
)
# What all begin with is what makes them fast: `re` looks for it as `bytes.find` does.
_find_hosts = re.compile(rf"//[\t\n\r]*+{_HOST}".encode("latin-1")).findall
_find_hosts_over_lines = re.compile(rf"/[\t\n\r]++/[\t\n\r]*+{_HOST}".encode("latin-1")).findall
_find_hosts_without_slashes = re.compile(
    rf":(?:(?<=[tT][pP]:)|(?<=[pP][sS]:))[\t\n\r]*+(?!//)/?+{_HOST}".encode("latin-1")
).findall
# References to characters that hosts and the slashes before them are made of, and to what URLs leave out.
_search_hidden = re.compile(
    rb"&(?:#0*+(?:9|1[03]|4[5-9]|5[0-8]|6[4-9]|[78][0-9]|9[0-257-9]|1[01][0-9]|12[0-2]|173)(?![0-9])"
    rb"|#[xX]0*+(?:[9aAdD]|2[dDeEfF]|3[0-9aA]|[46][0-9a-fA-F]|[57][0-9aAcC]|5[fF]|[aA][dD])(?![0-9a-fA-F])"
    rb"|(?:sol|bsol|colon|period|commat|lowbar|UnderBar|dash|hyphen|Tab|NewLine|shy);)"
).search
_STYLE_ESCAPES = (
    re.compile(rb"url\([\x00-\x20\"']*+[^\x00-\x20\"'()\\]*+\\").search,
    re.compile(rb"@import[\x00-\x20\"']*+[^\x00-\x20\"'()\\]*+\\").search,
)
_ODD = re.compile(rb"[\t\n\r%&\x80-\xff]").search


def names_listed_host(body: bytes, has_host: Callable[[str], bool]) -> bool:
    """Whether a body may name a host of a list; never false for one that `markup_scan` finds in it.

    Args:
        has_host: Tells whether a host is listed, by its name in lower case.
    """
    if _search_hidden(body):
        return True
    if b"\\" in body:
        lower = body.lower()
        if any(search(lower) for search in _STYLE_ESCAPES):
            return True
        # Browsers take `\` for a slash, and JSON puts one before each.
        body = body.replace(b"\\", b"/")
    found = {*_find_hosts(body), *_find_hosts_without_slashes(body), *_find_hosts_over_lines(body)}
    return any(_is_listed(host, has_host) for host in found)


def _is_listed(found: bytes, has_host: Callable[[str], bool]) -> bool:
    if not _ODD(found):
        return has_host(found.partition(b":")[0].rstrip(b".").lower().decode())
    if found.endswith(b"&"):
        return True
    # A line end may be part of the URL, or end the text that names the host.
    return any(
        address is not None and has_host(address.host)
        for address in (read_url("//" + each.decode("utf-8", "replace")) for each in (found, *found.split()[:1]))
    )
