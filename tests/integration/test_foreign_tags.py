"""Tags of other consent managers in the pages of a site: held, brought to life, or left as they are."""

from __future__ import annotations

import logging

import pytest
from markupsafe import Markup

import consent.testing
from tests.foreign_site import ALL_MANAGERS, LIVE_STATS, STATS, ForeignSite, read_leaks

GTAG = '<script type="text/plain" data-cookieconsent="statistics" src="https://www.googletagmanager.com/gtag/js?id=G-AB12CD34EF"></script>'
FILM = '<iframe data-cookieblock-src="https://www.youtube.com/embed/aqz-KE-bpKQ" data-cookieconsent="marketing" title="Bunny"></iframe>'


@pytest.fixture
def visit(make_app, add_page):
    """Return a function that gives a page around some markup, as a visitor gets it."""
    return ForeignSite(make_app, add_page).visit


@pytest.fixture
def told(caplog):
    """What the developer is told of tags that stay as they are, and of what is left of other managers."""
    caplog.set_level(logging.WARNING, logger="consent")
    return lambda: [record.getMessage() for record in caplog.records]


def test_tag_is_held_in_place_before_a_choice(visit):
    page = visit(b"<p>1</p>" + STATS + b"<p>2</p>").data

    assert STATS not in page
    assert b"<p>1</p>" in page
    assert b'data-consent-gate="analytics"' in page
    assert b'\\u003cscript src=\\"/stats.js\\"' in page
    assert LIVE_STATS not in page


def test_tag_is_held_after_a_refusal(visit):
    page = visit(STATS, refused=True).data

    assert b'data-consent-gate="analytics"' in page
    assert LIVE_STATS not in page


def test_tag_lives_once_it_is_granted_and_nothing_else_changes(visit):
    answer = visit(b"<p>\xff & 1</p>" + STATS + b"<p >2</P>", "analytics", is_whole=False)

    assert answer.data == b"<p>\xff & 1</p>" + LIVE_STATS + b"<p >2</P>"
    assert answer.headers["Vary"] == "Cookie, Sec-GPC"


def test_every_category_of_a_list_must_be_granted(visit):
    both = STATS.replace(b"statistics", b"statistics,marketing")

    assert LIVE_STATS not in visit(both, "analytics").data
    assert LIVE_STATS in visit(both, "analytics", "marketing").data


def test_what_is_necessary_lives_at_once(visit):
    assert LIVE_STATS in visit(STATS.replace(b"statistics", b"necessary"), refused=True).data


def test_page_without_such_tags_is_the_same_for_everyone(visit):
    answer = visit('<p data-name="x">Anna, data-category and optanon-category-C0002</p>', is_whole=False)

    assert answer.text == '<p data-name="x">Anna, data-category and optanon-category-C0002</p>'
    assert "Vary" not in answer.headers


def test_tags_stay_as_they_are_without_the_setting(visit):
    assert visit(STATS, CONSENT_FOREIGN_TAGS={}, is_whole=False).data == STATS


def test_filter_reads_them_too(render):
    source = "{{ body|hold }}"
    config: dict[str, object] = {"CONSENT_FOREIGN_TAGS": {"cookiebot": {}}}

    def show(**options):
        return render("{% set body %}" + STATS.decode() + "{% endset %}" + source, **options, **config).text

    assert LIVE_STATS.decode() not in show()
    assert 'data-consent-gate="analytics"' in show()
    assert show(granted=["analytics"]) == LIVE_STATS.decode()


def test_what_the_filter_has_done_whole_pages_leave(make_app):
    app = make_app(CONSENT_FOREIGN_TAGS=ALL_MANAGERS, CONSENT_AUTO_HOLD="enforce")
    frame = '<div class="youtube_player" videoID="aqz-KE-bpKQ"></div>'
    hold = app.jinja_env.filters["hold"]
    app.add_url_rule("/once", "once", lambda: Markup(STATS.decode() + frame))
    app.add_url_rule("/twice", "twice", lambda: hold(STATS.decode() + frame))
    client = app.test_client()
    consent.testing.grant(client)

    assert client.get("/twice").data == client.get("/once").data
    assert client.get("/once").text.count("<iframe") == 1


# -- services that a tag loads


def test_service_that_is_refused_alone_stays_shut_whatever_its_category_says(visit):
    services = ("google-analytics", "plausible")

    assert 'data-consent-gate="google-analytics"' in visit(GTAG, "plausible", services=services).text


def test_service_that_is_allowed_alone_opens_without_its_category(visit):
    page = visit(FILM, "youtube").text

    assert '<iframe src="https://www.youtube.com/embed/aqz-KE-bpKQ" title="Bunny"></iframe>' in page


def test_frame_of_a_known_service_becomes_its_placeholder(visit):
    page = visit(FILM).text

    assert 'data-consent-embed="youtube"' in page
    assert 'name="id" value="aqz-KE-bpKQ"' in page
    assert 'data-consent-gate="youtube"' in page


