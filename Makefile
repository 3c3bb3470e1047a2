# Two commands do everything: `make run` serves the line, `make test` proves it.
# Needs only make and Python 3.11 or newer; everything else is fetched into .venv, pinned by hash.

PYTHON ?= $(shell for p in python3.14 python3.13 python3.12 python3.11 python3 python; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
PIP = .venv/bin/python -m pip --disable-pip-version-check --quiet install

.PHONY: help run test prove bench lint format lock clean
.DEFAULT_GOAL := help

help: ## this list
	@awk -F ':.*## ' '/^[a-z.]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: .venv ## serve the line on 127.0.0.1 (PORT, IVR_... are honoured)
	@exec .venv/bin/ivr serve --demo

test: .venv/dev ## the whole suite, on all cores
	@.venv/bin/python -m tests.prepare
	@.venv/bin/python -m pytest -n auto

bench: .venv/dev ## how fast and how small it is (six minutes; Linux); README=1 keeps the table
	@.venv/bin/python -m bench $(if $(README),--write-readme)

prove: .venv/dev ## the promises at their full sizes, and a table of what was looked at (an hour or two)
	@.venv/bin/python -m tests.prepare
	@PROVE=1 .venv/bin/python -m pytest -n auto tests/promises tests/transfers \
		tests/services/test_transfers_interleaved.py tests/services/test_receipts_interleaved.py --promises

lint: .venv/dev ## style, types and floors
	@.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy && .venv/bin/lint-imports

format: .venv/dev ## rewrite the code in the house style
	@.venv/bin/ruff check --fix . ; .venv/bin/ruff format .

.venv: .venv/run ## the environment, with `ivr` in .venv/bin
	@touch .venv

.venv/run: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Porchlight needs Python 3.11 or newer: install it, or say where: make run PYTHON=/path/to/python3"; exit 1; }
	@echo "Setting up .venv (once, about a minute) ..."
	@test -x .venv/bin/python || "$(PYTHON)" -m venv .venv || { rm -rf .venv; echo "On Debian or Ubuntu: apt install python3-venv"; exit 1; }
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/dev: .venv/run requirements-dev.lock
	@echo "Adding the test tools ..."
	@$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@

lock: ## resolve the dependencies anew (needs uv)
	@printf 'hatchling>=1.33\neditables>=0.5\n' > .venv/build.in
	uv pip compile pyproject.toml .venv/build.in --extra postgres --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet --output-file requirements.lock
	uv pip compile pyproject.toml --extra postgres --group dev --constraint requirements.lock --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet --output-file requirements-dev.lock

clean: ## remove the environment and what tests left (never the data)
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
