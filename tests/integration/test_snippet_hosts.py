"""What a service loads from has to be declared, or nobody is told of it and nothing holds it back."""

from __future__ import annotations

import re

import pytest
from flask import render_template_string

from consent import Embed, Parameter, Service
from consent.errors import ConfigError

URL = Parameter("url", pattern="https://[a-z.]{3,40}", example="https://stats.example")


@pytest.mark.parametrize(
    "markup", ['<script src="https://other.example/s.js"></script>', "<script>load('//other.example/x')</script>"]
)
def test_snippet_that_loads_from_an_undeclared_host_is_refused(make_app, markup):
    service = Service("own", name="Own", purposes=("analytics",), hosts=("own.example",), snippet=markup)

    with pytest.raises(
        ConfigError, match=re.escape("'own' loads from 'other.example', which is not among its hosts: 'own.example'")
    ):
        make_app(services=[service])


def test_host_that_comes_with_a_parameter_is_the_sites_own(make_app):
    markup = '<script src="{{ url }}/s.js"></script>'
    service = Service("own", name="Own", purposes=("analytics",), parameters=(URL,), snippet=markup)

    assert make_app(services=[service])


def test_parameter_that_leads_to_an_undeclared_host_is_refused_where_it_is_written(make_app):
    service = Service(
        "own",
        name="Own",
        purposes=("analytics",),
        hosts=("stats.example",),
        parameters=(URL,),
        snippet='<script src="{{ url }}/s.js"></script>',
    )
    app = make_app(services=[service])
    app.testing = True
    source = '{% from "consent/macros.html" import script %}{{ script("own", url="https://stats.evil") }}'
    app.add_url_rule("/page", "page", lambda: render_template_string(source))

    with pytest.raises(
        ConfigError, match=r"'own' loads from 'stats.evil', which is not among its hosts: 'stats.example'"
    ):
        app.test_client().get("/page")


@pytest.mark.parametrize(
    "markup",
    [
        "<script src=https://other.example/s.js></script>",
        '<script src="HTTPS://OTHER.example/s.js"></script>',
        '<script src=" https://other.example/s.js"></script>',
        "<script>new WebSocket(`wss://other.example/`)</script>",
        '<img srcset="/a.png 1x, //other.example/b.png 2x" alt="">',
        '<script src="https://key@other.example/s.js"></script>',
    ],
)
def test_undeclared_host_is_found_however_it_is_written(make_app, markup):
    with pytest.raises(ConfigError, match=r"(?i)loads from 'other.example'"):
        make_app(services=[Service("own", name="Own", purposes=("analytics",), hosts=("own.example",), snippet=markup)])


@pytest.mark.parametrize("snippet", ["{{ 1 + u }}", "{{ 1 / 0 }}"])
def test_snippet_that_fails_names_its_service(make_app, snippet):
    parameter = Parameter("u", pattern="[a-z]{1,9}", example="a")
    service = Service("own", name="Own", purposes=("analytics",), parameters=(parameter,), snippet=snippet)

    with pytest.raises(ConfigError, match=r"The snippet of service 'own' has a mistake"):
        make_app(services=[service])


@pytest.mark.parametrize("hosts", [(), ("www.example",), ("*.player.example",)])
def test_frame_from_an_undeclared_host_is_refused(hosts):
    embed = Embed(
        url="https://player.example/{id}",
        source_url="https://www.example/{id}",
        id_pattern="[a-z]{1,9}",
        id_example="a",
    )

    with pytest.raises(ConfigError, match=r"embeds from 'player.example', which is not among its hosts"):
        Service("own", name="Own", purposes=("marketing",), hosts=hosts, embed=embed)


@pytest.mark.parametrize("url", ["https://{id}/x", "https://{id}.example/", "https://{site_host}/{id}"])
def test_id_cannot_choose_the_host_of_a_frame(url):
    with pytest.raises(ConfigError, match="takes its host from the id"):
        Embed(url=url, source_url="https://www.example/{id}", id_pattern="[a-z.]{1,20}", id_example="a.example")


def test_subdomains_are_declared_by_a_star():
    service = Service("own", name="Own", purposes=("analytics",), hosts=("*.own.example",))

    assert service.has_host("a.b.own.example")
    assert not service.has_host("own.example")
    assert not service.has_host("evilown.example")


def test_hosts_by_use_are_hosts_too():
    service = Service(
        "own",
        name="Own",
        purposes=("analytics",),
        hosts=("a.example",),
        hosts_by_use={"script": ("b.example", "a.example")},
    )

    assert service.hosts == ("a.example", "b.example")


def test_use_of_a_host_is_one_of_those_that_there_are():
    with pytest.raises(ConfigError, match=r"'hosts_by_use' of service 'own' must be one of 'script', 'connect'"):
        Service("own", name="Own", purposes=("analytics",), hosts_by_use={"scripts": ("b.example",)})


def test_path_in_an_embed_keeps_its_slashes_only_where_declared(make_app, choose):
    embed = Embed(
        url="https://p.example/{id}?on={site_host}",
        source_url="https://p.example/{id}",
        id_pattern="[a-z/]{1,9}",
        id_example="a/b",
        keeps_slashes=True,
    )
    app = make_app(services=[Service("own", name="Own", purposes=("marketing",), hosts=("p.example",), embed=embed)])
    source = '{% from "consent/macros.html" import embed %}{{ embed("own", "a/b", title="T") }}'
    app.add_url_rule("/page", "page", lambda: render_template_string(source))
    client = app.test_client()
    choose(client, "accept_all")

    assert 'src="https://p.example/a/b?on=localhost"' in client.get("/page").text
