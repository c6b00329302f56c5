"""Where `consent.wire.document` finds places, case by case.

In the pages below `^` marks where the head's part belongs and `~` where the body's part belongs.
"""

from __future__ import annotations

import pytest

from consent.wire.document import (
    LIMIT_BYTES,
    DocumentScanner,
    NotADocument,
    Places,
    begins_document,
    find_end,
    find_places,
)

PLACED = {
    "ordinary": "<!doctype html><html lang=en><head>^<title>x</title></head><body>~<p>x",
    "charset first": '<!doctype html><html><head><meta charset="utf-8">^<title>x</title></head><body class="a">~x',
    "charset late": '<html><head><meta name="a" content="b"><title>x</title><meta charset=utf-8>^<link></head><body>~',
    "charset self-closing": "<html><head><meta charset='utf-8'/>^</head><body>~",
    "charset by http-equiv": '<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8">^</head><body>~',
    "other http-equiv": '<html><head>^<meta http-equiv="refresh" content="1"></head><body>~',
    "charset in a value only": '<html><head>^<meta name="a" content="x charset=utf-8"></head><body>~',
    "charset after a quoted >": '<html><head><meta content=">" charset="utf-8">^</head><body>~',
    "charset after a slash": "<html><head><meta/charset=utf-8>^</head><body>~",
    "first charset wins": "<html><head><meta charset=a>^<meta charset=b></head><body>~",
    "charset in a comment": "<html><head>^<!--<meta charset=a>--></head><body>~",
    "charset in a script": "<html><head>^<script>'<meta charset=a>'</script></head><body>~",
    "charset in noscript": "<html><head>^<noscript><meta charset=a></noscript></head><body>~",
    "charset in a template": "<html><head>^<template><meta charset=a></template></head><body>~",
    "charset after the head": "<html><head>^</head><meta charset=a><body>~",
    "charset without a head tag": "<!doctype html><meta charset=utf-8>^<title>x</title><p>~".replace("<p>~", "~<p>"),
    "upper case": "<!DOCTYPE HTML><HTML><HEAD><META CHARSET=UTF-8>^<TITLE>x</TITLE></HEAD><BODY CLASS=x>~",
    "mixed case raw end": "<html><head>^<sTyLe></body></StYlE></head><Body>~",
    "nothing but a doctype": "<!doctype html>^~",
    "only a doctype and text": "<!doctype html>^~text",
    "doctype joined to its name": "<!doctypehtml>^~text",
    "doctype ends inside quotes": '<!doctype html public "a>^~b">',
    "legacy doctype": '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0//EN" "http://www.w3.org/x.dtd"><html><head>^</head><body>~',
    "byte order mark": "\ufeff<!doctype html><html><head>^</head><body>~",
    "xml declaration": '<?xml version="1.0"?><!doctype html><html/><head/>^<title>x</title></head><body/>~',
    "comment first": "<!-- <body> --> \n<!doctype html><html><head>^</head><body>~",
    "bogus comment first": "<!body><html><head>^</head><body>~",
    "no html tag": "<head>^</head><body>~",
    "no head tag": "<!doctype html><html>^<title>x</title><body>~",
    "no head at all": "<!doctype html><html>^<body>~",
    "only body": "^<body>~",
    "body after a comment": "<!-- x -->^<body>~",
    "comment between doctype and head": "<!doctype html><!-- x -->\n^<title>x</title>~<p>",
    "no body tag": "<!doctype html><head>^<title>x</title></head>\n~<h1>x</h1>",
    "no head end": "<html><head>^<title>x</title><body>~",
    "head end alone": "<html>^</head><body>~",
    "body end instead of a body": "<html><head>^</head>~</body></html>",
    "html end instead of a body": "<!doctype html>^~</html>",
    "br end begins the body": "<html><head>^~</br><body>",
    "stray end tags": "<html></p></template><head>^</div></style></head></span><body>~",
    "text begins the body": "<html><head>^\n ~text</head><body>",
    "vertical tab is no space": "<html><head>^~\x0b<body>",
    "NUL begins the body": "<html><head>^~\0<body>",
    "NUL in a name is another name": "<html>^~<head\0><body>",
    "NUL in an attribute": "<html><head a\0=b>^<body>~",
    "lone less-than begins the body": "<html><head>^~< body>",
    "header is no head": "<html>^~<header><body>",
    "bodyx is no body": "<html><head>^</head>~<bodyx><body>",
    "second head tag": "<html><head>^<head></head><head><body>~",
    "late doctype": "<html><!doctype html><head>^<!doctype html></head><!doctype html><body>~",
    "body in a quoted attribute": "<html data-a='<body>'><head>^<link title=\"<body>\"></head><body a='>' b=\">\">~",
    "quote inside a name": "<html><head>^<link a\"b><body c'd>~",
    "quote in an unquoted value": '<html><head>^</head><body a=b"c>~d">',
    "empty unquoted value": "<html><head>^</head><body a=>~",
    "spaced equals sign": "<html><head>^</head><body a =\n '>'>~",
    "equals sign as a name": "<html><head>^</head><body ='>~'>",
    "attributes without space": "<html><head>^</head><body a='1'b=\"2>\"/c>~",
    "slash in an unquoted value": "<html><head>^<link href=a/></head><body>~",
    "comment with body": "<html><head>^<!-- <body> -- > --></head><body>~",
    "shortest comments": "<html><head>^<!--><!---><!----></head><body>~",
    "comment closed by --!>": "<html><head>^<!-- <body> --!></head><body>~",
    "comment with many dashes": "<html><head>^<!--- -- --- <body> -----></head><body>~",
    "comment that looks closed": "<html><head>^<!--!> <body> --></head><body>~",
    "comment in a comment": "<html><head>^<!-- <!-- <body> --></head><body>~",
    "processing instruction": "<html><head>^<?php body ?></head><body>~",
    "CDATA is a bogus comment": "<html><head>^<![CDATA[ x><body>~]]>",
    "empty end tag": "<html><head>^</></ body></head><body>~",
    "conditional comments": "<html><head>^<!--[if IE]><body><![endif]--><![if !IE]><link><![endif]></head><body>~",
    "title with tags": "<html><head>^<title></head><body></titlex><!--</title></head><body>~",
    "style with tags": "<html><head>^<style>a::before{content:'</head><body>'}</style ></head><body>~",
    "self-closing title": "<html><head>^<title/></head><body></title></head><body>~",
    "raw end tag with attributes": "<html><head>^<style></style a='>'></head><body>~",
    "noframes": "<html><head>^<noframes></head><body></noframes></head><body>~",
    "script with body": "<html><head>^<script>'</head><body>' < 1 </scriptx></script></head><body>~",
    "script in a comment in a script": "<html><head>^<script><!--<script></script><body>--></script></head><body>~",
    "script escaped, ended": "<html><head>^<script><!-- <body></script></head><body>~",
    "script escaped and back": "<html><head>^<script><!-- --><script></script></head><body>~",
    "script escape closed at once": "<html><head>^<script><!--><script></script></head><body>~",
    "script double escaped, closed": "<html><head>^<script><!--<script> --></script></head><body>~",
    "script double escaped twice": "<html><head>^<script><!--<script></script><script></script>x</script></head><body>~",
    "noscript with an image": "<html><head>^<noscript><img src='//a.example/p?x=1'/></noscript></head><body>~",
    "noscript with style": "<html><head>^<noscript><style>a>b{}</style><!-- <p> --></noscript></head><body>~",
    "noscript after the head": "<html><head>^</head>~<noscript></noscript><body>",
    "template with body": "<html><head>^<template></head><body>x</template></head><body>~",
    "nested templates": "<html><head>^<template><template></template><body></template></head><body>~",
    "template in a script in a template": "<html><head>^<template><script>'</template>'</script></template><body>~",
    "template end in an attribute": "<html><head>^<template><p a='</template>'><body></template><body>~",
    "template with an icon": "<html><head>^<template><svg><title>x</title><path/></svg></template><body>~",
    "template with noscript": "<html><head>^<template><noscript><p></noscript></template><body>~",
    "template with text": "<html><head>^<template>1 < 2 <textarea><body></textarea></template><body>~",
    "metadata after the head": "<html><head>^</head><script>'<body>'</script><style></style><link><title></title><body>~",
    "template after the head": "<html><head>^</head><template><body></template><body>~",
    "obsolete metadata": "<html><head>^<basefont><bgsound></head><body>~",
    "white space only": "<!doctype html>\r\n\f\t <html> \n <head>^ \n </head> \n <body>~ \n",
}

