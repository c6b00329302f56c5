"""What README and docs say is true: their code runs, and they name everything that is public."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
from flask import Flask, render_template_string
from flask_caching import Cache

import consent
import consent.errors
import consent.ledger
from consent import Consent, CookieDeclaration, Purpose, Service
from consent.web.settings import _CHECKS
from tests.faulty_ledger import ledger_of, post

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCS = {path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").glob("*.md"))}
EVERYTHING = "\n".join((README, *DOCS.values()))
MACROS = sorted(path.stem for path in (ROOT / "consent/templates/consent/macro").glob("*.html"))
STYLESHEET = (ROOT / "consent/static/src/css/banner.css").read_text(encoding="utf-8")


LINKED = (ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md")))


def outside_of_code(text):
    return re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)


def anchors_of(path):
    """The anchors of a page: its own, and those of its headings as GitHub makes them."""
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    headings = [re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", each) for each in re.findall(r"^#+ (.+)$", text, re.MULTILINE)]
    named = re.findall(r'<a id="([^"]+)">', text)
    return {*named, *(re.sub(r"[^\w\- ]", "", each.strip().lower()).replace(" ", "-") for each in headings)}


def leads_somewhere(page, link):
    name, _, anchor = link.partition("#")
    target = page.parent / name if name else page
    return target.exists() and (not anchor or anchor in anchors_of(target))


def blocks(text, language):
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


@pytest.fixture(autouse=True)
def at_home(monkeypatch, tmp_path):
    """Run in a folder of the test's own: the instance folder of an app that is no module is made where Python runs."""
    monkeypatch.chdir(tmp_path)


def run_readme():
    """Run the README's Python, one block after the other as a reader would, and return its names."""
    names: dict[str, object] = {"__name__": __name__}
    for block in blocks(README, "python"):
        exec(compile(block, "README.md", "exec"), names)
    return names


def test_python_of_the_readme_runs():
    names = run_readme()
    app = names["app"]
    assert isinstance(app, Flask)
    client = app.test_client()

    assert client.get("/").text.count('<section class="pvc-banner"') == 1
    assert client.get("/recommended").status_code == 403
    assert client.post("/order").text == "Thank you"


@pytest.mark.parametrize("template", blocks(README, "jinja"))
def test_template_of_the_readme_renders(template):
    app = run_readme()["app"]
    assert isinstance(app, Flask)
    app.add_url_rule("/page", "page", lambda: render_template_string(template))

    assert "data-consent-" in app.test_client().get("/page").text


def test_python_of_the_ledger_guide_runs(tmp_path):
    """The first block is a site with a ledger; the others set what that site may have besides."""
    first, *others = blocks(DOCS["ledger.md"], "python")
    names: dict[str, object] = {"__name__": "newspaper"}
    exec(compile(first, "ledger.md", "exec"), names)
    app = names["app"]
    assert isinstance(app, Flask)
    for block in others:
        exec(compile(block, "ledger.md", "exec"), names)
    answer = post(app.test_client(), "accept_all")
    ledger_of(app).close()

    assert answer.json["recorded"] is True
    assert (tmp_path / "instance" / "consent.db").is_file()
    again = Flask("again")
    again.config.from_mapping(
        {key: value for key, value in app.config.items() if key.startswith(("CONSENT_", "SECRET"))}
    )
    again.config["CONSENT_LEDGER"] = "memory:"
    Consent(again)


def test_cache_key_of_the_deployment_guide_runs():
    (block,) = [block for block in blocks(DOCS["deployment.md"], "python") if "cache.cached" in block]
    app = Flask("cached")
    names = {"cache": Cache(app, config={"CACHE_TYPE": "SimpleCache"})}

    exec(
        compile(
            f"from flask import request\nfrom consent import current_consent\n{block}def view(): ...", "docs", "exec"
        ),
        names,
    )


@pytest.mark.parametrize("key", sorted(_CHECKS))
def test_setting_is_in_the_readme(key):
    assert f"| `{key}` |" in README


@pytest.mark.parametrize("name", consent.__all__)
def test_public_name_is_in_the_docs(name):
    assert re.search(rf"\b{name}\b", EVERYTHING)


@pytest.mark.parametrize("name", consent.ledger.__all__)
def test_public_name_of_ledgers_is_in_the_reference(name):
    assert re.search(rf"`{name}\b", DOCS["reference.md"])


@pytest.mark.parametrize("error", consent.errors.__all__)
def test_error_is_in_the_reference(error):
    assert re.search(rf"`{error}\b", DOCS["reference.md"])


@pytest.mark.parametrize("declaration", [Purpose, Service, CookieDeclaration], ids=lambda each: each.__name__)
def test_field_of_a_declaration_is_in_the_reference(declaration):
    fields = [field.name for field in dataclasses.fields(declaration) if field.name not in {"key", "title"}]

    assert [name for name in fields if f"`{name}" not in DOCS["reference.md"]] == []


@pytest.mark.parametrize("macro", MACROS)
def test_macro_is_in_the_readme(macro):
    assert f"| `{macro}(" in README


@pytest.mark.parametrize("name", sorted(set(re.findall(r"(--pvc-[a-z-]+):", STYLESHEET))))
def test_custom_property_is_in_the_theming_guide(name):
    assert f"`{name}`" in DOCS["theming.md"]


@pytest.mark.parametrize("page", LINKED, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_of_a_page_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    links = {link for link in re.findall(r"\]\(([^)\s]+)\)", outside_of_code(text)) if "://" not in link}

    assert [link for link in sorted(links) if not leads_somewhere(page, link)] == []


def test_link_to_nowhere_would_be_found():
    page = ROOT / "docs" / "audit.md"

    assert leads_somewhere(page, "csp.md")
    assert leads_somewhere(page, "#from-a-log")
    assert not leads_somewhere(page, "none.md")
    assert not leads_somewhere(page, "csp.md#none")


@pytest.mark.parametrize("command", ["make demo", "make test"])
def test_command_of_the_readme_exists(command):
    assert command in README
    assert re.search(
        rf"^{command.removeprefix('make ')}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
    )
