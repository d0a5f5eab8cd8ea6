# Each target does its own set-up; a stamp says what is done, so a second run starts at once.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup up test lint bench clean

VENV := .venv
BIN := $(VENV)/bin
VENV_STAMP := $(VENV)/.installed
NODE_STAMP := node_modules/.installed
PG15 := /usr/lib/postgresql/15/bin
PYTEST := $(BIN)/python -m pytest

help: ## show this
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV_STAMP) $(NODE_STAMP) browser ## all that the other targets need: virtual environment, npm packages, browser

up: $(VENV_STAMP) ## the board on an embedded PostgreSQL with demo data, in one process
	@exec $(BIN)/boardcast up

# The browser's tests have a process of their own: its driver leaves an event loop running.
test: lint $(NODE_STAMP) browser ## lint and all the tests; the database's also on PostgreSQL 15 where there is one
	$(PYTEST) -n 2 --dist loadfile --ignore=tests/browser
	@if [ -x $(PG15)/postgres ]; then echo "tests/db on PostgreSQL 15"; BOARDCAST_TEST_PG_BIN=$(PG15) $(PYTEST) -n 2 --dist loadfile tests/db; fi
	@if compgen -G 'tests/browser/test_*.py' >/dev/null; then $(PYTEST) tests/browser; fi

lint: $(VENV_STAMP) ## style, types and the layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV_STAMP) ## time from COMMIT to the reader
	$(BIN)/python -m tests.bench.latency

clean: ## take away what these targets made, but not the data
	rm -rf $(VENV) node_modules .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV_STAMP): pyproject.toml constraints.txt
	python=$$(.ci/machine python); [ -x $(BIN)/python ] || "$$python" -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[embedded,dev]'
	@touch $@

$(NODE_STAMP): package-lock.json
	.ci/machine node
	npm ci --no-audit --no-fund
	@touch $@

# What the tests drive.
.PHONY: browser
browser:
	@.ci/machine browser
	@.ci/machine tools
