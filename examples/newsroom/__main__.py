"""Start the newsroom and its trackers: `python -m examples.newsroom`."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

if __package__:
    from .serving import main

    sys.exit(main())

# Started by its path (`python examples/newsroom`), it is no package yet: start again as one.
_examples = Path(__file__).resolve().parents[1]
sys.path[0] = str(_examples)
# Last, for a checkout whose library is not installed.
sys.path.append(str(_examples.parent))
runpy.run_module("newsroom", run_name="__main__", alter_sys=True)
