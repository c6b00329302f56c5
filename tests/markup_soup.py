"""Pages for the markup scan: soups of tokens, and article pages that were damaged. Each is a function of a `random.Random`."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from random import Random

# An underscore stands for a space.
_PIECES = """
<p> </p> <div> </div> <b> </b> <a> </a> <table> <tr> <td> </td> </table> <ul> <li> </ul> <br> </br> <span> </span> <section> </section>
<svg> </svg> <svg/> <g> </g> <path/> <foreignObject> </foreignObject> <desc> </desc> <math> </math> <mi> </mi> <annotation-xml>
<annotation-xml_encoding="text/html"> </annotation-xml> <mglyph> <font_color=x> <font> </font> <h1> </h1> <form> </form>
<select> </select> <option> <optgroup> <input> <textarea> </textarea> <title> </title> <noscript> </noscript> <xmp> </xmp>
<noembed> </noembed> <noframes> </noframes> <style> </style> <script> </script> <iframe> </iframe> <video> </video> <object> </object>
<head> </head> <body> </body> <html> </html> <!doctype_html> <!-- --> --!> <!--> <!---> <!x> <?x> </> <![CDATA[ ]]> <plaintext>
< > / = " ' - ! ? & \0 _ __ text &lt; </script_a="> <script/ <p_a=" <p_b=' <img <p/ _c=d <button> </button> <image> <svg <p
<style_type=x> <SCRIPT> </SCRIPT> </Style_> <svg_viewBox="0"> <title/> <script/> <style/> <g/> <nobr> </nobr> <p_/> <frameset>
<template> </template> <col> <frame_src=x> <img_a="> <path_d='M0_0'/>
"""
PIECES = (*(each.replace("_", " ") for each in _PIECES.split()), "\n", "\t")

TAGS = (
    '<img src="{}">',
    "<img src='{}'>",
    "<img src={}>",
    '<IMG alt="a > b" SRC = "{}" >',
    "<img/src={}>",
    '<img x"y src="{}"/>',
    '<script src="{}"></script>',
    "<script>load('{}')</script>",
    "<script><!-- '{}' --></script>",
    "<style>a{{b:url({})}}</style>",
    '<iframe src="{}"></iframe>',
    '<link rel=x href="{}">',
    '<p style="x:url({})">',
    '<div style="x:url({})">',
    '<video poster="{}">',
    '<a href="{}">',
    '<a ping="{}">',
    '<object data="{}">',
    '<embed src="{}">',
    '<image href="{}"/>',
    '<use xlink:href="{}"/>',
    '<input src="{}">',
    "<img src=a src={}>",
    "<img src={} src=b>",
    '<img srcset="a 1x, {} 2x">',
    '<img src="\n{}">',
    "<img title='<img src=\"{}\">'>",
    "<!-- <img src={}> -->",
    "<noscript><img src={}></noscript>",
    "<svg><style>@import '{}'</style><image href='{}'/></svg>",
    "<svg><foreignObject><img src={}></foreignObject></svg>",
    "<svg><title><img src={}></title><path d='M0 0'/></svg>",
    "<select><option>a<option>b</select><img src={}>",
    "<textarea><img src={}></textarea>",
    "<img src={}",
    "<script src={}>",
    "<style>@import '{}'",
)
# What stands between tildes is cut in two.
CUT_TAGS = (
    "<svg><style>@import '~{}~'</style></svg>",
    "<svg><script>load('~{}~')</script></svg>",
    "<svg><style>a{{b:url(~{}~)}}",
)
_CUTS = ("<!-- -->", "</b>", "</x>", "<g>a</g>", "<g/>", "<![CDATA[]]>", "<?x?>", "&#47;&#47;")
URLS = ("//{}/a", "https://{}/a", "/\\{}/a", "https:{}/a", "//{}/a?b=c&amp;d=e", "&#x2f;/{}", "/\t/{}", "HTTP://{}:80/")
# As plugins and editors write them, and some that few would.
ENCODED_URLS = (
    "data:text/javascript;base64,[base64]",
    "data:text/html;charset=utf-8;base64,[base64]",
    "data:image/svg+xml;base64,[base64]",
    "data:text/html,%3Cimg%20src%3D%22https%3A%2F%2F{}%2Fa%22%3E",
    "data:text/html,<img src=//{}/a>",
    "data:,%2f%2f{}",
    "https:\\2f\\2f{}/a",
    "\\2f \\2f {}",
    "//\\{}/a",
    "//{}\\3a 80/a",
    "https:\\/\\/{}\\/a",
    "//a:b@{}/a",
    "//a@b@{}:80/a",
    "//&#65320;{tail}/a",
    "//&#8203;{}/a",
    "//{}&ZeroWidthSpace;/a",
    "//&#xff28;{tail}",
    "&#47;&#47;{}/a",
    "\uff0f\uff0f{}//{}.",
    "//%48{tail}/a",
    "//\u00ad{}/a",
)


class Hosts:
    """Give each URL a host of its own."""

    def __init__(self, random: Random, urls: Sequence[str] = URLS) -> None:
        self._random = random
        self._urls = urls
        self._count = 0

    def fill(self, tag: str) -> str:
        """Put URLs into a tag."""
        while "{}" in tag:
            self._count += 1
            tag = tag.replace("{}", _fill(self._random.choice(self._urls), f"h{self._count}.example"), 1)
        return _replace_cut(self._cut, tag.replace("{{", "{").replace("}}", "}"))

    def _cut(self, match: re.Match[str]) -> str:
        at = self._random.randrange(len(match[1]))
        return match[1][:at] + self._random.choice(_CUTS) + match[1][at:]


_replace_cut = re.compile(r"~([^~]*)~").sub


def _fill(url: str, host: str) -> str:
    script = b64encode(f"load('//{host}/a')".encode()).decode()
    return url.replace("{}", host).replace("{tail}", host[1:]).replace("[base64]", script)


def make_soup(random: Random, urls: Sequence[str] = URLS, tags: Sequence[str] = (*TAGS, *CUT_TAGS)) -> bytes:
    """Return tokens in no order at all."""
    hosts = Hosts(random, urls)
    count = random.randint(1, 24)
    parts = (
        hosts.fill(random.choice(tags)) if random.random() < _TAGS_SHARE else random.choice(PIECES)
        for _ in range(count)
    )
    return "".join(parts).encode()


_TAGS_SHARE = 0.35


def make_damaged_page(random: Random) -> bytes:
    """Return an article page of ordinary markup, with a few bytes taken out, doubled or put in."""
    hosts = Hosts(random)
    parts = [_PAGE_FRONT]
    for number in range(random.randint(1, 6)):
        parts.append(_STORY.replace("[number]", str(number)))
        parts.append(hosts.fill(random.choice((*TAGS, *CUT_TAGS))))
    page = bytearray("".join((*parts, _PAGE_END)).encode())
    for _ in range(random.randint(0, 4)):
        at = random.randrange(len(page))
        random.choice((_take_out, _double, _put_in))(page, at, random)
    return bytes(page)


def _take_out(page: bytearray, at: int, random: Random) -> None:
    del page[at : at + random.randint(1, 12)]


def _double(page: bytearray, at: int, random: Random) -> None:
    page[at:at] = page[at : at + random.randint(1, 30)]


def _put_in(page: bytearray, at: int, random: Random) -> None:
    page[at:at] = random.choice(PIECES).encode()


_PAGE_FRONT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Harbour &amp; Town</title>
<meta property="og:image" content="https://own.example/a.png"><link rel="stylesheet" href="/site.css">
<style>body{color:#123;background:url(/b.png)} /* tide */</style>
<script type="application/ld+json">{"@context":"own","headline":"a < b"}</script></head><body class="page">
<nav><ul><li><a href="https://own.example/">Front</a><li><a href='/town'>Town</a></ul></nav>
<svg class="icon" viewBox="0 0 8 8" xmlns="own"><title>Boat</title><g fill="none"><path d="M0 0h8"/><circle r="2"></circle></g></svg>
<select name="day"><optgroup label="Days"><option value="1" selected>One<option>Two</optgroup></select>
"""
_STORY = """<article id="s[number]" style="color: red"><h2><a href="https://own.example/s[number]?a=1&amp;b=2">Ferry [number]</a></h2>
<p class=byline>by <b>M. Lind</b>, <time datetime="2025-03-0[number]">3 March</time><br><img src="/i/[number].jpg" alt="A > B">
<!-- <img src="x"> --><table><tr><td width=10>1<td>2</table><script>var a = 1 < 2, b = "</p>";</script><textarea><p></textarea>
"""
_PAGE_END = "<footer><p>4 Quay Street</footer></body></html>\n"
