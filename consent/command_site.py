"""The site that a command works on."""

from __future__ import annotations

import click
from flask import current_app

from consent.errors import SetupError
from consent.web.site import Site
from consent.web.visit import get_site


def find_site() -> Site:
    """Return the parts of the current app's extension.

    Raises:
        click.ClickException: If the app has none.
    """
    try:
        return get_site(current_app)
    except SetupError as error:
        raise click.ClickException(str(error)) from error
