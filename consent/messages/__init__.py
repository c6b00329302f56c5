"""What the visitor reads: one catalogue of texts a language, and how a site overrides them."""

from __future__ import annotations

import logging
import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from importlib import resources

from consent.core.declared_value import Text
from consent.errors import ConfigError, order_by_likeness, quote_all
from consent.messages.plural import plural_category

log = logging.getLogger("consent")

DEFAULT_LANGUAGE = "en"
_RIGHT_TO_LEFT = frozenset({"ar", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"})
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
# Enough for every registered tag (RFC 5646 section 4.4.1).
_TAG_LIMIT = 35
_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")
# Script subtags say what readers of a region read (CLDR likely subtags); the shipped Chinese is in simplified script.
_ALIASES = {
    "zh": "zh-Hans",
    "zh-cn": "zh-Hans",
    "zh-sg": "zh-Hans",
    "zh-tw": "zh-Hant",
    "zh-hk": "zh-Hant",
    "zh-mo": "zh-Hant",
}
_PLURAL_FORMS = ("zero", "one", "two", "few", "many")


class Messages:
    """Hold every text in every language, the site's own over the shipped ones."""

    def __init__(self, texts: Mapping[str, Mapping[str, str]], *, fallback: str) -> None:
        self._texts = texts
        self._fallback = fallback
        self._tags = {tag.lower(): tag for tag in texts}

    @property
    def fallback(self) -> str:
        """The language when nothing better is known."""
        return self._fallback

    @property
    def languages(self) -> tuple[str, ...]:
        """Tag of every language there are texts in."""
        return tuple(self._texts)

    def texts_of(self, language: str) -> Mapping[str, str]:
        """Return every text by key as a visitor of a language gets it, placeholders unfilled."""
        own = self._texts.get(language, {})
        rest = {**self._texts[DEFAULT_LANGUAGE], **self._texts[self._fallback]}
        # What has plural forms of its own takes none from another language.
        fallbacks = {key: text for key, text in rest.items() if f"{_stem_of_plural(key)}.other" not in own}
        return {**fallbacks, **own}

    def has_text(self, key: str) -> bool:
        """Whether there are words for a key in the fallback language."""
        return key in self._texts[self._fallback] or key in self._texts[DEFAULT_LANGUAGE]

    def match(self, tag: str | None) -> str | None:
        """Return the language to use for a tag such as `de-AT`; None if there is none."""
        if tag in self._texts:
            return tag
        if not tag or len(tag) > _TAG_LIMIT or not _TAG.fullmatch(tag.replace("_", "-")):
            return None
        wanted = tag.replace("_", "-").lower()
        while wanted:
            found = self._tags.get(wanted) or self._tags.get(_ALIASES.get(wanted, "").lower())
            if found:
                return found
            wanted = wanted.rpartition("-")[0]
        return None

    def text(self, language: str, key: str, **values: object) -> str:
        """Return a text with its `{placeholders}` filled; plain text, to be escaped by the template.

        Raises:
            KeyError: If no language has the key.
        """
        template = self._texts.get(language, {}).get(key)
        if template is None:
            template = self._texts[self._fallback].get(key) or self._texts[DEFAULT_LANGUAGE][key]
        return fill(template, values) if values else template

    def count_text(self, language: str, key: str, count: int, **values: object) -> str:
        """Return the form of a text that a number takes in a language, with `{count}` filled.

        Raises:
            KeyError: If no language has the key.
        """
        for spoken in (language, self._fallback, DEFAULT_LANGUAGE):
            for category in (plural_category(spoken, count), "other"):
                template = self._texts.get(spoken, {}).get(f"{key}.{category}")
                if template is not None:
                    return fill(template, {"count": count, **values})
        raise KeyError(key)

    def list_text(self, language: str, items: Sequence[str]) -> str:
        """Return the items as one enumeration, in the way of a language."""
        if len(items) < 2:
            return "".join(items)
        if len(items) == 2:
            return self.text(language, "list.pair", first=items[0], last=items[1])
        start = items[0]
        for item in items[1:-1]:
            start = self.text(language, "list.middle", first=start, last=item)
        return self.text(language, "list.end", first=start, last=items[-1])

    def date_text(self, language: str, day: date) -> str:
        """Return a day, or the day of an instant, in the way of a language."""
        month = self.text(language, f"date.month.{day.month}")
        return self.text(language, "date.day", day=day.day, month=month, year=day.year)

    def words(self, language: str, text: Text) -> str:
        """Return a declared text in a language, else in the fallback language, else in any it has."""
        if isinstance(text, str):
            return text
        for tag in (language, language.partition("-")[0], self._fallback, DEFAULT_LANGUAGE):
            if tag in text:
                return text[tag]
        return next(iter(text.values()), "")


def direction_of(language: str) -> str:
    """Return the writing direction, `ltr` or `rtl`."""
    return "rtl" if language.partition("-")[0].lower() in _RIGHT_TO_LEFT else "ltr"


def fill(template: str, values: Mapping[str, object]) -> str:
    """Put values in for `{names}`. Nothing is evaluated, and braces of a value stay as they are."""
    return _PLACEHOLDER.sub(lambda found: str(values.get(found[1], found[0])), template)


def load_messages(*, overrides: Mapping[str, Mapping[str, str]], fallback: str) -> Messages:
    """Read the shipped languages and lay the site's own texts over them.

    Args:
        overrides: `CONSENT_TEXTS`: texts by language tag and key. A language of its own needs
            every key, else the fallback language fills in.
        fallback: `CONSENT_LANGUAGE`.

    Raises:
        ConfigError: For an unknown key, a placeholder that the shipped text does not have, or a
            fallback language without texts.
    """
    texts = {tag: dict(shipped) for tag, shipped in load_shipped().items()}
    known = dict(texts[DEFAULT_LANGUAGE])
    shipped_tags = {tag.lower(): tag for tag in texts}
    for given_tag, own in overrides.items():
        _check_own(given_tag, own, known)
        tag = shipped_tags.get(given_tag.lower(), given_tag)
        # `str()` takes the safe mark off a `Markup`: overrides are plain text like the shipped ones.
        texts.setdefault(tag, {}).update({key: str(text) for key, text in own.items()})
        _warn_of_gaps(tag, texts[tag], known, fallback)
    spoken = Messages(texts, fallback=DEFAULT_LANGUAGE).match(fallback)
    if spoken is None:
        raise ConfigError(
            f"'CONSENT_LANGUAGE' is {fallback!r}, for which there are no texts. Known languages, the closest first: "
            f"{quote_all(order_by_likeness(fallback, texts))}. Add it to CONSENT_TEXTS to use it.",
            key="CONSENT_LANGUAGE",
            value=fallback,
        )
    return Messages(texts, fallback=spoken)


@cache
def load_shipped() -> Mapping[str, Mapping[str, str]]:
    """Return the shipped texts by language tag and key; read once in a process."""
    folder = resources.files(__name__)
    files = [entry for entry in folder.iterdir() if entry.name.endswith(".toml")]
    return {file.name.removesuffix(".toml"): tomllib.loads(file.read_text(encoding="utf-8")) for file in files}


def placeholders_of(text: str) -> frozenset[str]:
    """Return the names of the `{placeholders}` in a text."""
    return frozenset(_PLACEHOLDER.findall(text))


def _check_own(tag: str, own: Mapping[str, str], known: Mapping[str, str]) -> None:
    where = f"CONSENT_TEXTS[{tag!r}]"
    if not _TAG.fullmatch(tag):
        raise ConfigError(f"{where} is not a language tag. Use tags such as 'de' or 'pt-BR'.", key=where, value=tag)
    for key, text in own.items():
        stem, _, form = key.rpartition(".")
        shipped = known.get(key) or (known.get(f"{stem}.other") if form in _PLURAL_FORMS else None)
        if shipped is None:
            raise ConfigError(
                f"{where} holds the unknown key {key!r}. The closest known keys: "
                f"{quote_all(order_by_likeness(key, known)[:3])}.",
                key=where,
                value=key,
            )
        unknown = placeholders_of(text) - placeholders_of(shipped)
        if unknown:
            raise ConfigError(
                f"{where}[{key!r}] uses the placeholder {quote_all(sorted(unknown))}; this text knows "
                f"{quote_all(sorted(placeholders_of(shipped)))}.",
                key=where,
                value=text,
            )


def _stem_of_plural(key: str) -> str:
    stem, _, form = key.rpartition(".")
    return stem if form in _PLURAL_FORMS else ""


def _warn_of_gaps(tag: str, texts: Mapping[str, str], known: Mapping[str, str], fallback: str) -> None:
    # Languages have different plural forms; only `other` is in all of them.
    missing = sorted(key for key in known.keys() - texts.keys() if f"{_stem_of_plural(key)}.other" not in texts)
    if missing:
        shown_in = DEFAULT_LANGUAGE if tag == fallback else fallback
        log.warning(
            "%d texts are missing in %r and are shown in %r, the first: %r.", len(missing), tag, shown_in, missing[0]
        )
