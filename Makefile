# Everything a person or CI does here; `make help` lists it.
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
ARGS ?=
# Tests of one file on one engine stay in one process; a process may start a control plane of its own.
# They wait as much as they work: two more than there are cores, four at most. In their own order the
# longest files, those of attacks and the cluster, come early, and none is left alone at the end.
WORKERS ?= $(shell cores=$$(getconf _NPROCESSORS_ONLN); echo $$((cores < 2 ? 3 : 4)))
PYTEST := $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadgroup --no-loadscope-reorder
# What the web page is made of.
PAGE := $(shell find web -name node_modules -prune -o -name dist -prune -o -type f -print)

.DEFAULT_GOAL := help
.PHONY: help setup serve test test-fast check lint layers types page-check page-test fix bench cluster-tools soak screenshots clean

help: ## Show what can be done
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# The stamp is newer than what it was made from, or the environment is made anew.
$(VENV)/.ready: pyproject.toml constraints.txt $(wildcard building/*.py) src/llmos/apis/kinds.json $(PAGE)
	@$(PYTHON) -c 'import sys; sys.exit("llmos needs Python 3.11 or newer" if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt uv
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --build-constraints constraints.txt --group dev --editable .
	@touch $@

setup: $(VENV)/.ready ## Make the environment in .venv

serve: setup ## Start the server; options in ARGS, e.g. ARGS='--port 9443 --data-dir D'
	@exec $(BIN)/llmos serve $(ARGS)

test: setup check page-test ## Run every check and every test
	@$(PYTEST) -m "not browser" $(ARGS)
# Playwright leaves an event loop running in its process, where other tests would find it.
	@$(PYTEST) -m browser $(ARGS)

test-fast: setup ## Run the unit tests alone, within a minute
	@$(PYTEST) -m "not slow and not clients" $(ARGS)

check: lint layers types page-check ## Style, layers and types

lint: setup
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/codespell src tests building docs README.md CHANGELOG.md
	@$(BIN)/deptry src

layers: setup
	@$(BIN)/lint-imports --no-logo

types: setup
	@$(BIN)/mypy

page-check: setup
	@$(BIN)/python -m building.npm run --silent check

page-test: setup
	@$(BIN)/python -m building.npm run --silent test

fix: setup ## Format, and fix what can be fixed
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format
	@$(BIN)/python -m building.npm run --silent format

bench: setup ## Measure; against a real kube-apiserver too where KUBEBUILDER_ASSETS names one
	@$(BIN)/python -m bench $(ARGS)

cluster-tools: setup ## Build a real control plane for the cluster tests (needs Go; minutes, once)
	@$(BIN)/python tests/support/controlplane_binaries.py

soak: setup ## Long fault experiments
	@LLMOS_SOAK=1 $(BIN)/python -m pytest -m slow tests/storage/test_crash.py tests/scenarios tests/cluster $(ARGS)

screenshots: setup ## Take pictures of every page of the web page, in screenshots/
	@PYTHONPATH=tests $(BIN)/python tests/screenshots.py $(ARGS)

clean: ## Remove the environment and what tools left
	@rm -rf $(VENV) src/llmos/web/site* web/node_modules web/dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build