REFUSED = {
    "empty": "",
    "text": "text",
    "fragment": "<p>x</p>",
    "fragment after a comment": "<!-- x --><div>",
    "header": "<header>x</header>",
    "body-like name": "<bodyx>",
    "end tag first": "</p><html>",
    "comment only": "<!-- x -->",
    "open comment": "<!-- <body>",
    "two byte order marks": "\ufeff\ufeff<html><body>",
    "cut opening": "<!docty",
    "cut html tag": "<html",
    "frameset": "<html><head></head><frameset><frame></frameset>",
    "frameset in the head": "<html><head><frameset>",
    "open html tag": "<html lang='",
    "open body tag": "<html><body class='><p>",
    "open comment in the head": "<html><head><!-- </head><body>",
    "open comment after the head": "<html><head></head><!-- <body>",
    "open script": "<html><head><script></head><body>",
    "script left double escaped": "<html><head><script><!--<script></script></head><body>",
    "open title": "<html><head><title></head><body>",
    "open style": "<html><head><style></style</head><body",
    "open raw end tag": "<html><head><style></style a='></style><body>",
    "open template": "<html><head><template></head><body>",
    "open noscript": "<html><head><noscript></head><body>",
    "cut at less-than": "<!doctype html><",
    "cut at an end tag": "<!doctype html></",
    "noscript end in an attribute": "<html><head><noscript><p a='</noscript><body>'></noscript><body>",
    "noscript end in a style's attribute": "<html><head><noscript><style a='</noscript><body>'></style></noscript><body>",
    "noscript end in a comment": "<html><head><noscript><!-- </noscript><body> --></noscript><body>",
    "noscript end in a script": "<html><head><noscript><script></noscript><body></script></noscript><body>",
    "noscript with a template": "<html><head><noscript><template></noscript></template></noscript><body>",
    "CDATA in an icon in a template": "<html><head><template><svg><![CDATA[ > </template> ]]></template><body>",
    "style in an icon in a template": "<html><head><template><svg><style></template></style></template><body>",
    "template in an icon": "<html><head><template><svg><template></svg></template></template><body>",
    "plaintext in a template": "<html><head><template><plaintext></template><body>",
}


