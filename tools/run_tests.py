"""Run test suites against the built wheel and close with one line that counts them all.

Usage: python tools/run_tests.py [--coverage] SUITE...   (see SUITES; no name runs all)

With --coverage, branch coverage is recorded and reported; tests then take twice as long.

Two suites run at a time; what one prints is shown when it has ended. A failing suite does not stop the others: one run
tells everything that is wrong. Only the standard library is used, so that any Python can start it; each suite of Python
tests runs in the environment that the Makefile prepared.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

CHECKOUT = Path(__file__).resolve().parent.parent
REPORTS = CHECKOUT / "build" / "reports"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """One pytest run."""

    name: str
    environment: str
    """Folder of the virtual environment, from the checkout."""

    arguments: tuple[str, ...]
    is_measured: bool = True
    """Whether branch coverage is recorded when it is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSuite:
    """One run of Node's own test runner."""

    name: str
    pattern: str
    """Which files hold tests, from the checkout."""

    is_measured: bool = False
    """Coverage is that of Python."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """What a suite's report says."""

    passed: int
    failed: int
    skipped: int


# Browser tests in three parts of about the same length, so that none of them is the last to run alone.
_MATRIX = tuple(
    f"tests/browser/test_{name}.py"
    for name in (
        *("activation", "gadgets", "strict_policy", "bad_browser_input", "damaged_pages", "html_validity"),
        *("every_service", "signal_order", "tag_manager", "gpp", "newsroom_signals", "newsroom_embeds"),
    )
)
_LOOKS = tuple(
    f"tests/browser/test_{name}.py"
    for name in (
        *("accessibility", "accessibility_with_javascript", "appearance", "dialog", "dialog_accessibility"),
        *("dialog_elsewhere", "dialog_look", "dialog_switches", "dialog_under_policies", "autoconsent"),
        *("filter_lists", "live_report", "without_javascript", "receipt", "dashboard"),
    )
)
# What old releases of Flask and its like have no part in: data files, a comparison with a package for Node, and the ledgers
# and proofs that the standard library alone makes.
_WITHOUT_PACKAGES = tuple(
    f"tests/integration/test_{name}.py"
    for name in (
        *("catalogue_scripts", "every_service", "gpp_reference", "service_list"),
        *("memory_ledger", "sqlite_ledger", "sqlite_ledger_erasing", "sqlite_ledger_faults", "sqlite_ledger_forks"),
        "sqlite_ledger_processes",
        *("sqlite_ledger_turns", "ledger_faults", "sealing", "proof", "verification", "verification_erasures"),
        *("verification_notices", "verification_seals"),
    )
)
# The only unit tests of anything that another package does: the rest of what they test imports the standard library alone.
_SIGNING = tuple(f"tests/unit/test_cookie{part}.py" for part in ("", "_header", "_tampering"))

# The longest first, so that the last to end is a short one.
SUITES: dict[str, Suite | NodeSuite] = {
    suite.name: suite
    for suite in (
        Suite(name="fast", environment=".venv", arguments=("tests", "--ignore=tests/browser")),
        Suite(
            name="browser",
            environment=".venv",
            arguments=("tests/browser", *(f"--ignore={path}" for path in (*_MATRIX, *_LOOKS))),
        ),
        Suite(name="looks", environment=".venv", arguments=_LOOKS),
        Suite(name="matrix", environment=".venv", arguments=_MATRIX),
        Suite(
            name="lowest",
            environment="build/venv-lowest",
            # Old releases meet a newer Python: their deprecations are not ours.
            arguments=(
                "tests/integration",
                *_SIGNING,
                *(f"--ignore={path}" for path in _WITHOUT_PACKAGES),
                "-W",
                "default",
            ),
            is_measured=False,
        ),
        NodeSuite(name="js", pattern="tests/js/**/*.test.mjs"),
    )
}


def main(arguments: list[str]) -> int:
    """Run the named suites, or all; return the exit status."""
    has_coverage = "--coverage" in arguments
    names = [argument for argument in arguments if argument != "--coverage"]
    if unknown := [name for name in names if name not in SUITES]:
        sys.exit(f"No suite is called {', '.join(map(repr, unknown))}. Known suites: {', '.join(SUITES)}.")
    suites = [SUITES[name] for name in names or SUITES]
    for suite in suites:
        if isinstance(suite, Suite):
            _require_built_package(suite)
    with ThreadPoolExecutor(max_workers=2) as pool:
        counts = list(pool.map(lambda suite: _run(suite, has_coverage=has_coverage), suites))
    if has_coverage:
        _report_coverage([suite for suite in suites if suite.is_measured])
    total = [sum(column) for column in zip(*((c.passed, c.failed, c.skipped) for c in counts), strict=True)]
    print("total: {} passed, {} failed, {} skipped".format(*total), flush=True)
    return 1 if total[1] else 0


