.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help env demo test check format man

help:  ## list these targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

env: .venv/installed  ## make .venv and install Seed with everything for development

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: env  ## repair a small git repository with the model that comes along
	PATH="$(CURDIR)/$(BIN):$$PATH" examples/demo.sh

test: env  ## run all tests
	$(BIN)/python -m pytest

check: env  ## format, lint, types, layers, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest

man: env  ## write docs/seed.1 from the commands
	$(BIN)/python docs/man.py > docs/seed.1

format: env  ## format the code and mend what ruff can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
