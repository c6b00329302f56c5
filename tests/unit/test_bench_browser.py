"""What `make bench-browser` makes of its loads, and how it makes its pages: the parts that need no browser."""

from __future__ import annotations

import pytest

from tests.bench.browser.figures import Figure, Load, Target, compute_line, compute_targets
from tests.bench.browser.markup import cut_banner, cut_library, find_assets, has_script, place
from tests.bench.browser.table import format_figure, format_lines, format_targets

BANNER = '<section class="pvc-banner" lang="en"><form><h2>Choices</h2></form></section>'
STYLE = '<link rel="stylesheet" href="/privacy-choices/assets/banner.4f0c.css">'
SCRIPT = (
    """<script src="/privacy-choices/assets/consent.1b2d.js" defer data-consent-page='{"saved": "a > b"}'></script>"""
)
HELD = (
    '<script type="application/json" data-consent-gate="ads" data-consent-key="k">'
    '"\\u003cscript src=\\"/privacy-choices/assets/x.js\\"\\u003e\\u003c/script\\u003e"</script>'
)
OWN = '<link rel="stylesheet" href="/static/site.css"><script src="/static/site.js"></script>'


def make_load(
    *, size=1000, paint=100.0, visible: float | None = 100.0, script: float = 0.0, shift: float = 0.0
) -> Load:
    return Load(
        transferred_bytes=size,
        requests=4,
        first_paint_ms=paint,
        appears_ms=visible,
        visible_ms=visible,
        script_ms=script,
        layout_shift=shift,
    )


def make_round(**loads: Load) -> dict[str, Load]:
    plain = {
        "bare": make_load(visible=None),
        "html-only": make_load(),
        "ours": make_load(),
        "vanilla-cookieconsent": make_load(script=40),
    }
    return plain | {name.replace("_", "-"): load for name, load in loads.items()}


def test_ratio_is_taken_within_each_round():
    rounds = [
        make_round(html_only=make_load(visible=100), ours=make_load(visible=200)),
        make_round(html_only=make_load(visible=400), ours=make_load(visible=400)),
        make_round(html_only=make_load(visible=1000), ours=make_load(visible=1100)),
    ]

    figure = compute_line(rounds, "ours")["visible"]

    assert figure == Figure(value=400, ratios=(2.0, 1.0, 1.1))
    assert figure.ratio == 1.1


def test_wait_is_from_first_paint_to_banner():
    rounds = [make_round(ours=make_load(paint=300, visible=450))]

    assert compute_line(rounds, "ours")["wait"] == Figure(value=150)


def test_script_time_leaves_out_the_bare_page_of_its_round():
    rounds = [
        make_round(
            bare=make_load(visible=None, script=2),
            ours=make_load(script=7),
            vanilla_cookieconsent=make_load(script=52),
        )
    ]

    assert compute_line(rounds, "ours")["script"] == Figure(value=5, ratios=(0.1,))


def test_page_without_banner_has_no_time_of_it():
    line = compute_line([make_round()], "bare")

    assert line["appears"] == line["visible"] == line["wait"] == Figure(value=None)


def test_layout_shift_is_the_largest_of_all_rounds():
    rounds = [make_round(), make_round(ours=make_load(shift=0.02)), make_round()]

    assert compute_line(rounds, "ours")["shift"] == Figure(value=0.02)


def test_target_tells_how_far_the_rounds_are_apart():
    rounds = [make_round(ours=make_load(visible=visible)) for visible in (90, 130, 100)]

    target = compute_targets(rounds)[0]

    assert (target.lowest, target.measured, target.highest) == (0.9, 1.0, 1.3)


def test_targets_are_met_at_their_edge():
    rounds = [make_round(ours=make_load(visible=105, script=10))]

    assert [target.verdict for target in compute_targets(rounds)] == ["met", "met", "met"]


def test_targets_are_missed_beyond_their_edge():
    rounds = [make_round(ours=make_load(visible=106, script=11, shift=0.001))]

    assert [target.verdict for target in compute_targets(rounds)] == ["missed", "missed", "missed"]


def test_one_shift_in_any_round_misses_its_target():
    rounds = [make_round(), make_round(), make_round(ours=make_load(shift=0.001))]

    assert compute_targets(rounds)[2].verdict == "missed"


def test_targets_are_refused_without_a_banner():
    with pytest.raises(ValueError, match="no figure for 'banner visible"):
        compute_targets([make_round(ours=make_load(visible=None))])


def test_lines_are_aligned():
    rounds = [make_round(ours=make_load(size=12_345, script=-0.00001))]

    lines = format_lines({"ours": compute_line(rounds, "ours"), "bare": compute_line(rounds, "bare")})

    assert lines.splitlines() == [
        "page          bytes  requests    first paint        appears        visible  wait         script   shift",
        "ours  12,345  12.35         4  100 ms   1.00  100 ms   1.00  100 ms   1.00  0 ms  0.0 ms   0.00  0.0000",
        "bare   1,000   1.00         4  100 ms   1.00              -              -     -  0.0 ms   0.00  0.0000",
    ]


@pytest.mark.parametrize(
    ("figure", "text"),
    [(Figure(value=None), "-"), (Figure(value=1234.56), "1235 ms"), (Figure(value=90, ratios=(0.9,)), "90 ms   0.90")],
)
def test_figure_shows_value_and_ratio(figure, text):
    assert format_figure(figure, "visible") == text


def test_targets_are_listed_with_their_verdict():
    targets = [
        Target(name="banner visible", aim=1.05, measured=1.0061, lowest=0.98, highest=1.2),
        Target(name="shift", aim=0, measured=0.02, lowest=0, highest=0.02),
    ]

    assert format_targets(targets).splitlines() == [
        "target           aim  measured  lowest  highest",
        "banner visible  1.05     1.006   0.980    1.200     met",
        "shift              0     0.020   0.000    0.020  missed",
    ]


def test_library_is_cut_and_all_else_stays():
    page = f"<head>{OWN}{STYLE}</head><body>{SCRIPT}{BANNER}{HELD}</body>"

    assert cut_library(page) == f"<head>{OWN}</head><body>{BANNER}{HELD}</body>"


def test_library_is_missed_where_there_is_none():
    with pytest.raises(ValueError, match="no stylesheet"):
        cut_library(f"<head>{OWN}</head><body>{BANNER}{HELD}</body>")


def test_banner_is_cut():
    assert cut_banner(f"<body>{BANNER}<p>News</p></body>") == "<body><p>News</p></body>"


@pytest.mark.parametrize("banners", ["", BANNER * 2])
def test_banner_is_refused_unless_there_is_one(banners):
    with pytest.raises(ValueError, match="banners, not 1"):
        cut_banner(f"<body>{banners}</body>")


def test_script_of_the_library_is_told_from_others():
    assert has_script(f"{OWN}{SCRIPT}")
    assert not has_script(f"{OWN}{STYLE}{HELD}")


def test_assets_are_found_once_each():
    assert find_assets(f'{OWN}{STYLE}{STYLE}<a href="/section/sea">Sea</a><img src="/static/a.svg">') == [
        "/static/site.css",
        "/static/site.js",
        "/privacy-choices/assets/banner.4f0c.css",
        "/static/a.svg",
    ]


def test_markup_is_placed_at_the_ends():
    page = "<head><title>T</title></head><body><script>'</body>'</script></body>"

    assert place(page, head="H", body="B") == "<head><title>T</title>H</head><body><script>'</body>'</script>B</body>"
