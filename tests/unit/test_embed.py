"""What a parameter and an embed may be, and which ids an embed takes."""

from __future__ import annotations

import pytest

from consent.core.embed import Embed, Parameter
from consent.errors import ConfigError

URL_RULE = "Allowed are 'https://…', 'http://…' or a path such as '/privacy'."


def make_embed(**changes):
    values = {
        "url": "https://v.example/{id}",
        "source_url": "https://v.example/watch/{id}",
        "id_pattern": "[a-z]+",
        "id_example": "abc",
    }
    return Embed(**(values | changes))


@pytest.mark.parametrize("name", ["", "a-b", "1a", "nonce", "a b", "a\n", "class", "None"])
def test_parameter_refuses_a_name_that_is_no_keyword_argument(name):
    with pytest.raises(ConfigError) as error:
        Parameter(name, pattern="a", example="a")

    assert str(error.value) == (
        f"Parameter name {name!r} must be a Python identifier, no keyword such as 'class', and not 'nonce': "
        "it is written as a keyword argument of script(). Take another name."
    )


def test_parameter_refuses_a_pattern_that_does_not_compile():
    with pytest.raises(ConfigError) as error:
        Parameter("id", pattern="[", example="a")

    assert str(error.value) == (
        "The pattern '[' of parameter 'id' does not compile: unterminated character set at position 0."
    )


@pytest.mark.parametrize("example", ["G-1\n", "xG-1", "G-1x", ""])
def test_parameter_refuses_an_example_that_does_not_match_as_a_whole(example):
    with pytest.raises(ConfigError) as error:
        Parameter("id", pattern=r"G-\d", example=example)

    assert str(error.value) == f"The pattern 'G-\\\\d' of parameter 'id' refuses its own example {example!r}."


def test_embed_refuses_an_example_id_that_does_not_match():
    with pytest.raises(ConfigError) as error:
        make_embed(id_example="A B")

    assert str(error.value) == "The pattern '[a-z]+' of an embed's id refuses its own example 'A B'."


@pytest.mark.parametrize("field", ["url", "source_url"])
def test_embed_refuses_a_url_without_the_id(field):
    with pytest.raises(ConfigError) as error:
        make_embed(**{field: "https://v.example/"})

    assert str(error.value) == "The embed URL 'https://v.example/' must hold '{id}'."


@pytest.mark.parametrize("url", ["javascript:{id}", "//v.example/{id}", "data:{id}"])
@pytest.mark.parametrize("field", ["url", "source_url"])
def test_embed_refuses_a_hostile_url(field, url):
    with pytest.raises(ConfigError) as error:
        make_embed(**{field: url})

    assert str(error.value) == f"an embed holds the URL {url!r}. {URL_RULE}"


@pytest.mark.parametrize(
    ("fields", "name", "wanted"),
    [
        ({"name": 3}, "name", "str"),
        ({"pattern": None}, "pattern", "str"),
        ({"example": 5}, "example", "str"),
        ({"required": 1}, "required", "bool"),
    ],
)
def test_parameter_refuses_another_type(fields, name, wanted):
    values = {"name": "id", "pattern": "a", "example": "a"} | fields

    with pytest.raises(ConfigError, match=f"^'{name}' of parameter .* must be of type {wanted}, got "):
        Parameter(values.pop("name"), **values)


@pytest.mark.parametrize(
    ("field", "value", "wanted"),
    [
        ("url", None, "str"),
        ("source_url", b"https://v.example/{id}", "str"),
        ("id_pattern", None, "str"),
        ("id_example", 12, "str"),
        ("width", "wide", "int"),
        ("width", True, "int"),
        ("height", 1.5, "int"),
        ("allow", None, "str"),
        ("keeps_slashes", "yes", "bool"),
    ],
)
def test_embed_refuses_another_type(field, value, wanted):
    with pytest.raises(ConfigError) as error:
        make_embed(**{field: value})

    assert str(error.value) == f"{field!r} of an embed must be of type {wanted}, got {value!r}."


@pytest.mark.parametrize("field", ["width", "height"])
@pytest.mark.parametrize("size", [0, -3])
def test_embed_refuses_a_size_below_one(field, size):
    with pytest.raises(ConfigError) as error:
        make_embed(**{field: size})

    assert str(error.value) == f"{field!r} of an embed must be at least 1, in CSS pixels, got {size}."


@pytest.mark.parametrize("field", ["url", "source_url"])
@pytest.mark.parametrize("url", ["https://v.example/{foo}/{id}", "https://v.example/{id}}", "/x/{}/{id}", "/{ID}/{id}"])
def test_embed_refuses_an_unknown_placeholder(field, url):
    with pytest.raises(ConfigError, match="holds an unknown placeholder or brace"):
        make_embed(**{field: url})


def test_embed_knows_the_host_of_the_site_in_its_own_address_alone():
    assert make_embed(url="https://v.example/{id}?parent={site_host}")
    with pytest.raises(ConfigError, match=r"Allowed are \{id\}; "):
        make_embed(source_url="https://v.example/{id}?parent={site_host}")


@pytest.mark.parametrize("url", ["/{id}", "/{id}/x"])
@pytest.mark.parametrize("field", ["url", "source_url"])
def test_embed_whose_id_keeps_its_slashes_cannot_begin_with_it(field, url):
    # `/{id}` with the id `/evil.example/p` would be an address on another host.
    assert make_embed(**{field: url})
    with pytest.raises(ConfigError, match="begins with an id that keeps its slashes, and could name a host"):
        make_embed(keeps_slashes=True, **{field: url})


@pytest.mark.parametrize(
    ("embed_id", "is_taken"),
    [
        ("a", True),
        ("a/b.c/d", True),
        ("a/", True),
        ("/a", False),
        ("a//b", False),
        ("//", False),
        ("/", False),
        ("..", False),
        (".", False),
        ("a/../b", False),
        ("a/.", False),
        ("a/b/..", False),
        ("A", False),
        ("", False),
    ],
)
def test_embed_takes_ids_that_stay_in_their_folder(embed_id, is_taken):
    embed = make_embed(keeps_slashes=True, id_pattern="[a-z./]{1,20}")

    assert embed.takes(embed_id) is is_taken


@pytest.mark.parametrize(("embed_id", "is_taken"), [("/a//b", True), ("..", False), ("A", False), ("a\n", False)])
def test_embed_takes_slashes_as_text_where_they_are_encoded(embed_id, is_taken):
    assert make_embed(id_pattern="[a-z./]{1,20}").takes(embed_id) is is_taken


def test_embed_refuses_an_example_that_leaves_its_folder():
    with pytest.raises(ConfigError, match="of an embed's id leaves its folder"):
        make_embed(keeps_slashes=True, id_pattern="[a-z./]{1,20}", id_example="../a")
