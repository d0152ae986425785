# Two commands on a fresh machine: `make run` and `make test`. Both set everything up first.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.set-up
ENGINE := $(wildcard matching_engine/*.py matching_engine/*.pxd matching_engine/*/*.py matching_engine/*/*.pxd)
FLOW   ?= load_tests/flows/sample.csv

.DEFAULT_GOAL := help
.PHONY: help setup native records run test check coverage memcheck faults bench flow clean

help: ## what this Makefile can do
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## /  make \1\t/' | expand -t 16

setup: $(STAMP) ## virtual environment, pinned dependencies, the engine built; an unchanged repeat costs nothing

# Whatever the set-up depends on makes it stale. Old extension modules go first: a failing compiler must not leave old code running.
$(STAMP): pyproject.toml setup.py constraints.txt $(ENGINE)
	@command -v $(PYTHON) >/dev/null || { echo "REX needs Python 3.11 or newer (set PYTHON=...)"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "REX needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version). Set PYTHON=python3.11 (or newer)."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@find matching_engine -name '*.so' -delete
	@echo "Setting up $(VENV), 1 of 2: build tools (all of it takes a minute or two, several on a busy machine) ..." >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt pip setuptools wheel Cython numpy
	@echo "Setting up $(VENV), 2 of 2: dependencies and the engine ..." >&2
	@PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --no-build-isolation -e '.[dev]'
	@$(BIN)/python -c 'import matching_engine; print(matching_engine.build_notice())' >&2
	@touch $@

native: ## rebuild the engine's native code in place
	@find matching_engine -name '*.so' -delete
	@$(BIN)/python setup.py --quiet build_ext --inplace

records: ## write the files that follow from the engine's records and rows (mirror_records.py)
	@$(BIN)/python mirror_records.py

run: setup ## the venue with simulated traders on http://127.0.0.1:8000; Ctrl-C stops, `make run` carries on
	@exec $(BIN)/rex demo

test: setup ## every test (real SQLite, real browser, real processes)
	@$(BIN)/python -m pytest -n auto --dist loadfile

check: setup ## ruff, mypy strict, import-linter
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

coverage: setup ## the lines of the engine that its own tests reach, uncompiled: at least 95 of 100
	@rm -rf build/coverage && mkdir -p build/coverage/tests
	@cp -R matching_engine load_tests services docs Makefile README.md setup.py mirror_records.py pyproject.toml build/coverage
	@cp -R tests/*.py tests/model tests/unit tests/property tests/scenarios build/coverage/tests
	@find build/coverage/matching_engine -name '*.so' -delete
	@cd build/coverage && $(CURDIR)/$(BIN)/python -m coverage run -m pytest -q -p tests.plain_python tests/unit/matching_engine tests/property tests/scenarios
	@cd build/coverage && $(CURDIR)/$(BIN)/python -m coverage report

# Uninitialised values are left out: CPython's small integers alone are full of them, and a pool begins as zeros.
memcheck: setup ## hostile flows through the native engine under valgrind
	@command -v valgrind >/dev/null || { echo "memcheck: NOT RUN, there is no valgrind on this machine" >&2; exit $${REX_REQUIRE_EVERYTHING:-0}; }
	@PYTHONMALLOC=malloc valgrind -q --undef-value-errors=no --error-exitcode=9 $(BIN)/python -m tests.property.memory_run

faults: setup ## every fault rig at full length (power cuts, kills, damage, soak ...): 90 minutes; needs root for mounts
	@$(BIN)/python -m tests.faults

bench: setup ## what each hot path costs beside its limit, and other engines on the same flow, in one run
	@$(BIN)/python -m load_tests.benchmarks

flow: setup ## replay an order flow end to end and give a verdict: make flow [FLOW=file]
	@$(BIN)/python -m load_tests.flow --flow $(FLOW)

clean: ## remove what set-up and runs made (not rex-data/)
	@rm -rf $(VENV) build *.egg-info; find matching_engine -name '*.so' -delete
