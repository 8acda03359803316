# The commissioning support market. `make` lists what can be done.

PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3)
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-annotate --no-header --no-config

.DEFAULT_GOAL := help
.PHONY: help setup demo run test matrix faults nightly fuzz bench check format contract lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

setup: .venv/.installed ## make .venv from the lock, with the `market` command in it

# One virtual environment for using and for developing: every package by its hash, then the project
# itself as links to this folder. The build tools are in the lock too, so nothing is fetched unhashed.
.venv/.installed: requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		|| { echo "Python 3.11 or newer is needed; $(PYTHON) is not. Say: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(INSTALL) --require-hashes --no-deps -r requirements-dev.txt
	@$(INSTALL) --no-deps --no-build-isolation --no-index --editable .
	@touch $@

demo: .venv/.installed ## live through a whole competition, told as it happens
	@$(BIN)/market demo

run: .venv/.installed ## serve the API, with the demonstration's data in a new sandbox
	@$(BIN)/market run

test: .venv/.installed ## run the tests (without fault injection and measurements)
	@$(BIN)/pytest -q -n 2 --ignore=tests/faults --ignore=tests/bench

matrix: .venv/.installed ## run the access matrix whole: every operation, kind of person and state of a tender
	@EVERY_CELL=1 $(BIN)/pytest -q -n 2 tests/access

faults: .venv/.installed ## break things at length: storms of bids, killed processes and servers, failover, restore; prints figures
	@LOG_STORM_ROUNDS=5 LOG_STORM_SECONDS=15 STORM_ROUNDS=3 $(BIN)/pytest -q -s tests/faults

nightly: .venv/.installed ## the same with a hundred rounds of the storm, about an hour
	@LOG_STORM_ROUNDS=20 LOG_STORM_SECONDS=15 STORM_ROUNDS=100 FAILOVER_ROUNDS=20 $(BIN)/pytest -q -s tests/faults

fuzz: .venv/.installed ## ask whatever the API's description allows and forbids, of every operation in every state of a tender (three quarters of an hour)
	@FUZZ_EXAMPLES=40 $(BIN)/pytest -q tests/fuzz

bench: .venv/.installed ## measure what requests cost, beside bare handlers; prints a table, and writes .market/bench.json
	@$(BIN)/pytest -q -s tests/bench

check: .venv/.installed ## format, lint, imports and types; no tests
	@$(BIN)/ruff format --check --quiet . \
		|| { echo "Some files are not formatted; say: make format" >&2; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/lint-imports --no-logo > .venv/imports.txt || { cat .venv/imports.txt; exit 1; }
	@$(BIN)/mypy --no-error-summary

format: .venv/.installed ## format the code and mend what can be mended safely
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --quiet --fix .

contract: .venv/.installed ## accept a change of the API: remake the OpenAPI document the tests compare
	@$(BIN)/market openapi > tests/contract/openapi.json.new
	@mv tests/contract/openapi.json.new tests/contract/openapi.json

# The environment is kept out, so that a local folder of packages cannot put its hashes in the lock.
lock: .venv/.installed ## remake the locks from pyproject.toml, keeping versions that still fit
	@env -u PIP_FIND_LINKS -u UV_FIND_LINKS -u PIP_EXTRA_INDEX_URL -u UV_EXTRA_INDEX_URL \
		$(COMPILE) pyproject.toml --extra build --output-file requirements.txt > /dev/null
	@env -u PIP_FIND_LINKS -u UV_FIND_LINKS -u PIP_EXTRA_INDEX_URL -u UV_EXTRA_INDEX_URL \
		$(COMPILE) pyproject.toml --extra build --extra development --constraints requirements.txt \
		--output-file requirements-dev.txt > /dev/null

clean: ## remove what was built; .market (data) and .venv stay
	@rm -rf build dist *.egg-info .coverage .coverage.* htmlcov .mypy_cache .pytest_cache \
		.ruff_cache .import_linter_cache .hypothesis
	@find . -name .venv -prune -o -name __pycache__ -type d -exec rm -rf {} +
