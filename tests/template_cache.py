"""Compiled templates for all apps of a run: every test makes an app of its own, and compiling took most of that time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from inspect import signature
from types import CodeType

from flask import Flask
from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket

# What the code of a template does not depend on, or depends on in a way that is written down below.
_APART = {"self", "extensions", "autoescape", "loader", "cache_size", "auto_reload", "bytecode_cache", "enable_async"}
_OPTIONS = tuple(name for name in signature(Environment.__init__).parameters if name not in _APART)


class TemplateCache(BytecodeCache):
    """Keep the code of each source in memory, for each set of options that it was compiled under."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType] = {}

    def get_bucket(self, environment: Environment, name: str, filename: str | None, source: str) -> Bucket:
        key = repr((name, filename, *_describe(environment, name)))
        bucket = Bucket(environment, key, self.get_source_checksum(source))
        self.load_bytecode(bucket)
        return bucket

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._codes[bucket.key, bucket.checksum] = bucket.code


@contextmanager
def compiling_once() -> Iterator[None]:
    """Let apps made meanwhile share the code of their templates."""
    before = Flask.jinja_options
    Flask.jinja_options = {**before, "bytecode_cache": TemplateCache()}
    try:
        yield
    finally:
        Flask.jinja_options = before


def _describe(environment: Environment, name: str) -> Iterator[object]:
    # Whether a site escapes is compiled in: some tests have sites that do not.
    yield environment.autoescape(name) if callable(environment.autoescape) else environment.autoescape
    yield environment.is_async
    yield type(environment)
    yield sorted(environment.extensions)
    for option in _OPTIONS:
        yield getattr(environment, option)
