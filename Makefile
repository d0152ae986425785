# Two commands on a fresh machine: `make run` and `make test`. Both set everything up first.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.set-up
ENGINE := $(wildcard matching_engine/*.py matching_engine/*.pxd matching_engine/*/*.py matching_engine/*/*.pxd)
RESOLVE = build/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
          --no-annotate --custom-compile-command 'make lock' pyproject.toml -
FLOW   ?= load_tests/flows/sample.csv
CORES  = $(shell nproc 2>/dev/null || sysctl -n hw.ncpu)

# Without bytecode on disk every pytest process rewrites the assertions of every test anew: four seconds each.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup lock native records asyncapi types pages pictures run run-scaled test test-long test-fast test-pythons check docs coverage memcheck faults simulate night fuzz bench figure-bars flow clean

help: ## what this Makefile can do
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /  make \1\t/' | expand -t 20

setup: $(STAMP) ## virtual environment, locked dependencies, the engine built; an unchanged repeat costs nothing

# Whatever the set-up depends on makes it stale.
$(STAMP): pyproject.toml setup.py install.py requirements.txt requirements-dev.txt $(ENGINE)
	@command -v $(PYTHON) >/dev/null || { echo "REX needs Python 3.11 or newer (set PYTHON=...)"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "REX needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version). Set PYTHON=python3.11 (or newer)."; exit 1; }
	@$(PYTHON) install.py $(VENV)
	@touch $@

# uv resolves for every platform and Python at once; only this target needs it. The first line locks all, the others part it.
lock: ## the versions and hashes in requirements*.txt, after a change of pyproject.toml; UPGRADE=--upgrade takes the newest
	@test -x build/lock/bin/uv || { $(PYTHON) -m venv build/lock && build/lock/bin/python -m pip install --quiet uv; }
	@cat requirements.txt requirements-dev.txt >build/locked.txt
	@printf 'pip\nsetuptools\n' | $(RESOLVE) --extra dev $(UPGRADE) -o build/locked.txt
	@printf 'pip\nsetuptools\n' | $(RESOLVE) -c build/locked.txt -o requirements.txt
	@$(RESOLVE) --extra dev -c build/locked.txt $$(sed -nE 's/^([^= ]+)==.*/--no-emit-package \1/p' requirements.txt) -o requirements-dev.txt </dev/null

native: ## rebuild the engine's native code in place
	@find matching_engine -name "*$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_config_var("EXT_SUFFIX"))')" -delete
	@$(BIN)/python setup.py --quiet build_ext --inplace

records: ## write what follows from the engine's records (mirror_records.py), docs/errors.md, docs/openapi.json, docs/asyncapi.json
	@$(BIN)/python mirror_records.py
	@$(BIN)/python -m services.gateway.http.error_pages >docs/errors.md
	@$(BIN)/python -m services.api_documents docs

pages: setup ## every page × role × language × theme × size in a real browser; minutes
	@EVERY_PAGE=1 $(BIN)/python -m pytest -q tests/browser/test_every_page.py

pictures: setup ## docs/pages/*.png: every page of a running demo with its history, by Chromium
	@$(BIN)/python -m tests.browser.pictures docs/pages

asyncapi: ## docs/asyncapi.json by the official parser; needs Node, and `npm install --prefix build @asyncapi/parser` once
	@if test -d build/node_modules/@asyncapi/parser; then NODE_PATH=build/node_modules node tests/parse_asyncapi.cjs docs/asyncapi.json; \
	else echo "asyncapi: NOT RUN, there is no build/node_modules/@asyncapi/parser" >&2; exit $${REX_REQUIRE_EVERYTHING:-0}; fi

types: ## the pages' scripts by TypeScript (JSDoc types, strict); needs Node, and `npm install --prefix build typescript@7` once
	@if test -x build/node_modules/.bin/tsc; then build/node_modules/.bin/tsc -p services/pages/tsconfig.json; \
	else echo "types: NOT RUN, there is no build/node_modules/typescript" >&2; fi

run: setup ## the venue with simulated traders on http://127.0.0.1:8000; Ctrl-C stops, `make run` carries on
	@exec $(BIN)/rex demo

run-scaled: setup ## docker-compose.yml's processes without Docker, on free ports; Ctrl-C stops; FOLDER=folder keeps them
	@exec $(BIN)/python -m load_tests.run_scaled $(if $(FOLDER),--folder $(FOLDER))

# Two processes more than there are cores: half of the time of the tests with servers and processes is waiting. At a low priority:
# a proof has the lowest, and would else wait for the other tests; the projector still has a third of the time of an order.
PYTEST = nice -n 14 $(BIN)/python -m pytest -n $$(($(CORES) + 2)) --dist loadfile --no-loadscope-reorder

test: setup ## every kind of test (real SQLite, PostgreSQL, browser, processes): some ten minutes on two cores
	@$(PYTEST) -m 'not long'

test-long: setup ## what `make test` leaves out: every seed, case and mutant marked `long`, and every law with all its examples
	@LONG=1 $(PYTEST) -m 'long or hypothesis'

test-fast: setup ## ruff, import-linter, unit tests and short properties: under a minute on two quiet cores
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports
	@$(BIN)/python -m pytest -q -n auto --dist worksteal -m 'not slow and not long' tests/unit tests/property tests/scenarios

test-pythons: setup ## the tests under every Python from 3.11 on that this machine has, each in build/python3.N
	@$(BIN)/python -m tests.pythons test

check: setup ## ruff, mypy strict, import-linter, the types of the pages' scripts, the site of the docs
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(MAKE) --no-print-directory types
	@$(MAKE) --no-print-directory docs

docs: setup ## the site of the guides and the API reference in build/site/docs/index.html; warnings are errors
	@$(BIN)/sphinx-build --quiet --fresh-env --fail-on-warning --keep-going -c docs . build/site

coverage: setup ## the lines of the engine that its own tests reach, uncompiled: at least 95 of 100
	@rm -rf build/coverage && mkdir -p build/coverage/tests
	@cp -R matching_engine load_tests services clients docs Makefile README.md setup.py mirror_records.py pyproject.toml build/coverage
	@cp -R tests/*.py tests/model tests/unit tests/property tests/scenarios build/coverage/tests
	@find build/coverage/matching_engine -name '*.so' -delete
	@cd build/coverage && LONG=1 $(CURDIR)/$(BIN)/python -m coverage run -m pytest -q -p tests.plain_python tests/unit/matching_engine tests/property tests/scenarios
	@cd build/coverage && $(CURDIR)/$(BIN)/python -m coverage report

# Uninitialised values are left out: CPython's small integers alone are full of them, and a pool begins as zeros.
memcheck: setup ## hostile flows through the native engine under valgrind
	@command -v valgrind >/dev/null || { echo "memcheck: NOT RUN, there is no valgrind on this machine" >&2; exit $${REX_REQUIRE_EVERYTHING:-0}; }
	@PYTHONMALLOC=malloc valgrind -q --undef-value-errors=no --error-exitcode=9 $(BIN)/python -m tests.property.memory_run

faults: setup ## every fault rig at full length (power cuts, kills, damage, soak ...): two and a half hours; needs root for mounts
	@$(BIN)/python -m tests.faults

night: setup ## every long rig for a given time, each with its share; report in build/night/report.md; HOURS=8 SEED=1 ONLY="kill soak"
	@$(BIN)/python -m tests.night --hours $(or $(HOURS),8) --seed $(or $(SEED),1) $(if $(ONLY),--only $(ONLY))

simulate: setup ## whole scaled venues in virtual time, a seed each: SEEDS=100000 FIRST=1 JOBS=2
	@$(BIN)/python -m tests.simulation --seeds $(or $(SEEDS),100000) --first $(or $(FIRST),1) --jobs $(or $(JOBS),2)

fuzz: setup ## generated requests and WebSocket frames to a new venue: minutes; REQUESTS=100000 FRAMES=100000 SEED=1 MINUTES=60 SCALED=1
	@$(BIN)/python -m tests.fuzz --requests $(or $(REQUESTS),100000) --frames $(or $(FRAMES),100000) --seed $(or $(SEED),1) --minutes $(or $(MINUTES),60) $(if $(SCALED),--scaled)

bench: setup ## what each hot path costs beside its limit, and other engines on the same flow, in one run
	@$(BIN)/python -m load_tests.benchmarks

figure-bars: setup ## what forecast, pace and wash screen must reach on simulated flow; minutes; YEARS=1000 SEED=1
	@$(BIN)/python -m load_tests.figure_bars --years $(or $(YEARS),1000) --seed $(or $(SEED),1)

flow: setup ## replay an order flow end to end and give a verdict: make flow [FLOW=file]
	@$(BIN)/python -m load_tests.flow --flow $(FLOW)

clean: ## remove what set-up and runs made (not rex-data/)
	@rm -rf $(VENV) build *.egg-info; find matching_engine -name '*.so' -delete
