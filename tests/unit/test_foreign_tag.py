"""What tags written for other consent managers ask for, and what they are once they live."""

from __future__ import annotations

import pytest

from consent.wire.foreign_tag import Manager, is_plain_address, read_mark, revive
from tests.foreign_markup import read_element


def mark_of(markup, manager):
    return read_mark(read_element(markup), manager)


def live(markup, manager, *, at=0):
    found = revive(read_element(markup, at=at), markup, manager)
    return found.markup if found else None


@pytest.mark.parametrize(
    ("markup", "categories"),
    [
        (b'<script type="text/plain" data-cookieconsent="statistics"></script>', (("statistics",),)),
        (
            b"<script data-cookieconsent=' Preferences , marketing,' type=text/plain></script>",
            (("preferences",), ("marketing",)),
        ),
        (b'<iframe data-cookieblock-src="/a" data-cookieconsent="marketing"></iframe>', (("marketing",),)),
    ],
)
def test_cookiebot_asks_for_every_category_of_its_list(markup, categories):
    mark = mark_of(markup, Manager.COOKIEBOT)

    assert mark
    assert mark.categories == categories
    assert mark.is_inert


@pytest.mark.parametrize(
    ("classes", "categories"),
    [
        (b"optanon-category-C0002", (("C0002",),)),
        (b"wide optanon-category-c0002-C0004 last", (("C0002",), ("C0004",))),
        (b"optanon-category-C0002,C0004", (("C0002",), ("C0004",))),
        (b"optanon-category-C0002 ot-vscat-12", (("C0002",), ("12",))),
        (b"optanon-category-C0002_X", (("C0002_X",),)),
    ],
)
def test_onetrust_asks_for_every_group_of_its_classes(classes, categories):
    mark = mark_of(b'<img data-src="/a.png" class="' + classes + b'">', Manager.ONETRUST)

    assert mark
    assert mark.categories == categories


@pytest.mark.parametrize(
    ("markup", "categories"),
    [
        (b'<script type="text/plain" data-category="analytics"></script>', (("analytics",),)),
        (b'<script type="text/plain" data-category="a" data-service="B c"></script>', (("B c", "a"),)),
        (b'<script type="text/plain" data-category="!analytics"></script>', (("!analytics",),)),
        (b'<script type="text/plain" data-category="analytics" data-service="!S"></script>', (("!S",),)),
    ],
)
def test_vanilla_asks_for_the_service_before_its_category(markup, categories):
    mark = mark_of(markup, Manager.VANILLA)

    assert mark
    assert mark.categories == categories


@pytest.mark.parametrize(
    ("markup", "manager"),
    [
        (b'<script data-cookieconsent="ignore" src="/a.js"></script>', Manager.COOKIEBOT),
        (b'<script data-cookieconsent="" type="text/plain"></script>', Manager.COOKIEBOT),
        (b'<div data-cookieconsent="marketing"></div>', Manager.COOKIEBOT),
        (b'<iframe data-cookieconsent="marketing" data-src="/a" srcdoc="x"></iframe>', Manager.COOKIEBOT),
        (b'<img class="optanon" data-src="/a.png">', Manager.ONETRUST),
        # Names that anybody uses, on what waits for nobody.
        (b'<script data-name="stats" src="/a.js"></script>', Manager.KLARO),
        (b'<img data-name="Anna" src="/anna.png">', Manager.KLARO),
        (b'<script data-category="news" src="/a.js"></script>', Manager.VANILLA),
        (b'<img data-category="news" data-src="/a.png">', Manager.VANILLA),
        (b'<script type="text/plain" data-service="x"></script>', Manager.VANILLA),
        (b'<script type="text/plain" data-category="a"></script>', Manager.TARTEAUCITRON),
    ],
)
def test_what_no_manager_would_heed_has_no_mark(markup, manager):
    assert mark_of(markup, manager) is None


@pytest.mark.parametrize(
    ("markup", "manager"),
    [
        (b'<script data-cookieconsent="statistics" src="/a.js"></script>', Manager.COOKIEBOT),
        (b'<iframe class="optanon-category-C0004" src="/a"></iframe>', Manager.ONETRUST),
    ],
)
def test_tag_that_lives_already_is_not_inert(markup, manager):
    mark = mark_of(markup, manager)

    assert mark
    assert not mark.is_inert


