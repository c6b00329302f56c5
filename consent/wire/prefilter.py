"""Tell quickly whether a page names any host of a list, before it is read tag by tag.

Source: URL Standard, 4.4 (what counts as slashes, what is left out) and 3.5 (hosts).
"""

from __future__ import annotations

import base64
import re
import string
from collections.abc import Callable, Iterable, Iterator
from html import unescape
from urllib.parse import unquote_to_bytes

from consent.wire.url_reading import read_url

# What follows two slashes, up to what ends a host, with the tabs and line ends that URLs may have in them. A pattern that begins
# with plain characters is fast, since `re` looks for those as `bytes.find` does; and one look is faster than two, so what nobody
# writes but to hide is left out: no slashes behind `https:`, line ends between slashes. Who hides can name a host that no list has.
_find_hosts = re.compile(rb"""//([^\x00-\x20/?#"'<>()\\]*+(?:[\t\n\r]++[^\x00-\x20/?#"'<>()\\]*+)*+)""").findall
# References to characters that hosts and the slashes before them are made of, and to what URLs leave out.
_search_hidden = re.compile(
    # First what most pages are full of.
    rb"&[#sbcpldhTNU](?!t|3[49];)(?:(?<=#)(?:"
    rb"0*+(?:9|1[03]|4[5-9]|5[0-8]|6[4-9]|[78][0-9]|9[0-257-9]|1[01][0-9]|12[0-2]|173)(?![0-9])"
    rb"|[xX]0*+(?:[9aAdD]|2[dDeEfF]|3[0-9aA]|[46][0-9a-fA-F]|[57][0-9aAcC]|5[fF]|[aA][dD])(?![0-9a-fA-F]))"
    rb"|(?:(?<=s)(?:ol|hy)|(?<=b)sol|(?<=c)o(?:lon|mmat)|(?<=p)eriod|(?<=l)owbar|(?<=U)nderBar|(?<=d)ash|(?<=h)yphen"
    rb"|(?<=T)ab|(?<=N)ewLine);)"
).search
# A backslash that is more than one in front of a letter or quotation mark, as in the scripts and data of most pages.
_search_backslash = re.compile(rb"""\\(?:[^nrtu"']|(?<=/\\))""").search
# In styles: a slash as a number, and any other character of a host. In scripts these are rare.
_STYLE_ESCAPES = (
    re.compile(rb"\\0{0,4}2[fF](?![0-9a-fA-F])").search,
    re.compile(rb"""//[^\x00-\x20/?#"'<>()\\]*+\\[^/\\nrtu"']""").search,
)
# The same as for hosts, with references by number to any character.
_find_referring = re.compile(rb"""//([^\x00-\x20/?#"'<>()\\]*+(?:(?<=&)#[^\x00-\x20/?#"'<>()\\]*+)*+)""").findall
# Of types that may load something: most are pictures, which do not. What is encoded of the text follows.
_find_data = re.compile(
    rb":(?<=data:)(?=[a-z]++/|[;,])(?!image/(?!svg)|font/|audio/|video/)"
    rb"[^\x00-\x20,\"'<>]{0,200}+,((?:(?<=;base64,)[a-zA-Z0-9+/%\t\n\r]*+)?)"
).findall
_find_percent_hosts = re.compile(rb"""%2[fF](?:%2[fF]|/)([^\x00-\x20/?#"'<>()\\]*+)""").findall
_NOT_BASE64 = bytes({*range(256)} - {*b"=+/", *string.ascii_letters.encode(), *string.digits.encode()})
_ODD = re.compile(rb"[^a-zA-Z0-9.\-_:]").search
_cut = re.compile(r"""["'<>()\[\]{},;`|]""").split
_search_name = re.compile(rb"[a-zA-Z0-9.\-_:]++").search
# Where a link begins that stands right in front of a host, and what makes a link contact hosts by itself.
_match_link = re.compile(
    rb"""<[aA][\t\n\f\r ](?:[^<>]*[\t\n\f\r "'])?[hH][rR][eE][fF]=["']?(?:[hH][tT][tT][pP][sS]?:)?""", re.DOTALL
).fullmatch
# Beyond these, the page is read tag by tag.
_LINKS_LIMIT = 40
_TAG_LIMIT = 4096
_HOSTS_LIMIT = 1000
# With every character of it written as a reference.
_HOST_LIMIT = 4096


def names_listed_host(body: bytes, has_host: Callable[[str], bool]) -> bool:
    """Whether a body may name a host of a list by anything but a link, as `<a href="https://…">` for sharing is on most pages.

    False for a body in which `markup_scan` finds such a host only if that is written in a way that nobody writes but to hide:
    other slashes than two, line ends or markup between them, brackets, quotation marks or spaces in front of an `@`.

    Args:
        has_host: Tells whether a host is listed, by its name in lower case.
    """
    if _search_hidden(body):
        return True
    if _search_backslash(body):
        if any(search(body) for search in _STYLE_ESCAPES):
            return True
        # Browsers take `\` for a slash, and JSON puts one before each.
        body = body.replace(b"\\", b"/")
    if _names_listed(body, has_host):
        return True
    encoded = _find_data(body)
    return bool(encoded) and any(_names_listed(text, has_host) for text in _decode_data(body, encoded))


def _names_listed(text: bytes, has_host: Callable[[str], bool]) -> bool:
    hosts = {*_find_hosts(text)}
    if b"&" in b"".join(hosts):
        hosts.update(_find_referring(text))
    if len(hosts) > _HOSTS_LIMIT:
        return True
    return any(_is_listed(host[:_HOST_LIMIT], has_host) and not _is_only_linked(text, host) for host in hosts)


def _decode_data(body: bytes, encoded: Iterable[bytes]) -> Iterator[bytes]:
    """Read what `data:` URLs hold, and whatever else is percent-encoded behind slashes: nobody can tell where such a URL ends."""
    yield b" ".join(b"//" + unquote_to_bytes(host) for host in {*_find_percent_hosts(body)})
    yield from map(_decode, filter(None, encoded))


def _decode(encoded: bytes) -> bytes:
    text = unquote_to_bytes(encoded).translate(None, _NOT_BASE64).partition(b"=")[0]
    # One character more than fours says nothing, and what is padded too much is read all the same.
    return base64.b64decode(text[: len(text) - (len(text) % 4 == 1)] + b"==")


def _is_listed(found: bytes, has_host: Callable[[str], bool]) -> bool:
    if not _ODD(found):
        return has_host(found.partition(b":")[0].rstrip(b".").lower().decode())
    # A line end may be part of the URL, or end the text that names the host; and so may what stands for a quotation mark.
    name = _search_name(found)
    ends = {found, *found.split(None, 1)[:1], found.partition(b"&")[0], *((name[0],) if name else ())}
    texts = {unescape(each.decode("utf-8", "replace")) for each in ends}
    addresses = (read_url(f"//{text}") for text in texts.union(_cut(text, 1)[0] for text in texts))
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
