"""What says that it is HTML and is not."""

from __future__ import annotations

import pytest

from consent.wire.other_format import BEGINNING_BYTES, begins_utf16, is_other_format

JSON = [
    b'{"a": "<p>"}',
    b' \n\t{ "a": 1 }\n',
    b'\xef\xbb\xbf{"a": 1}',
    b'["a"]',
    b'[ [ "a" ] ]',
    b'[{"a": 1}]',
    b'[\n  {\n    "a": 1}]',
    b'{"a": 1}\n{"a": 2}\n',
]
XML = [
    b'<?xml version="1.0"?><rss><item/></rss>',
    b'\xef\xbb\xbf<?xml version="1.0" encoding="utf-8" ?>\n<!-- <html> -->\n<feed xmlns="x">',
    b'<?xml version="1.0"?><?xml-stylesheet href="a.xsl"?><urlset>',
    b'<?xml version="1.0"?><!DOCTYPE rss PUBLIC "-//N//DTD RSS" "x"><rss/>',
    b'<?xml version="1.0"?><rdf:RDF xmlns="x">',
    b'<?xml version="1.0"?><htmlish>',
]
PAGES = [
    b"",
    b"<p>x",
    b"{",
    b"{{ name }}",
    b"[[wiki]] x]",
    b"[1] note]",
    b"{% block %}",
    b'"quoted" x',
    b"[",
    b"[]",
    b"text {'a': 1}",
    b'x{"a": 1}',
    b"<rss>",
    b'<!-- x --><?xml version="1.0"?><rss>',
    b'<?xml version="1.0"?><html>',
    b'<?xml version="1.0"?>\n<!DOCTYPE html><x>',
    b'<?xml version="1.0"?><!doctype\nHTML PUBLIC "x"><x>',
    b'<?xml version="1.0"?><!-- x --><HTML lang=en>',
    b'<?xml version="1.0"?><div>x</div>',
    b'<?xml version="1.0"?><svg/>',
    b'<?xml version="1.0"?><rs',
    b'<?xml version="1.0"?>x<rss>',
    b'<?xml version="1.0"?><!-- never closed <rss>',
]


@pytest.mark.parametrize("body", [*JSON, *XML])
def test_json_and_feeds_are_told_from_pages(body):
    assert is_other_format(body)


@pytest.mark.parametrize("body", PAGES)
def test_what_may_be_a_page_is_one(body):
    assert not is_other_format(body)
    assert not is_other_format(body, is_whole=False)


def test_page_that_begins_like_json_and_goes_on_as_a_page_is_one():
    assert not is_other_format(b'["quoted"] <p>x</p>')


def test_beginning_of_json_counts_where_the_end_is_not_known():
    assert is_other_format(b'{"a": "x', is_whole=False)


def test_what_says_nothing_for_long_is_a_page():
    assert is_other_format(b" " * (BEGINNING_BYTES - 2) + b'{"a": 1}')
    assert not is_other_format(b" " * BEGINNING_BYTES + b'{"a": 1}')


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-be"])
def test_mark_of_utf_16_is_told(codec):
    assert begins_utf16("\ufeff<p>x".encode(codec) if codec == "utf-16-be" else "<p>x".encode(codec))


@pytest.mark.parametrize("body", [b"", b"\xff", b"<p>", b"\xef\xbb\xbf<p>"])
def test_what_has_no_mark_of_utf_16_has_none(body):
    assert not begins_utf16(body)