@pytest.mark.parametrize(
    ("markup", "manager", "living"),
    [
        (
            b'<script type="text/plain" async data-cookieconsent="statistics" src="https://s.example/s.js" id=s></script>',
            Manager.COOKIEBOT,
            b'<script async src="https://s.example/s.js" id=s></script>',
        ),
        (
            b'<IFRAME data-cookieblock-src = \'https://v.example/?b="2"\' src="about:blank"\ndata-cookieconsent=a width=5>old</IFRAME>',
            Manager.COOKIEBOT,
            b"<IFRAME src = 'https://v.example/?b=\"2\"' width=5>old</IFRAME>",
        ),
        (
            b'<script type="text/plain" data-type="module" data-name="own" data-src="/own.js">a < b</script>',
            Manager.KLARO,
            b'<script type="module" src="/own.js">a < b</script>',
        ),
        (
            b'<link data-name="own" rel=stylesheet type="text/plain" data-type="text/css" data-href="/own.css">',
            Manager.KLARO,
            b'<link rel=stylesheet type="text/css" href="/own.css">',
        ),
        (
            b'<img class="optanon-category-C0002 wide" data-src="//s.example/p.gif" src="/wait.gif" alt>',
            Manager.ONETRUST,
            b'<img class="optanon-category-C0002 wide" src="//s.example/p.gif" alt>',
        ),
        (
            b"<script type='text/plain' data-category=a data-service='b' data-src=/a.js data-own=1>x</script>",
            Manager.VANILLA,
            b"<script src=/a.js data-own=1>x</script>",
        ),
    ],
    ids=["cookiebot script", "cookiebot frame", "klaro module", "klaro link", "onetrust image", "vanilla script"],
)
def test_living_tag_is_what_the_tag_says_byte_for_byte(markup, manager, living):
    assert live(markup, manager) == living


def test_offsets_of_the_living_tag_count_in_its_own_markup():
    page = b'<p>before</p><script type="text/plain" data-cookieconsent="statistics" data-src="/s.js">text</script>'
    found = revive(read_element(page, at=13), page, Manager.COOKIEBOT)

    assert found
    assert found.markup == b'<script src="/s.js">text</script>'
    element = found.element
    assert found.markup[element.end : element.text_end] == b"text"
    assert element.element_end == len(found.markup)
    assert [found.markup[each.name_at : each.end] for each in element.attributes] == [b'src="/s.js"']


@pytest.mark.parametrize(
    "address",
    [
        *(
            "javascript:alert(1)",
            " JavaScript:alert(1)",
            "java&#10;script:alert(1)",
            "data:text/html,x",
            "blob:https://x/1",
        ),
        *("about:blank", "file:///etc/passwd", "vbscript:x", "\x01javascript:alert(1)", "java\tscript:alert(1)"),
    ],
)
@pytest.mark.parametrize("name", ["script", "iframe", "img"])
def test_tag_with_another_address_than_http_never_lives(address, name):
    markup = f'<{name} type="text/plain" data-cookieconsent="necessary" data-src="{address}"></{name}>'.encode()

    assert live(markup, Manager.COOKIEBOT) is None


def test_address_that_was_there_counts_as_well_as_one_that_comes():
    assert (
        live(b'<script type="text/plain" data-cookieconsent="a" src="javascript:x"></script>', Manager.COOKIEBOT)
        is None
    )


@pytest.mark.parametrize(
    "address", ["https://a.example/", "HTTP://a", "//a.example/x", "/a", "a.js", "?a=b:c", " https://a "]
)
def test_address_of_http_or_of_the_site_is_plain(address):
    assert is_plain_address(address)


@pytest.mark.parametrize("address", ["", "  ", "\t\n", "javascript:1", "x-own+a.b-c:1"])
def test_address_elsewhere_is_not_plain(address):
    assert not is_plain_address(address)


@pytest.mark.parametrize("kind", ["importmap", "speculationrules", "text/plain", "application/json", "text/x-own"])
def test_script_lives_as_script_only(kind):
    markup = f'<script type="text/plain" data-type="{kind}" data-name="a">x</script>'.encode()

    assert live(markup, Manager.KLARO) is None


def test_first_attribute_of_a_name_counts():
    markup = (
        b'<script type="text/plain" type="module" data-src="/a.js" data-src="https://evil.example/" nonce=a nonce=b '
        b'data-category="a"></script>'
    )

    assert live(markup, Manager.VANILLA) == b'<script src="/a.js" nonce=a></script>'


@pytest.mark.parametrize("name", ["iframe", "img", "link"])
def test_handlers_do_not_come_to_life_with_what_waited_for_an_address(name):
    markup = f'<{name} data-name="a" data-src="/x" onload="evil()" ONERROR=evil() data-onclick="evil()">'.encode()

    assert live(markup + f"</{name}>".encode(), Manager.KLARO).partition(b">")[0] == (
        f'<{name} src="/x" data-onclick="evil()"'.encode()
    )


def test_names_that_only_a_parser_takes_are_left_out():
    markup = b'<img class="optanon-category-C0001" <b =c x"y=1 data-src="/a.png">'

    assert live(markup.replace(b'x"y', b"x\x00y"), Manager.ONETRUST) == (
        b'<img class="optanon-category-C0001" src="/a.png">'
    )