def split_marks(page: str) -> tuple[bytes, int, int]:
    head_at = len(page[: page.index("^")].replace("~", "").encode())
    body_at = len(page[: page.index("~")].replace("^", "").encode())
    return page.replace("^", "").replace("~", "").encode(), head_at, body_at


@pytest.mark.parametrize("page", PLACED.values(), ids=PLACED.keys())
def test_places_are_found(page: str) -> None:
    body, head_at, body_at = split_marks(page)

    places = find_places(body)

    assert places is not None
    assert (places.head_at, places.body_at) == (head_at, body_at)


@pytest.mark.parametrize("page", PLACED.values(), ids=PLACED.keys())
def test_places_are_found_byte_by_byte(page: str) -> None:
    body = split_marks(page)[0]
    scanner = DocumentScanner()

    found = [places for at in range(len(body)) if (places := scanner.feed(body[at : at + 1]))]

    assert (found[0] if found else scanner.finish()) == find_places(body)


@pytest.mark.parametrize("page", PLACED.values(), ids=PLACED.keys())
def test_documents_are_told_by_their_beginning(page: str) -> None:
    assert begins_document(split_marks(page)[0])


@pytest.mark.parametrize("page", REFUSED.values(), ids=REFUSED.keys())
def test_nothing_is_placed_where_nowhere_is_safe(page: str) -> None:
    assert find_places(page.encode()) is None


@pytest.mark.parametrize(
    "page", ["", "x", "<p>", "<header>", "<bodyx>", "<html", "<!-- <html> -->", "<!-- <html>", "</html>"]
)
def test_fragments_are_told_by_their_beginning(page: str) -> None:
    assert not begins_document(page.encode())


@pytest.mark.parametrize(
    ("page", "language"),
    [
        ("<html lang=de>", "de"),
        ("<HTML LANG='zh-Hans'>", "zh-Hans"),
        ('<html class=x lang = "fr">', "fr"),
        ("<html lang=en lang=de>", "en"),
        ("<html lang=en><html lang=de>", "en"),
        ("<html class=x><html lang=de>", "de"),
        ("<html lang=''><html lang=de>", ""),
        ("<html><head><html lang=de>", "de"),
        ("<html><head></head><html lang=de>", "de"),
        ("<html lang='d\"e'>", ""),
        ("<html lang='d&#101;'>", ""),
        ("<html lang>", ""),
        ("<html xml:lang=de>", ""),
        ("<html title='lang=de'>", ""),
        ("<!--<html lang=de>--><html>", ""),
        ("<html><body><html lang=de>", ""),
    ],
)
def test_language_of_the_page(page: str, language: str) -> None:
    places = find_places(page.encode())

    assert places is not None
    assert places.language == language


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("<base href='https://cdn.example/'>", True),
        ("<BASE HREF=//cdn.example/>", True),
        ("<base href=' \\\\cdn.example'>", True),
        ("<base href='/\t/cdn.example'>", True),
        ("<base href='ht\ntps:/cdn.example'>", True),
        ("<base href='&#47;/cdn.example'>", True),
        ("<base href='/app/'>", False),
        ("<base href='app/?a=https://b.example&c'>", False),
        ("<base href='#a:b'>", False),
        ("<base target=_top>", False),
        ("<base>", False),
        ("<!--<base href='https://cdn.example/'>-->", False),
        ("<template><base href='https://cdn.example/'></template>", False),
        ("<base href='/'><base href='https://cdn.example/'>", True),
    ],
)
def test_base_that_moves_urls(base: str, expected: bool) -> None:
    places = find_places(f"<html><head>{base}</head><body>".encode())

    assert places is not None
    assert places.has_base is expected


