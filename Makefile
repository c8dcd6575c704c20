# `make help` lists what there is. pip's and npm's own settings (mirrors, proxies, caches) are used as they are.

PYTHON ?= python3
PYTEST_ARGS ?= -n auto
BIN := .venv/bin
LOCKED := $(BIN)/pip --disable-pip-version-check install --quiet --require-hashes --only-binary :all:
LOCALES := zh_Hans_CN en
POT := build/messages.pot
MO := $(patsubst %.po,%.mo,$(wildcard crm/translations/*/LC_MESSAGES/messages.po))
UV := build/uv/bin/uv
LOCK := $(UV) pip compile --quiet --generate-hashes --universal --no-build --python-version 3.11 \
	--no-header --no-emit-index-url --no-annotate $(if $(UPGRADE),--upgrade)

# a test run starts the program a hundred times: it is not compiled anew for each
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup run bench test nets fuzz mutants eyes lint assets translations lock wheel clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.stamp-run $(MO) ## everything the program needs, in .venv

run: setup ## the program, at the address it prints; Ctrl-C ends it
	@exec $(BIN)/crm run

test: setup lint ## all checks and tests; PYTEST_ARGS='-k name' for some
	$(BIN)/pytest $(PYTEST_ARGS)

nets: setup .venv/.stamp-test ## the tests with every route, move, fault, race and case, on both databases in full
	CRM_NETS=all $(BIN)/pytest $(PYTEST_ARGS) --ignore tests/browser

fuzz: setup .venv/.stamp-test ## bad input in every field; N=1000 for so many requests
	$(BIN)/python -m tests.nets.fuzz -n $(or $(N),100000) $(if $(SEED),--seed $(SEED))

mutants: setup .venv/.stamp-test ## seeded defects: do the tests notice? WORDS=throttle for some
	$(BIN)/python tools/mutants.py $(WORDS)

eyes: setup .venv/.stamp-test ## every page x role x language x width in a browser, with pictures
	CRM_EYES=all $(BIN)/pytest $(PYTEST_ARGS) --timeout=1800 tests/browser/test_eyes.py

bench: setup .venv/.stamp-test ## how it bears a million records; takes an hour and 6 GB under build/bench
	$(BIN)/python -m bench.scale
	$(BIN)/python -m bench.report

lint: .venv/.stamp-test ## style, who imports whom, and whether each seeded defect has its place
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/python tools/mutants.py --there

assets: .venv/.stamp-run ## the browser files again, for instance once npm is there
	$(BIN)/python tools/assets.py

translations: .venv/.stamp-run ## collect the texts of code and pages into both catalogues
	@mkdir -p $(dir $(POT))
	$(BIN)/pybabel --quiet extract -F babel.cfg -k N_ -k _l -k lazy_gettext --no-location --sort-output \
	    --project jinyang-crm --version 0.1.0 -o $(POT) .
	@for locale in $(LOCALES); do \
	    $(BIN)/pybabel --quiet update -i $(POT) -d crm/translations -l $$locale --init-missing \
	        --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date --width 120 || exit; \
	done
	@$(BIN)/python tools/english.py

lock: $(UV) ## write the lock files anew from the .in files; UPGRADE=1 for the newest versions
	$(LOCK) requirements/run.in -o requirements/run.lock
	$(LOCK) requirements/test.in -c requirements/run.lock -o requirements/test.lock
	$(LOCK) requirements/node.in -o requirements/node.lock
	npm install --package-lock-only --ignore-scripts --no-audit --no-fund

wheel: setup ## the program as one installable file in dist/
	$(BIN)/pip --disable-pip-version-check wheel --quiet --no-deps --no-build-isolation -w dist .
	@ls dist

clean: ## remove what was installed or made; instance/, the data, stays
	rm -rf .venv build dist node_modules crm/static/vendor .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	rm -f $(MO)
	find crm tests migrations tools -name __pycache__ -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo 'Python 3.11 or newer is needed; name it so: make PYTHON=python3.12' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	    { echo 'Python cannot make a virtual environment: on Debian, apt install python3-venv' >&2; exit 1; }
	@rm -rf .venv
	@$(PYTHON) -m venv .venv

# npm fetches improvements the pages can do without, so a machine without it goes on.
.venv/.stamp-run: requirements/run.lock pyproject.toml package-lock.json tools/assets.py $(BIN)/python
	@echo 'Setting up .venv ...'
	@$(LOCKED) -r requirements/run.lock
	@command -v npm >/dev/null || $(LOCKED) -r requirements/node.lock || true
	@$(BIN)/pip --disable-pip-version-check install --quiet --no-deps --no-build-isolation -e .
	@rm -rf .venv/lib/python3*/site-packages/crm # copies of templates/ and migrations/ that nothing reads
	@$(BIN)/python tools/assets.py
	@touch $@

.venv/.stamp-test: requirements/test.lock .venv/.stamp-run
	@$(LOCKED) -r requirements/test.lock
	@touch $@

%.mo: %.po | .venv/.stamp-run
	@$(BIN)/pybabel --quiet compile -i $< -o $@

$(UV):
	@$(PYTHON) -m venv build/uv
	@build/uv/bin/pip --disable-pip-version-check install --quiet uv
