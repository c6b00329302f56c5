"""The guide to cookies is true: its site does what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from consent.testing import grant

GUIDE = (Path(__file__).parents[2] / "docs" / "cookies.md").read_text(encoding="utf-8")


@pytest.fixture
def site():
    """The site of the guide."""
    (block,) = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    names: dict[str, object] = {"__name__": __name__}
    exec(compile(block, "cookies.md", "exec"), names)
    return names["app"]


def names_of(values):
    return [value.partition("=")[0] for value in values]


def test_site_of_the_guide_sends_what_is_granted(site, set_cookies, caplog):
    client = site.test_client()
    before = names_of(set_cookies(client.get("/article")))
    grant(client, "analytics")

    assert before == ["theme", "session"]
    assert names_of(set_cookies(client.get("/article"))) == ["reader", "theme", "session"]
    assert "'reader' of 'counter' was not sent" in caplog.text
    assert "'theme' was sent, which no service declares" in caplog.text
    assert "'session'" not in caplog.text


def test_site_of_the_guide_expires_what_it_hides(site, set_cookies):
    client = site.test_client()
    client.set_cookie("reader_1", "x")

    assert [value for value in set_cookies(client.get("/article")) if value.startswith("reader_1=; ")]
