"""The guide to markup that nobody tagged is true."""

from __future__ import annotations

import re
from pathlib import Path

from flask import Flask, render_template_string

from consent.testing import grant
from tests.held_markup import PIXEL, VIDEO, contacts

GUIDE = (Path(__file__).parents[2] / "docs" / "untagged-markup.md").read_text(encoding="utf-8")


def test_app_and_filter_of_the_guide_hold_a_video():
    names: dict[str, object] = {"__name__": __name__}
    exec(compile(re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)[0], "untagged-markup.md", "exec"), names)
    template = re.findall(r"```jinja\n(.*?)```", GUIDE, re.DOTALL)[0]
    app = names["app"]
    assert isinstance(app, Flask)
    app.add_url_rule("/story", "story", lambda: render_template_string(template, story={"body": VIDEO}))
    app.add_url_rule("/page", "page", lambda: PIXEL)
    client = app.test_client()

    assert contacts(client.get("/story").text) == set()
    assert contacts(client.get("/page").text) == set()
    grant(client)
    assert VIDEO in client.get("/story").text
