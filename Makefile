# Two commands: `make` installs and replays the sample captures, `make test` runs the tests.
# Everything lives in .venv and, for compiled kernels, in ~/.cache/sweepwire.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SWEEPWIRE := $(BIN)/sweepwire
UV := $(shell command -v uv 2>/dev/null)
STAMP := $(VENV)/.installed
SOURCES_OF_BUILD := pyproject.toml setup.py captures/build_capture.py nic/build_core.py \
	$(wildcard captures/csrc/*) $(wildcard nic/csrc/*)

.DEFAULT_GOAL := run
.PHONY: run install test test-checked lint bench fuzz samples wheel clean help

run: install ## install and replay the sample captures through the hot loop (the default)
	$(SWEEPWIRE) replay --sample

install: $(STAMP) ## create .venv, compile the C parts and install the package, editable

ifdef UV
$(VENV)/bin/python:
	$(UV) venv --quiet --python $(PYTHON) $(VENV)
PIP_INSTALL = $(UV) pip install --quiet --python $(BIN)/python
else
$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)
PIP_INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check
endif

$(STAMP): $(VENV)/bin/python $(SOURCES_OF_BUILD)
	$(PIP_INSTALL) --editable '.[test]'
	touch $(STAMP)

test: install ## run the tests
	$(BIN)/python -m pytest

test-checked: install ## run the kernels' tests in the build that checks every memory access
	SWEEPWIRE_CHECKED=1 $(BIN)/python -m pytest tests/nic tests/feedhandler tests/property

lint: install ## ruff and mypy
	$(PIP_INSTALL) --editable '.[test,lint]'
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: install ## measure; prints tables and writes out/bench.json
	$(BIN)/python tests/bench/run_benches.py

fuzz: install ## the long campaigns: a million mutations through reader, frame parser and decoders
	SWEEPWIRE_FUZZ=1000000 $(BIN)/python -m pytest -m "" tests/captures tests/property -k "fuzz or mutation"

samples: install ## make captures/samples and their golden decodes anew (same bytes every time)
	$(BIN)/python tests/golden/make_samples.py

wheel: install ## build a wheel into dist/
	$(PIP_INSTALL) build
	$(BIN)/python -m build --wheel --outdir dist .

clean: ## remove what the other targets made
	rm -rf $(VENV) build dist out *.egg-info captures/_capture.* nic/_core.c nic/_core.*.so

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