def test_category_that_the_service_does_not_serve_must_be_granted_as_well(visit):
    film = FILM.replace("marketing", "statistics")

    assert 'data-consent-gate="youtube analytics"' in visit(film, "youtube").text
    assert "<iframe src=" in visit(film, "youtube", "analytics").text


def test_provider_is_told_in_front_of_its_tag(visit):
    page = visit(GTAG, "analytics").text

    assert page.index('gtag("consent", "default", {"ad_storage": "denied"') < page.index(
        '<script src="https://www.googletagmanager.com/gtag/js'
    )


def test_service_that_the_site_does_not_declare_stays_as_it_is(visit, told):
    hotjar = '<script type="text/plain" data-cookieconsent="statistics" src="https://static.hotjar.com/c/hotjar-1.js?sv=6"></script>'

    assert hotjar in visit(hotjar, everything=True).text
    assert [(leak["kind"], leak["subject"]) for leak in read_leaks(told())] == [
        ("markup_undeclared", "static.hotjar.com")
    ]


def test_frame_in_a_form_is_held_without_a_form_of_its_own(visit):
    page = visit(f"<form>{FILM}</form>").text

    assert "data-consent-embed" not in page
    assert 'data-consent-gate="youtube"' in page


# -- what stays as it is


@pytest.mark.parametrize(
    ("tag", "subject"),
    [
        (STATS.replace(b"statistics", b"unclassified"), "unclassified"),
        (b'<img class="optanon-category-C0042" data-src="/a.png">', "C0042"),
        (b'<script type="text/plain" data-category="!analytics">x()</script>', "!analytics"),
        (b'<iframe data-name="nobody" data-src="/a"></iframe>', "nobody"),
        (b'<div class="tac_iframe" data-url="https://a.example/"></div>', "iframe"),
        (b'<div class="youtube_player" videoID="not an id"></div>', "youtube"),
        (STATS.replace(b"/stats.js", b"javascript:x()"), "script"),
    ],
)
def test_tag_that_means_nothing_stays_shut_and_is_told_of(visit, told, tag, subject):
    assert tag in visit(tag, everything=True, is_whole=False).data
    assert {leak["subject"] for leak in read_leaks(told())} == {subject}
    assert any("stays as it is" in line for line in told())
    assert any(f"written for another consent manager, stays shut over {subject!r}: " in line for line in told())


@pytest.mark.parametrize(
    "markup",
    [
        '<noscript><img data-cookieblock-src="/a.png" data-cookieconsent="statistics"></noscript>',
        '<template><img data-cookieblock-src="/a.png" data-cookieconsent="statistics"></template>',
        '<select><img data-cookieblock-src="/a.png" data-cookieconsent="statistics"></select>',
        '<svg><script type="text/plain" data-cookieconsent="statistics" src="/a.js"></script></svg>',
        '<math><script type="text/plain" data-cookieconsent="statistics" src="/a.js"></script></math>',
        '<!-- <img data-cookieblock-src="/a.png" data-cookieconsent="statistics"> -->',
        '<textarea><img data-cookieblock-src="/a.png" data-cookieconsent="statistics"></textarea>',
        '<img data-cookieblock-src="/a.png" data-cookieconsent="statistics"',
        '<script type="text/plain" data-cookieconsent="statistics" src="/a.js"> never closed',
    ],
)
def test_tag_where_none_can_come_to_life_stays_as_it_is(visit, markup):
    assert visit(markup, everything=True, is_whole=False).text == markup


def test_what_means_nothing_is_told_once(make_app, add_page, told):
    app = make_app(CONSENT_FOREIGN_TAGS={"cookiebot": {}}, CONSENT_AUTO_HOLD="enforce")
    add_page(app, "/page", STATS.decode().replace("statistics", "unclassified") * 2)
    for _ in range(2):
        app.test_client().get("/page")

    assert len(read_leaks(told())) == 1
    assert sum("CONSENT_FOREIGN_TAGS['cookiebot']" in line for line in told()) == 1


def test_names_without_end_are_told_of_within_bounds(visit, told):
    tags = "".join(f'<img data-src="/a" class="optanon-category-C{at}{"9" * 5000}">' for at in range(1500))

    assert tags in visit(tags, everything=True, is_whole=False).text
    assert max(map(len, told())) < 1000
    assert sum("stays as it is" in line for line in told()) <= 1024


def test_script_comes_to_life_with_the_nonce_of_the_page_only(visit, told):
    nonced = STATS.replace(b"<script", b'<script nonce="n1"')
    config = {"CONSENT_CSP_NONCE": lambda: "n1"}

    assert b'<script nonce="n1" src="/stats.js"></script>' in visit(nonced, everything=True, **config).data
    for tag in (STATS, nonced.replace(b"n1", b"n2")):
        assert tag in visit(tag, everything=True, **config).data
    assert {leak["subject"] for leak in read_leaks(told())} == {"nonce"}


# -- tags that live already


