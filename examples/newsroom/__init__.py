"""The Harbour Post: a made-up news site that asks before it tracks."""

from __future__ import annotations

from .app import create_app

__all__ = ["create_app"]
