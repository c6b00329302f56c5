"""What a process remembers of notices: as much as it needs, and never without end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from consent.core.notice import Artefact, ShownNotice
from consent.web.notice_memo import NoticeMemo, Specimen

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def make_notice(language="en"):
    return ShownNotice(
        policy_version="0" * 16,
        language=language,
        profile="EEA",
        layer=1,
        prompt_kind="choice",
        text_sha256="a",
        ui_sha256="b",
        configuration_sha256="c",
    )


@pytest.mark.parametrize(("seconds", "expected"), [(0, True), (59, True), (60, False), (-59, True), (-60, False)])
def test_notice_counts_as_kept_for_a_minute_whichever_way_the_clock_goes(seconds, expected):
    memo = NoticeMemo()
    memo.note_kept(make_notice(), now=NOW)

    assert memo.is_kept(make_notice(), now=NOW + timedelta(seconds=seconds)) is expected
    assert not memo.is_kept(make_notice("de"), now=NOW)


def test_artefact_is_made_once():
    memo, made = NoticeMemo(), []

    def make():
        made.append(1)
        return Artefact(media_type="text/html", body="x")

    assert memo.find_artefact("key", make) is memo.find_artefact("key", make)
    assert len(made) == 1


def test_memory_is_bounded():
    memo = NoticeMemo()
    for number in range(1000):
        memo.remember_specimen(number, Specimen(notice=make_notice(), artefacts=()))
        memo.find_artefact(number, lambda: Artefact(media_type="text/html", body="x"))
        memo.note_kept(make_notice(str(number)), now=NOW)

    assert len(memo.specimens) <= 128
    assert len(memo.artefacts) <= 128
    assert sum(memo.is_kept(make_notice(str(number)), now=NOW) for number in range(1000)) <= 128
    assert 999 in memo.specimens
