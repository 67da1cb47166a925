# Needs git, make and Python 3.10 or newer; the rest is set up here, in .venv and in the user's cache.
.DEFAULT_GOAL := help
.PHONY: help demo test e2e lint generate lock bench clean venv
export PYTHONUTF8 := 1

PYTHON := .venv/bin/python
WORKERS ?= 2
WORKFLOWS = $(wildcard .github/workflows/*.yml workflows-examples/*/.github/workflows/*.yml)
ACTIONS = action.yml $(wildcard */action.yml actions/*/action.yml)

help:  ## list these commands
	@echo "make COMMAND, where COMMAND is:"
	@sed -n 's/^\([a-z0-9]*\):.*##/  \1	/p' Makefile

demo:  ## one version from a commit to production, on this machine, without any account
	@echo "make demo: rehearses the whole promotion flow on this machine"
	@bin/promote-actions rehearse

test:  ## every test (ARGS="tests/owners -k name" for some)
	@echo "make test: sets up .venv and runs the tests with $(WORKERS) workers"
	@$(MAKE) --no-print-directory venv
	@$(PYTHON) -m pytest -n $(WORKERS) -rs $(ARGS)

e2e:  ## the example workflows alone, run whole by the local runner act
	@echo "make e2e: sets up .venv and runs the example workflows by act, against emulators and real git"
	@$(MAKE) --no-print-directory venv
	@$(PYTHON) -m pytest -n $(WORKERS) -rs tests/workflows $(ARGS)

lint:  ## style, types, workflows and actions
	@echo "make lint: sets up .venv; then ruff, mypy, generated files, zizmor, schemas"
	@$(MAKE) --no-print-directory venv
	@echo "- ruff"
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@echo "- mypy --strict"
	@$(PYTHON) -m mypy
	@echo "- the generated files are what the specifications say"
	@PYTHONPATH=src $(PYTHON) -m promote_actions.generate --check
	@echo "- zizmor on workflows and actions"
	@.venv/bin/zizmor --offline --pedantic --no-progress --quiet $(ACTIONS) $(WORKFLOWS)
	@echo "- the schemas of workflows and actions"
	@$(PYTHON) -m check_jsonschema --builtin-schema vendor.github-actions $(ACTIONS)
	@$(PYTHON) -m check_jsonschema --builtin-schema vendor.github-workflows $(WORKFLOWS)

generate:  ## write every action.yml and docs/reference.md from the specifications
	@echo "make generate: sets up .venv and writes what the specifications say"
	@$(MAKE) --no-print-directory venv
	@PYTHONPATH=src $(PYTHON) -m promote_actions.generate

COMPILE = uv pip compile --quiet --universal --generate-hashes --no-annotate --no-header --upgrade \
    --python-version 3.10 --constraint requirements/constraints.txt pyproject.toml

lock:  ## pin the dependencies anew, with hashes (needs uv)
	@echo "make lock: resolves pyproject.toml into requirements/run.txt and requirements/dev.txt"
	$(COMPILE) --output-file requirements/run.txt
	$(COMPILE) --output-file requirements/dev.txt --group dev --constraint requirements/run.txt

bench:  ## measure beside what people use today, and write docs/benchmarks.md (ARGS="--quick": two minutes)
	@echo "make bench: sets up .venv and measures; about ten minutes on two cores that have nothing else to do"
	@$(MAKE) --no-print-directory venv
	@PYTHONPATH=src $(PYTHON) -m benchmarks $(ARGS)

clean:  ## remove what these commands made in this folder
	@echo "make clean: removes .venv and caches"
	@rm -rf .venv .venv.lock .venv.new-* .venv.old-* .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

venv:
	@. ./bin/find-python.sh; python=$$(find_python) || \
	    { echo "error: Python 3.10 or newer was not found; install one, or set PROMOTE_ACTIONS_PYTHON to its path" >&2; exit 3; }; \
	    "$$python" -I -S bin/environment.py requirements/dev.txt .venv >/dev/null
