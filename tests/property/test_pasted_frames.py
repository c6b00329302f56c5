"""Whatever tags a story opens and forgets to close: a placeholder changes nothing of the document around its frame."""

from __future__ import annotations

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st

from consent import Consent
from consent.web.auto_hold import hold_markup
from tests.held_markup import END, HEAD, VIDEO, list_blocks
from tests.pasted_frames import outline

_NAMES = (
    "p a b i em nobr font span div h2 h3 ul li dl dd blockquote figure section button label summary center address code"
)
# Not a bare table: what does not belong into one is moved in front of it, piece by piece.
_TAGS = (
    *(f"<{name}>" for name in _NAMES.split()),
    *(f"</{name}>" for name in _NAMES.split()),
    *("<table><tr><td>", "</td></tr></table>", "<br>", "text"),
)


@pytest.fixture(scope="module")
def app():
    site = Flask(__name__)
    site.config.update(SECRET_KEY="a key that is long enough for every check", CONSENT_CONTROLLER="Stories Ltd")
    Consent(site, services=["youtube"])
    return site


@settings(max_examples=150)
@given(before=st.lists(st.sampled_from(_TAGS), max_size=12), after=st.lists(st.sampled_from(_TAGS), max_size=8))
def test_document_around_a_frame_is_the_one_that_was_written(app, before, after):
    # A link that was never closed goes on in the next paragraph: from its first text on, or its first placeholder, but not from a frame.
    story = f"{''.join(before)}text{VIDEO}{''.join(after)}"
    with app.test_request_context():
        held = str(hold_markup(story))

    assert list_blocks(HEAD + held + END) == [VIDEO]
    assert outline(HEAD + held + END) == outline(HEAD + story + END)