@pytest.mark.parametrize(
    "tag",
    [
        '<iframe class="optanon-category-C0004" src="/own"></iframe>',
        '<script data-cookieconsent="marketing">x()</script>',
        '<img src="https://unheard-of.example/a.gif" data-cookieconsent="marketing">',
    ],
)
def test_living_tag_with_a_category_is_held_until_it_is_granted(visit, tag):
    assert tag not in visit(tag).text
    assert 'data-consent-gate="marketing"' in visit(tag).text
    assert tag in visit(tag, "marketing").text


def test_living_tag_in_a_template_loses_its_address(visit):
    markup = '<template><img src="/a.gif" data-cookieconsent="marketing"></template>'

    assert '<template><img data-consent-src="/a.gif"' in visit(markup).text
    assert visit(markup, "marketing", is_whole=False).text == markup


def test_tag_that_cookiebot_ignores_is_judged_by_its_address(visit):
    ignored = GTAG.replace("statistics", "ignore").replace(' type="text/plain"', "")

    assert 'data-consent-gate="google-analytics"' in visit(ignored).text


# -- pages of every kind


def test_player_waits_for_a_page_load(visit):
    player = '<video data-src="/a.mp4" class="optanon-category-C0004" controls></video>'
    shut = visit(player).text

    assert player in shut
    assert 'data-consent-gate="marketing" data-consent-key=""' in shut
    assert '<video src="/a.mp4" class="optanon-category-C0004" controls></video>' in visit(player, "marketing").text


def test_page_in_another_encoding_keeps_its_bytes(make_app, add_page):
    app = make_app(CONSENT_FOREIGN_TAGS=ALL_MANAGERS, CONSENT_AUTO_HOLD="enforce")
    tag = '<script type="text/plain" data-cookieconsent="statistics">x("é")</script>'.encode("latin-1")
    film = '<div class="youtube_player" videoID="aqz-KE-bpKQ" title="é"></div>'.encode("latin-1")
    add_page(app, "/page", lambda: app.response_class(tag + film, content_type="text/html; charset=iso-8859-1"))
    client = app.test_client()

    assert 'x("é")'.encode("latin-1") not in client.get("/page").data
    consent.testing.grant(client)
    assert '<script>x("é")</script>'.encode("latin-1") in client.get("/page").data


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_streamed_page_is_held_and_lives_alike(make_app, add_page, size):
    app = make_app(CONSENT_FOREIGN_TAGS=ALL_MANAGERS, CONSENT_AUTO_HOLD="enforce")
    page = b"<p>1</p>" + STATS + FILM.encode() + b"<p>2</p>"
    pieces = [page[at : at + size] for at in range(0, len(page), size)]
    add_page(app, "/page", lambda: app.response_class(iter(pieces), mimetype="text/html"))
    client = app.test_client()
    before = client.get("/page").data
    consent.testing.grant(client)
    after = client.get("/page").data

    assert LIVE_STATS not in before
    assert b'data-consent-gate="analytics"' in before
    assert b'data-consent-embed="youtube"' in before
    assert (
        after
        == b"<p>1</p>"
        + LIVE_STATS
        + FILM.encode().replace(b"data-cookieblock-src", b"src").replace(b' data-cookieconsent="marketing"', b"")
        + b"<p>2</p>"
    )


def test_placeholder_element_is_filled_with_the_frame_of_the_catalogue(visit):
    markup = '<div class="youtube_player" videoID="aqz-KE-bpKQ" width="640" height="360" title="Bünny"></div>'
    before, after = visit(markup).text, visit(markup, "youtube").text

    assert '<div class="youtube_player"  width="640" height="360" title="Bünny"><link rel="stylesheet"' in before
    assert 'value="aqz-KE-bpKQ"' in before
    assert 'title="Bünny"><iframe class="pvc-embed" src="https://www.youtube-nocookie.com/embed/aqz-KE-bpKQ"' in after
    assert 'title="B&#252;nny" width="640" height="360"' in after


def test_address_of_a_placeholder_cannot_leave_its_attribute(visit):
    markup = """<div class="tac_iframe" data-url='https://a.example/"onload="evil()' title='"><b>'></div>"""
    after = visit(markup, "marketing", CONSENT_FOREIGN_TAGS={"tarteaucitron": {"iframe": "marketing"}}).text

    assert '<iframe src="https://a.example/&quot;onload=&quot;evil()" title="&quot;&gt;&lt;b&gt;"' in after


@pytest.mark.parametrize(
    "tag",
    [
        b'<script type="text/plain" DATA-COOKIECONSENT="statistics" src="/s.js"></script>',
        b'<script type="text/plain" class="Optanon-Category-C0002" src="/s.js"></script>',
    ],
)
def test_mark_in_other_letters_is_not_seen_and_its_tag_stays_inert(visit, told, tag):
    assert tag in visit(tag, "analytics", "marketing", is_whole=False).data
    assert read_leaks(told()) == []


def test_image_loses_its_handlers_and_only_its_own_address_comes_to_life(visit):
    tag = b'<img data-cookieconsent="marketing" data-cookieblock-src="/a.png" onerror="x()" data-srcset="/b 2x" alt="">'

    assert b'<img src="/a.png" data-srcset="/b 2x" alt="">' in visit(tag, "marketing").data
