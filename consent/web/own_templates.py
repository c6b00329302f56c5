"""Which templates are the library's own: a site may put its own in their place."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from jinja2 import Environment, TemplateError

_FOLDER = Path(__file__).parent.parent / "templates"


def are_ours(environment: Environment, names: Iterable[str]) -> bool:
    """Whether templates are rendered from the library's own files; a site's may show what belongs to one visitor."""
    try:
        sources = [environment.get_template(name).filename for name in names]
    except TemplateError:  # a site's own template with a mistake, to be shown where it is used
        return False
    return all(source is not None and Path(source).is_relative_to(_FOLDER) for source in sources)