@pytest.mark.parametrize(
    ("page", "end"),
    [
        ("<p></body>", "</body>"),
        ("<p></BODY >\n</HTML>\n", "</BODY >\n</HTML>\n"),
        ("</body><p></Body></html><!-- x -->", "</Body></html><!-- x -->"),
        ("<p></body>" + " " * 600, "</body>" + " " * 600),
        ("<p></BODY><!--" + "x" * 600 + "-->", "</BODY><!--" + "x" * 600 + "-->"),
    ],
)
def test_end_of_the_body_is_found(page: str, end: str) -> None:
    assert find_end(page.encode()) == len(page) - len(end)


@pytest.mark.parametrize(
    "page",
    [
        "",
        "<p>",
        "</body><p>",
        "</bodyx>",
        "</body",
        "'</body>'",
        "</body></html><!-- </body> -->",
        "<script>'</body>'</script>",
    ],
)
def test_end_of_the_body_is_not_guessed(page: str) -> None:
    assert find_end(page.encode()) is None


def test_scanner_answers_as_soon_as_the_body_began() -> None:
    scanner = DocumentScanner()

    assert scanner.feed(b"<!doctype html><html><head></head><bo") is None
    assert scanner.feed(b"dy>x") == Places(head_at=27, body_at=40, language="", has_base=False)
    assert scanner.buffered == b"<!doctype html><html><head></head><body>x"
    assert scanner.finish() == scanner.feed(b"more")


@pytest.mark.parametrize("chunk", [b"<p>", b"x", b"<htmx", b"<html><frameset>", b"<html><noscript><p a='</noscript>"])
def test_scanner_gives_up_at_once(chunk: bytes) -> None:
    with pytest.raises(NotADocument):
        DocumentScanner().feed(chunk)


def test_finish_never_raises() -> None:
    scanner = DocumentScanner()
    with pytest.raises(NotADocument):
        scanner.feed(b"<p>")

    assert scanner.finish() is None


@pytest.mark.parametrize("filler", [b" ", b"<link>", b"<!-- -->", b"<"])
def test_a_body_beyond_the_limit_is_not_looked_for(filler: bytes) -> None:
    scanner = DocumentScanner()
    page = b"<html><head><style>" + b"</style>" * (filler != b"<") + filler * (LIMIT_BYTES // len(filler))

    assert find_places(page + b"</style><body>") is None
    with pytest.raises(NotADocument):
        scanner.feed(page)


def test_a_body_just_within_the_limit_is_found() -> None:
    start = b"<html><head>"
    page = start + b" " * (LIMIT_BYTES - len(start) - len(b"<body>")) + b"<body>"

    assert find_places(page + b"x") == Places(head_at=12, body_at=LIMIT_BYTES, language="", has_base=False)


HOSTILE = {
    "open comment": b"<html><!--" + b"->" * 30_000,
    "open comment, dashes": b"<html><!--" + b"-" * 60_000,
    "comments": b"<html>" + b"<!-->" * 12_000,
    "open script": b"<html><script>" + b"<!--<script>" * 5_000,
    "script ends": b"<html><script><!--<script>" + b"</script" * 7_500,
    "open style": b"<html><style>" + b"</style" * 8_500,
    "open title": b"<html><title>" + b"<" * 60_000,
    "open attribute": b"<html><head a='" + b">" * 60_000,
    "attributes": b"<html " + b"a=b " * 15_000,
    "equals signs": b"<html " + b"= " * 30_000,
    "spaces in a tag": b"<html a" + b" " * 60_000,
    "templates": b"<html>" + b"<template>" * 6_000,
    "open template": b"<html><template>" + b"<p>" * 20_000,
    "open noscript": b"<html><noscript>" + b"<p>" * 20_000,
    "unsafe noscript": b"<html><noscript><p a='<'>" + b"</noscript" * 6_000,
    "prologue": b"<!-->" * 12_000,
    "end tags": b"<html>" + b"</p>" * 15_000,
    "space": b"<html>" + b" " * 60_000,
}


@pytest.mark.parametrize("page", HOSTILE.values(), ids=HOSTILE.keys())
def test_reading_byte_by_byte_comes_to_an_end(page: bytes) -> None:
    scanner = DocumentScanner()

    for at in range(len(page)):
        scanner.feed(page[at : at + 1])

    assert len(scanner.buffered) <= len(page)
