"""The data block: exact bytes, and nothing in it that a parser could take for markup."""

from __future__ import annotations

import pytest

from consent.wire.held_markup import encode_attribute_json, encode_json, hold


def test_block_is_as_contracted():
    assert hold(
        '<script src="https://stats.example/s.js"></script>', keys=("analytics",), page_key="key", nonce=""
    ) == (
        '<script type="application/json" data-consent-gate="analytics" data-consent-key="key">'
        '"\\u003cscript src=\\"https://stats.example/s.js\\"\\u003e\\u003c/script\\u003e"</script>'
    )


def test_block_names_every_key_and_the_nonce():
    assert hold("x", keys=("analytics", "stats"), page_key="k", nonce="n0nce") == (
        '<script type="application/json" data-consent-gate="analytics stats" data-consent-key="k" nonce="n0nce">"x"</script>'
    )


def test_block_holds_empty_markup():
    assert hold("", keys=("a",), page_key="k", nonce="") == (
        '<script type="application/json" data-consent-gate="a" data-consent-key="k">""</script>'
    )


@pytest.mark.parametrize("hostile", ['"><script>alert(1)</script>', "' onload='x", "a&b", "<", '"'])
@pytest.mark.parametrize("argument", ["keys", "page_key", "nonce"])
def test_attributes_are_escaped(argument, hostile):
    values = {"keys": ("a",), "page_key": "k", "nonce": "n"} | {argument: (hostile,) if argument == "keys" else hostile}

    block = hold("x", **values)

    assert block.count("<") == 2
    assert block.count('"') == 4 * 2 + 2


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        ("</script>", '"\\u003c/script\\u003e"'),
        ("<!--<script>", '"\\u003c!--\\u003cscript\\u003e"'),
        ("&lt;", '"\\u0026lt;"'),
        ("\u2028\u2029", '"\\u2028\\u2029"'),
        ("\r\n\t\x00\x1f", '"\\r\\n\\t\\u0000\\u001f"'),
        ("é☃𝄞", '"é☃𝄞"'),
        ('"\\', '"\\"\\\\"'),
        ("{{ 7*7 }}", '"{{ 7*7 }}"'),
        (
            {"__proto__": "<", "constructor": [1, None, True]},
            '{"__proto__": "\\u003c", "constructor": [1, null, true]}',
        ),
    ],
)
def test_json_is_safe_between_script_tags(value, encoded):
    assert encode_json(value) == encoded


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        ({"a": [1, None, True]}, '{"a":[1,null,true]}'),
        ("'><b>", '"\\u0027\\u003e\\u003cb\\u003e"'),
        ("&#39;&quot;", '"\\u0026#39;\\u0026quot;"'),
        ("\x7f\x80\x9f\xa0", '"\\u007f\\u0080\\u009f\xa0"'),
        ("\u2028\n\x00", '"\\u2028\\n\\u0000"'),
        ("é☃𝄞", '"é☃𝄞"'),
        ('"\\', '"\\"\\\\"'),
    ],
)
def test_json_is_safe_between_single_quotes(value, encoded):
    assert encode_attribute_json(value) == encoded
