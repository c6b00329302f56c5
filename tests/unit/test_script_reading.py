"""What a script loads, and what it merely names."""

from __future__ import annotations

import pytest

from consent.core.declaration import HostUse
from consent.core.host_table import ANY_USE
from consent.wire.script_reading import find_script_uses, keeps_data

URL = "//t.example/x"
# As frameworks write them.
DATA = [
    f'self.__next_f.push([1,"7:[\\"$\\",\\"iframe\\",null,{{\\"src\\":\\"https:{URL}\\"}}]\\n"])',
    f'(self.__next_f=self.__next_f||[]).push([0,"https:{URL}"])',
    f'window.__NUXT__={{data:[{{video:"https:{URL}"}}],fetch:{{}},error:null,serverRendered:true}}',
    f'window.__NUXT__=(function(a,b){{return {{data:[{{video:a,title:b}}]}}}}("https:{URL}","A (b) `c` / d"));',
    f"window.__STATE__ = Object.freeze({{gtm: 'https:{URL}', it: 'isn\\'t'}});",
    f'var settings = JSON.parse("{{\\"allowed\\":[\\"https:{URL}\\"]}}");',
    f'window.cfg = window.cfg || {{allowed:["https:{URL}"]}}',
]


@pytest.mark.parametrize("text", DATA)
def test_script_that_keeps_data_loads_nothing_that_it_names(text):
    assert keeps_data(text)
    assert list(find_script_uses(text)) == []


@pytest.mark.parametrize(
    "text",
    [
        f"s.src='https:{URL}'",
        f"(new Image).src='https:{URL}'",
        f"(function(d,u){{d.createElement('script').src=u}})(document,'https:{URL}')",
        f"track('https:{URL}')",
        f"x['load']('https:{URL}')",
        f"(0,eval)('https:{URL}')",
        f"i['src'] = 'https:{URL}'",
        f"location = 'https:{URL}'",
        f"a = /\"/; s.src = 'https:{URL}'; b = /\"/",
        f"a = `https:{URL}`",
        f"import 'https:{URL}'",
        f"q.load = function () {{ return 'https:{URL}' }}",
        f"q = u => 'https:{URL}'",
        f"a = 1 // https:{URL}",
        f"'\\'; track('https:{URL}')",
    ],
)
def test_script_that_may_load_something_keeps_more_than_data(text):
    assert not keeps_data(text)
    assert [url for url, _ in find_script_uses(text)] == [URL]


@pytest.mark.parametrize(
    ("text", "use"),
    [
        ("load('https:{}')", HostUse.SCRIPT),
        ("share(window.open('https:{}'))", HostUse.SCRIPT),
        ("(new Image()).src='https:{}'", HostUse.IMAGE),
        ('img.src = "{}"', HostUse.IMAGE),
        ("i['src']='https:{}'", HostUse.IMAGE),
        ("i.setAttribute( 'src' , 'https:{}')", HostUse.IMAGE),
        ("fetch('https:{}')", HostUse.CONNECT),
        ("navigator.sendBeacon(`https:{}`)", HostUse.CONNECT),
        ("x.open('POST', 'https:{}')", HostUse.CONNECT),
        ("new WebSocket('wss:{}')", HostUse.CONNECT),
        ("import('https:{}')", ANY_USE),
        ("importScripts('https:{}')", ANY_USE),
        ("style = 'background:url({})'; f()", ANY_USE),
        ("document.write('<img width=1 src=\"https:{}\">')", HostUse.IMAGE),
        ("document.write('<iframe src=\\'https:{}\\'></iframe>')", HostUse.FRAME),
        # No markup that is written now.
        ("story('<iframe src=\"https:{}\"></iframe>')", HostUse.SCRIPT),
    ],
)
def test_what_an_address_is_loaded_for(text, use):
    assert list(find_script_uses(text.replace("{}", URL))) == [(URL, use)]


def test_beginning_of_a_script_is_no_data_for_sure():
    text = f'window.state = {{"loader": "{URL}"}}'

    assert list(find_script_uses(text)) == []
    assert [url for url, _ in find_script_uses(text, is_whole=False)] == [URL]
