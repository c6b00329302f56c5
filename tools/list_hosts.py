"""Write consent/catalogue/hosts.json anew, from the files in consent/catalogue/services/.

Usage: python -m tools.list_hosts [--check]   (--check writes nothing and fails when the file is out of date)
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from consent.catalogue import list_entries
from consent.catalogue.host_index import FILE_NAME, encode_known
from consent.core.declaration import Service
from consent.core.host_table import list_rows
from consent.web.host_setup import list_loaders
from consent.web.snippet import compile_snippet
from tools.generated_page import CHECKOUT, run

INDEX = CHECKOUT / "consent" / "catalogue" / FILE_NAME


def build_index(services: Sequence[Service]) -> str:
    """Return the file about these services."""
    loaders = [
        loader
        for service in services
        for loader in list_loaders(service, compile_snippet(service) if service.snippet else None)
    ]
    return encode_known(list_rows(services), loaders)


def main(arguments: list[str]) -> int:
    """Run the command; return its exit status."""
    return run(
        arguments,
        name="list_hosts",
        path=INDEX,
        build=lambda: build_index([entry.service for entry in list_entries()]),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
