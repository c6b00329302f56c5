"""Frames that were pasted into stories: what is written around them stays as it was, whatever stands in their place."""

from __future__ import annotations

import pytest

import consent.testing
from tests.held_markup import END, HEAD, SERVICES, VIDEO, contacts, list_blocks, parse
from tests.pasted_frames import outline

# Where editors put frames, and where people do who write by hand; the last ones are not well-formed.
PLACES = [
    "<p class=lead>before {} after</p><p>next</p>",
    "<p>before {}<p>unclosed",
    "<p><a href=/film>before {} after</a></p>",
    "<a href=/film><b>before {} after</b> more</a>",
    "<h2>before {} after</h2>",
    "<ul><li>before {} after<li>next</ul>",
    "<dl><dt>{}<dd>{}</dl>",
    "<p><span><em>before {}</em> after</span></p>",
    "<figure><p>{}</p><figcaption>after</figcaption></figure>",
    "<table><tr><td><p>before {}</p>after</table>",
    "<table><caption><p>{}</table>",
    "<p><label>before {} after</label></p>",
    "<p>two {} of them {} here</p>",
    "<p><a href=/film><b>unclosed {} after<p>next",
    "<p><b><i>crossed {} over</b> after</i></p>",
    "<button>before {} after</button>",
]


@pytest.fixture
def site(make_app):
    return make_app(
        {"page.html": "{{ body|hold }}"}, services=SERVICES, CONSENT_AUTO_HOLD="enforce", CONSENT_INJECT=False
    )


@pytest.fixture
def get(site, add_page):
    """Return a function that asks for a page of this markup."""

    def ask(markup):
        add_page(site, "/page", markup)
        return site.test_client().get("/page").text

    return ask


@pytest.fixture
def hold(site):
    """Return a function that puts markup through the filter."""

    def ask(markup):
        with site.test_request_context():
            return site.jinja_env.get_template("page.html").render(body=markup)

    return ask


@pytest.mark.parametrize("place", PLACES)
def test_document_around_a_frame_stays_as_it_was_written(get, place):
    page = HEAD + place.replace("{}", VIDEO) + END
    held = get(page)

    assert contacts(held) == set()
    assert list_blocks(held) == [VIDEO] * place.count("{}")
    assert held.count("data-consent-embed=") == place.count("{}")
    assert outline(held) == outline(page)


@pytest.mark.parametrize("place", PLACES)
def test_document_around_a_story_from_the_filter_stays_as_it_was_written(hold, place):
    story = place.replace("{}", VIDEO)

    assert outline(HEAD + hold(story) + END) == outline(HEAD + story + END)


def test_placeholder_in_a_paragraph_is_whole(hold):
    [box] = parse(HEAD + hold(f"<p>before {VIDEO} after</p>") + END).findall(".//p/*[@data-consent-embed]")

    assert box.get("role") == "group"
    assert [button.get("value") for button in box.iter("button")] == ["once", "allow"]
    assert [form.get("method") for form in box.iter("form")] == ["post", "post"]
    assert [child.tag for child in box if child.get("data-consent-gate")] == ["script"]


def test_placeholder_of_embed_is_one_that_validates(make_app):
    source = "{% from 'consent/macros.html' import embed %}{{ embed('youtube', 'aqz-KE-bpKQ', title='Bunny') }}"
    app = make_app({"page.html": source}, services=SERVICES)
    with app.test_request_context():
        text = app.jinja_env.get_template("page.html").render()

    assert '<div class="pvc-embed" ' in text
    assert "<applet" not in text


def test_story_is_as_it_was_once_it_is_granted(site, add_page):
    page = HEAD + PLACES[0].replace("{}", VIDEO) + END
    add_page(site, "/page", page)
    client = site.test_client()
    consent.testing.grant(client, "youtube")

    assert client.get("/page").text == page
