"""Whether what visitors were shown is still there, as it was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from consent.core.ledger import ConsentEvent, Ledger
from consent.core.notice import MARKUP_MEDIA_TYPE, WORDS_MEDIA_TYPE, Artefact, ShownNotice

Part = tuple[str, str]
"""Address and media type of an artefact."""


@dataclass(slots=True)
class NoticeCheck:
    """Check each notice, and each text and markup, once."""

    ledger: Ledger
    _reasons: dict[Part, str] = field(default_factory=dict)
    """What is wrong with an artefact, as a sentence; empty for nothing."""

    _known: set[tuple[str | None, str | None]] = field(default_factory=set)
    """Words and markup that a notice leads to."""

    def find_missing(self, event: ConsentEvent) -> str:
        """Return what of the things that an event refers to is not there or was changed, as a sentence; nothing for nothing."""
        if not event.text_sha256 and not event.ui_sha256:
            return ""
        parts = _list_parts(text=event.text_sha256, markup=event.ui_sha256)
        reason = next(filter(None, map(self._judge, parts)), "")
        return reason or ("" if self._has_notice(event) else "No notice with these words and this markup is kept.")

    def find_other_faults(self) -> Iterator[str]:
        """Return what is wrong with notices and with artefacts that no event has referred to, as sentences."""
        notices = self.ledger.notices
        for notice in notices.list():
            # One that was purged meanwhile is none.
            if (reason := self._judge_notice(notice)) and notice in notices.list(notice.policy_version):
                yield f"The notice of policy version {notice.policy_version!r} in {notice.language!r}: {reason}"
        checked = {sha256 for sha256, _ in self._reasons}
        for sha256 in notices.list_hashes():
            if sha256 not in checked and (artefact := notices.read(sha256)) and artefact.sha256 != sha256:
                yield _tell_changed(sha256)

    def _judge_notice(self, notice: ShownNotice) -> str:
        if self.ledger.notices.find(notice.notice_id) != notice:
            return "What it says was changed: its hash is another one."
        parts = _list_parts(text=notice.text_sha256, markup=notice.ui_sha256)
        configuration = (notice.configuration_sha256, WORDS_MEDIA_TYPE)
        return next(filter(None, map(self._judge, (*parts, configuration))), "")

    def _has_notice(self, event: ConsentEvent) -> bool:
        pair = (event.text_sha256, event.ui_sha256)
        if pair not in self._known:
            # Perhaps it was kept since.
            self._known = {(each.text_sha256, each.ui_sha256) for each in self.ledger.notices.list()}
        return pair in self._known

    def _judge(self, part: Part) -> str:
        # What is right stays so; what is missing may have been purged with its event, and is looked for again.
        if self._reasons.get(part, "?"):
            sha256, media_type = part
            self._reasons[part] = _judge(self.ledger.notices.read(sha256), sha256, media_type)
        return self._reasons[part]


def _list_parts(*, text: str | None, markup: str | None) -> tuple[Part, ...]:
    parts = ((text, WORDS_MEDIA_TYPE), (markup, MARKUP_MEDIA_TYPE))
    return tuple((sha256, media_type) for sha256, media_type in parts if sha256)


def _judge(artefact: Artefact | None, sha256: str, media_type: str) -> str:
    if artefact is None:
        return f"The artefact {sha256} is not kept any more."
    if artefact.sha256 != sha256:
        return _tell_changed(sha256)
    if artefact.media_type != media_type:
        return f"The artefact {sha256} was changed: it is no {media_type} any more."
    return ""


def _tell_changed(sha256: str) -> str:
    return f"The artefact {sha256} was changed: its hash is another one."
