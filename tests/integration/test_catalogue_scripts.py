"""What the shipped catalogue runs in the browser is JavaScript: snippets, and the stubs of the signal adapters."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from consent.catalogue.adapters import adapter_keys, load_adapter
from tests.catalogue_entries import KEYS, SCRIPTED, examples, inline_scripts, render, service_of

DOCS = Path(__file__).parents[2] / "docs"
GPP = "gpp"
ADAPTERS = adapter_keys()
# For sites that declare it themselves; the catalogue's own service is told by another one.
USED_BY_SITES = {"matomo-cookies"}

# Runs the scripts of each case one after the other, in a page that knows but a window; answers what went wrong, by name.
_RUNNER = """
const vm = require("node:vm");
const faults = {};
for (const [name, { scripts, mayRun }] of Object.entries(JSON.parse(require("node:fs").readFileSync(0, "utf8")))) {
  const page = vm.createContext({ addEventListener() {}, document: { addEventListener() {} }, navigator: { userAgent: "" } });
  vm.runInContext("window = self = globalThis", page);
  faults[name] = "";
  for (const script of scripts) {
    try {
      const compiled = new vm.Script(script);
      if (mayRun) compiled.runInContext(page);
    } catch (error) {
      faults[name] ||= String(error);
    }
  }
}
console.log(JSON.stringify(faults));
"""

each_adapter = pytest.mark.parametrize("adapter", ADAPTERS)


def stubs_of(key):
    return [load_adapter(each).stub for each in service_of(key).signals if each != GPP]


def snippet_of(key, *, only_required=False):
    service = service_of(key)
    return inline_scripts(render(service, **examples(service, only_required=only_required)))


def list_cases():
    stubs = {f"{key} twice": {"scripts": [load_adapter(key).stub] * 2, "mayRun": True} for key in ADAPTERS}
    snippets = {key: {"scripts": [*stubs_of(key), *snippet_of(key)], "mayRun": True} for key in SCRIPTED}
    shorter = {
        f"{key} short": {"scripts": [*stubs_of(key), *snippet_of(key, only_required=True)], "mayRun": True}
        for key in SCRIPTED
    }
    return {**stubs, **snippets, **shorter, "broken": {"scripts": ["if ("], "mayRun": False}}


@pytest.fixture(scope="module")
def faults():
    """Return what went wrong in each case; empty for nothing."""
    if shutil.which("node") is None:
        pytest.fail("Scripts are checked with Node.js. Run: tools/system_packages.sh node")
    run = subprocess.run(
        ["node", "-e", _RUNNER], input=json.dumps(list_cases()), capture_output=True, text=True, check=False, timeout=60
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def find_names(script):
    """Return the globals that a script sets up as it begins, not later in a listener."""
    found = re.findall(
        r"^(?:window\.|var )?(\w+) =(?!=)|^function (\w+)\(|^if \(!window\.(\w+)\)", script, re.MULTILINE
    )
    return {name for names in found for name in names if name}


def test_faults_of_scripts_are_found(faults):
    assert faults["broken"].startswith("SyntaxError")


@pytest.mark.parametrize("key", SCRIPTED)
def test_snippet_runs_after_what_its_provider_is_told(faults, key):
    assert (faults[key], faults[f"{key} short"]) == ("", "")


@each_adapter
def test_stub_runs_twice(faults, adapter):
    assert faults[f"{adapter} twice"] == ""


@each_adapter
def test_stub_holds_nothing_that_ends_a_script(adapter):
    assert not re.search(r"<[!/]|-->|[\u2028\u2029]", load_adapter(adapter).stub)


@pytest.mark.parametrize("key", KEYS)
def test_service_is_told_by_adapters_that_exist(key):
    assert set(service_of(key).signals) <= {*ADAPTERS, GPP}


@pytest.mark.parametrize("key", [key for key in SCRIPTED if stubs_of(key)])
def test_snippet_leaves_the_stub_to_the_adapter(key):
    stubs, snippet = "\n".join(stubs_of(key)), "\n".join(snippet_of(key))

    assert find_names(stubs)
    assert find_names(snippet) & find_names(stubs) == set()


@each_adapter
def test_adapter_names_its_sources_and_the_day_they_were_read(adapter):
    table = tomllib.loads((files("consent.catalogue") / "signals" / f"{adapter}.toml").read_text("utf-8"))

    assert table["checked"]
    assert [source for source in table["sources"] if source.strip()]


@each_adapter
def test_adapter_tells_a_service_of_the_catalogue_or_is_documented(adapter):
    if adapter in USED_BY_SITES:
        assert any(f'"{adapter}"' in page.read_text("utf-8") for page in DOCS.glob("*.md"))
    else:
        assert [key for key in KEYS if adapter in service_of(key).signals]
