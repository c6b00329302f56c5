# Everything a developer runs, from a fresh machine on: Debian, Python 3.11 or later, and the package registries.
# What a target needs is installed when it is missing, once; stamp files make the next run quick.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore

PYTHON ?= python3
export PYTHON

VENV := .venv
BIN := $(VENV)/bin
LOWEST := build/venv-lowest
BARE := build/venv-bare
DEMO := build/venv-demo
# --group reads the dependency groups of pyproject.toml; Debian's pip is too old for it.
PIP_WITH_GROUPS := pip>=25.1

# Folders too: their time changes when a file goes away.
WHEEL_SOURCES := $(shell find consent -name __pycache__ -prune -o -print) pyproject.toml README.md LICENSE

check_python = $(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit(f"Python 3.11 or later is needed; {sys.executable} is {sys.version.split()[0]}. Say: make PYTHON=python3.x …")'

# Install the wheel into the environment $(1), with pip options $(2): first with what it asks for, then itself anew, since its
# version stays while its content changes.
install_wheel = $(1)/bin/pip install -qq $(2) build/wheel/*.whl && $(1)/bin/pip install -qq --force-reinstall --no-deps build/wheel/*.whl

# Let the environment $(1) import `examples` and `tests` from the checkout. A .pth entry comes after site-packages, so
# `consent` is still the installed wheel: tests run against what users get, not against the folder beside them.
add_checkout = echo "$(CURDIR)" > "$$($(1)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/checkout.pth"

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

.PHONY: test
test: build/test-packages.stamp node_modules/.stamp $(VENV)/wheel.stamp $(LOWEST)/wheel.stamp check-bare ## Run every test, the browsers' included, against the built wheel
	@$(PYTHON) tools/run_tests.py

.PHONY: test-fast
test-fast: build/server-packages.stamp $(VENV)/wheel.stamp ## Run the tests that need no browser
	@$(PYTHON) tools/run_tests.py js fast

.PHONY: coverage
coverage: build/server-packages.stamp $(VENV)/wheel.stamp ## Measure the branch coverage of the tests that need no browser
	@$(PYTHON) tools/run_tests.py --coverage fast

.PHONY: test-js
test-js: build/node-packages.stamp ## Run the tests of the browser runtime that need no browser
	@$(PYTHON) tools/run_tests.py js

.PHONY: test-browser
test-browser: build/test-packages.stamp node_modules/.stamp $(VENV)/wheel.stamp ## Run the browser tests
	@$(PYTHON) tools/run_tests.py browser matrix looks

.PHONY: test-lowest
test-lowest: build/server-packages.stamp $(LOWEST)/wheel.stamp ## Run the integration tests with the lowest declared versions
	@$(PYTHON) tools/run_tests.py lowest

.PHONY: check-bare
check-bare: $(BARE)/wheel.stamp ## Check that the wheel works with its run-time dependencies alone
	@echo "==> bare install"
	@$(BARE)/bin/python -I tools/bare_install_check.py

.PHONY: assets
assets: node_modules/.stamp ## Build the scripts and stylesheets that the server serves
	@echo "==> building consent/static/consent"
	@node tools/build_assets.mjs

.PHONY: check-assets
check-assets: node_modules/.stamp ## Check that the served files are what their sources give
	@echo "==> served scripts and stylesheets"
	@node tools/build_assets.mjs --check

.PHONY: size
size: build/node-packages.stamp ## Show what the served scripts and stylesheets weigh
	@node tools/served_assets.mjs

.PHONY: lint
lint: $(VENV)/wheel.stamp node_modules/.stamp check-assets ## Check style, types, import contracts and the served files
	@echo "==> ruff"
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@echo "==> mypy"
	@$(BIN)/mypy
	@echo "==> mypy, as a site that installed the wheel sees it"
	@cd tests/type_check && ../../$(BIN)/mypy --strict --config-file= --cache-dir=../../.mypy_cache/installed *.py
	@echo "==> tsc"
	@node_modules/.bin/tsc
	@node_modules/.bin/tsc --project tests/js
	@echo "==> tsc, as a site that uses the declarations sees them"
	@node_modules/.bin/tsc --project tests/js/types
	@echo "==> import contracts"
	@$(BIN)/lint-imports --no-logo

.PHONY: format
format: $(VENV)/tools.stamp ## Format the code and mend what ruff can mend
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

.PHONY: bench
bench: $(VENV)/wheel.stamp ## Measure the cost of the library, as ratios to the same site without it
	@PYTHONSAFEPATH=1 $(BIN)/python tests/bench/run.py

.PHONY: bench-browser
bench-browser: build/test-packages.stamp build/bench-browser/.stamp $(VENV)/wheel.stamp ## Load a page with the library's banner and with its peers', on a slow line
	@PYTHONSAFEPATH=1 $(BIN)/python -m tests.bench.browser.run

.PHONY: demo
demo: $(DEMO)/.stamp ## Start the newsroom example and its trackers; Ctrl-C stops both
	@$(DEMO)/bin/python -m examples.newsroom

.PHONY: screenshots
screenshots: build/test-packages.stamp $(VENV)/wheel.stamp ## Take the screenshots of docs/ anew
	@PYTHONSAFEPATH=1 $(BIN)/python -m tests.browser.screenshots

.PHONY: requirements
requirements: ## Write docs/requirements.md, the table of requirements with their tests, anew
	@$(PYTHON) -m tools.list_requirements

.PHONY: jurisdictions
jurisdictions: ## Write the table of docs/jurisdictions.md, the rules of each place, anew
	@$(PYTHON) -m tools.list_jurisdictions

.PHONY: services
services: ## Write docs/services.md, the whole catalogue, and consent/catalogue/hosts.json, its hosts, anew
	@$(PYTHON) -m tools.list_services
	@$(BIN)/python -m tools.list_hosts

.PHONY: wheel
wheel: build/wheel.stamp ## Build the wheel and the source distribution into build/wheel

.PHONY: clean
clean: ## Remove everything that these commands made
	rm -rf $(VENV) build dist node_modules .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache .coverage*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

build/venv-packages.stamp: tools/system_packages.sh
	@tools/system_packages.sh venv
	@mkdir -p build && touch $@

build/node-packages.stamp: tools/system_packages.sh
	@tools/system_packages.sh node
	@mkdir -p build && touch $@

build/server-packages.stamp: tools/system_packages.sh
	@tools/system_packages.sh server
	@mkdir -p build && touch $@

build/test-packages.stamp: tools/system_packages.sh
	@tools/system_packages.sh test
	@mkdir -p build && touch $@

node_modules/.stamp: package.json package-lock.json | build/node-packages.stamp
	@echo "==> installing from npm: bundler, type checker, HTML checker, what the browser tests try the library with"
	@npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

# Apart from the tools: other libraries, wanted for this one comparison.
build/bench-browser/.stamp: tests/bench/browser/package.json tests/bench/browser/package-lock.json | build/node-packages.stamp
	@echo "==> installing from npm: the peers of the browser bench"
	@mkdir -p $(@D)
	@cp tests/bench/browser/package.json tests/bench/browser/package-lock.json $(@D)/
	@npm ci --prefix $(@D) --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

$(VENV)/tools.stamp: pyproject.toml | build/venv-packages.stamp
	@$(check_python)
	@echo "==> creating $(VENV) with the developer tools"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install -qq --upgrade "$(PIP_WITH_GROUPS)"
	@$(BIN)/pip install -qq --upgrade --group dev
	@$(call add_checkout,$(VENV))
	@touch $@

# Through the source distribution, so that it is proved complete.
build/wheel.stamp: $(WHEEL_SOURCES) | $(VENV)/tools.stamp
	@echo "==> building the wheel"
	@rm -rf build/wheel
	@$(BIN)/python -m build --no-isolation --outdir build/wheel > build/wheel.log 2>&1 || { cat build/wheel.log; exit 1; }
	@touch $@

$(VENV)/wheel.stamp: build/wheel.stamp $(VENV)/tools.stamp
	@echo "==> installing the wheel into $(VENV)"
	@$(call install_wheel,$(VENV))
	@touch $@

$(LOWEST)/tools.stamp: pyproject.toml tools/lowest_versions.py | build/venv-packages.stamp
	@echo "==> creating $(LOWEST) with the lowest declared versions"
	@$(PYTHON) -m venv --clear $(LOWEST)
	@$(LOWEST)/bin/pip install -qq --upgrade "$(PIP_WITH_GROUPS)"
	@$(PYTHON) tools/lowest_versions.py > build/lowest-versions.txt
	@$(LOWEST)/bin/pip install -qq --group test --constraint build/lowest-versions.txt
	@$(call add_checkout,$(LOWEST))
	@touch $@

$(LOWEST)/wheel.stamp: build/wheel.stamp $(LOWEST)/tools.stamp
	@echo "==> installing the wheel into $(LOWEST)"
	@$(call install_wheel,$(LOWEST),--constraint build/lowest-versions.txt)
	@touch $@

$(BARE)/wheel.stamp: build/wheel.stamp
	@echo "==> creating $(BARE) with the wheel alone"
	@$(PYTHON) -m venv --clear $(BARE)
	@$(call install_wheel,$(BARE))
	@touch $@

# Editable and without developer tools: ready within seconds, and a changed template shows on the next start.
$(DEMO)/.stamp: pyproject.toml | build/venv-packages.stamp
	@echo "==> creating $(DEMO) with Flask, this checkout and what draws charts"
	@$(check_python)
	@$(PYTHON) -m venv $(DEMO)
	@$(DEMO)/bin/pip install -qq --editable '.[dashboard]'
	@touch $@
