# `make` alone lists the targets. Python 3.11 (with venv), make and git are all that is needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
INTEROP := $(VENV)/.interop

.DEFAULT_GOAL := help
.PHONY: help setup demo up down check check-interop lint test rules properties mutants bench soak checker migrate format lock

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

setup: $(READY) ## create .venv with the pinned dependencies

$(READY): requirements/dev.txt pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON); install Python 3.11, or name it: make PYTHON=python3.11 $(or $(MAKECMDGOALS),setup)"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is too old, Python 3.11 or newer is needed: make PYTHON=python3.11 $(or $(MAKECMDGOALS),setup)"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "$(PYTHON) has no venv: install it (on Debian and Ubuntu the package python3-venv) and run make again."; exit 1; }
	@echo "Setting up $(VENV) (once, a minute or two) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(READY)

demo: $(READY) ## the whole system on this machine: every scenario published, told, compared and proven
	@$(BIN)/concordat demo

up: $(READY) ## start the system and leave it up (Ctrl-C stops it)
	@$(BIN)/concordat up

down: $(READY) ## stop a system that was started with `concordat up --detach`
	@$(BIN)/concordat down

check: lint rules test ## everything that must be green: lint, types, walls, rules, all test levels

check-interop: $(INTEROP) ## receivers of others verify and read what we send (needs node 18 or newer, and npm)
	@command -v npm >/dev/null || { echo "There is no npm; install Node.js 18 or newer with it (on Debian and Ubuntu the packages nodejs and npm), then: make check-interop"; exit 1; }
	@npm ci --silent --no-audit --no-fund --prefix tests/interop/npm
	@$(BIN)/pytest -m interop tests/interop

$(INTEROP): requirements/interop.txt $(READY)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/interop.txt
	@touch $(INTEROP)

lint: $(READY) ## ruff, mypy --strict, import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

WORKERS ?= 2
test: $(READY) ## unit, conformance, contracts, architecture, integration and end-to-end tests
	@$(BIN)/pytest -m "not soak and not interop" --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

rules: $(READY) ## remove each rule of the decision in turn: a test must turn red
	@$(BIN)/python -m tests.rules

properties: $(READY) ## the laws of the decision, 10,000 generated graphs and concerns each (a night)
	@$(BIN)/pytest tests/properties tests/unit/registry/test_four_eyes.py --hypothesis-profile=nightly

mutants: $(READY) ## change the decision's source one operator at a time and print the score; goes on where it was (SAMPLE=8: so many in a hundred)
	@$(BIN)/python -m tests.mutants $(if $(SAMPLE),--sample=$(SAMPLE))

bench: $(READY) ## print each budget beside its measured figure
	@$(BIN)/concordat bench

soak: $(READY) ## the fault tests twenty times in a row, and whatever else takes minutes
	@$(BIN)/python -m tests.soak

RUNS ?= 100
SEED ?= 1
checker: $(READY) ## random kills under 200/s, RUNS=100 of them from SEED=1, the equation after each (under an hour; goes on where it was stopped)
	@$(BIN)/python -m tests.checker --runs $(RUNS) --seed $(SEED) --rate 200 --results .data/checker/seed-$(SEED).jsonl

migrate: $(READY) ## bring every schema to its newest version (X_OWNER_DATABASE_URL for each service)
	@$(BIN)/python -m shared.db.migrate all

format: $(READY) ## format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: $(READY) ## resolve requirements/*.in anew, with hashes and without registry addresses (needs uv)
	@for name in runtime local dev interop; do \
	  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	    --no-emit-index-url --no-emit-find-links requirements/$$name.in -o requirements/$$name.txt; done