def _run(suite: Suite | NodeSuite, *, has_coverage: bool) -> Count:
    report = REPORTS / f"{suite.name}.xml"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    print(
        f"==> tests: {suite.name} begins, in {suite.environment if isinstance(suite, Suite) else 'Node.js'}", flush=True
    )
    if isinstance(suite, Suite):
        command = _pytest_command(suite, report, has_coverage=has_coverage and suite.is_measured)
    else:
        command = _node_command(suite, report)
    started = time.monotonic()
    run = subprocess.run(
        command, cwd=CHECKOUT, env=_environment(), check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    words = run.stdout.decode(errors="replace")
    print(f"{words}==> tests: {suite.name} took {time.monotonic() - started:.0f} s", flush=True)
    status = run.returncode
    return _count(report, status)


def _pytest_command(suite: Suite, report: Path, *, has_coverage: bool) -> list[str]:
    # The console script, not `-m pytest`: -m puts the checkout first on sys.path, and its `consent` would be tested.
    scripts = CHECKOUT / suite.environment / "bin"
    command = [str(scripts / "pytest"), *suite.arguments, f"--junit-xml={report}"]
    if has_coverage:
        return [str(scripts / "coverage"), "run", f"--data-file={_coverage_file(suite)}", *command]
    return command


def _node_command(suite: NodeSuite, report: Path) -> list[str]:
    # Named one by one: what Node makes of a folder changed between its versions. Without a name it would look for tests itself.
    files = sorted(str(path.relative_to(CHECKOUT)) for path in CHECKOUT.glob(suite.pattern))
    if not files:
        sys.exit(f"No file matches {suite.pattern}.")
    return [
        *("node", "--test", "--test-reporter=dot", "--test-reporter-destination=stdout"),
        *("--test-reporter=junit", f"--test-reporter-destination={report}", *files),
    ]


def _require_built_package(suite: Suite) -> None:
    """Stop if a test would import `consent` from the checkout, which lacks nothing that the wheel may lack."""
    python = CHECKOUT / suite.environment / "bin" / "python"
    probe = "import consent, sys; sys.exit('site-packages' not in consent.__file__)"
    if subprocess.run([str(python), "-c", probe], cwd=CHECKOUT, env=_environment(), check=False).returncode:
        sys.exit(f"The environment {suite.environment} does not hold the built wheel. Run: make test")


def _environment() -> dict[str, str]:
    # PYTHONSAFEPATH keeps the checkout off the front of sys.path, also in the processes that a test starts.
    return os.environ | {"PYTHONSAFEPATH": "1", "PYTHONDONTWRITEBYTECODE": "1"}


def _count(report: Path, status: int) -> Count:
    """Read the totals; a run that broke off, or collected nothing, counts as one failure."""
    if not report.exists():
        return Count(passed=0, failed=1, skipped=0)
    cases = list(ElementTree.parse(report).getroot().iter("testcase"))  # noqa: S314 - the runner just wrote it
    failed = sum(case.find("failure") is not None or case.find("error") is not None for case in cases)
    skipped = sum(case.find("skipped") is not None for case in cases)
    return Count(passed=max(len(cases) - failed - skipped, 0), failed=failed or int(status != 0), skipped=skipped)


def _coverage_file(suite: Suite | NodeSuite) -> Path:
    return REPORTS / f"coverage-{suite.name}"


def _report_coverage(suites: list[Suite | NodeSuite]) -> None:
    files = [str(path) for suite in suites if (path := _coverage_file(suite)).exists()]
    if not files:
        return
    coverage = str(CHECKOUT / ".venv" / "bin" / "coverage")
    data = f"--data-file={REPORTS / 'coverage'}"
    subprocess.run([coverage, "combine", "--quiet", "--keep", data, *files], cwd=CHECKOUT, check=False)
    print("==> branch coverage of consent and tests", flush=True)
    subprocess.run([coverage, "report", data], cwd=CHECKOUT, check=False)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
