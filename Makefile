# Two commands: `make` installs and replays the sample market with orders, `make test` runs the tests.
# Everything lives in .venv and, for compiled kernels, in ~/.cache/sweepwire.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SWEEPWIRE := $(BIN)/sweepwire
UV := $(shell command -v uv 2>/dev/null)
STAMP := $(VENV)/.installed
LINT_STAMP := $(VENV)/.installed-lint
JOBS := 2
SPREAD := -n $(JOBS) --dist loadfile -m "not loopback"
WHEEL_VENV := out/wheel-venv
SOURCES_OF_BUILD := pyproject.toml setup.py captures/build_capture.py $(wildcard nic/build_*.py) \
	nic/tuning/backends.py $(wildcard captures/csrc/*) $(wildcard nic/csrc/*)

.DEFAULT_GOAL := run
.PHONY: run install test test-checked lint bench bench-books fuzz efvi-check samples wheel \
	wheel-check clean help tune-show tune untune isolate-cores irq-affinity hugepages nic-tune \
	onload-run dpdk-bind

run: install ## install and replay the sample market with orders, with a report (the default)
	$(SWEEPWIRE) replay --sample

install: $(STAMP) ## create .venv, compile the C parts and install the package, editable

# An environment that could not be finished is removed: the next run would take it for a whole one.
ifdef UV
$(VENV)/bin/python:
	$(UV) venv --quiet --seed --python $(PYTHON) $(VENV) || { rm -rf $(VENV); exit 1; }
PIP_INSTALL = $(UV) pip install --quiet --python $(BIN)/python
else
$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }
PIP_INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check
endif

$(STAMP): $(VENV)/bin/python $(SOURCES_OF_BUILD)
	@echo "installing the libraries and compiling the C parts: a minute or two"
	$(PIP_INSTALL) --editable '.[test]'
	touch $(STAMP)

$(LINT_STAMP): $(STAMP)
	$(PIP_INSTALL) --editable '.[test,lint]'
	touch $(LINT_STAMP)

test: install ## run the tests; JOBS processes
	$(BIN)/python -m pytest $(SPREAD)
	$(BIN)/python -m pytest -m loopback

test-checked: install ## run the kernels' tests in the build that checks every memory access
	SWEEPWIRE_CHECKED=1 $(BIN)/python -m pytest $(SPREAD) tests/nic tests/feedhandler \
		tests/router tests/simulator tests/property
	SWEEPWIRE_CHECKED=1 $(BIN)/python -m pytest -m loopback tests/nic tests/router tests/simulator

lint: $(LINT_STAMP) ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: install ## measure; prints tables and writes out/bench.json
	$(BIN)/python tests/bench/run_benches.py

bench-books: install ## measure books: a synthetic ITCH day beside C and C++, and every protocol
	$(BIN)/python tests/bench/run_benches.py books feeds

fuzz: install ## the long campaigns: a million mutations through reader, frame parser and decoders
	SWEEPWIRE_FUZZ=1000000 $(BIN)/python -m pytest tests/captures tests/property -k "fuzz or mutation"
	SWEEPWIRE_CHECKED=1 SWEEPWIRE_FUZZ=200000 $(BIN)/python -m pytest \
		tests/property/test_property_packet_fuzz.py

efvi-check: install ## run the port tests on a Solarflare or AMD NIC (SWEEPWIRE_EFVI_RX=, _TX=)
	$(BIN)/python tests/nic/efvi_check.py

samples: install ## make captures/samples and their golden decodes anew (same bytes every time)
	$(BIN)/python tests/golden/make_samples.py
	$(BIN)/python tests/golden/make_market_sample.py

wheel: install ## build a wheel and a source archive into dist/
	rm -rf build dist
	$(PIP_INSTALL) build
	$(BIN)/python -m build --outdir dist . >/dev/null

wheel-check: wheel ## install that wheel in a fresh environment and try its commands
	rm -rf $(WHEEL_VENV) && $(PYTHON) -m venv $(WHEEL_VENV)
	$(WHEEL_VENV)/bin/python -m pip install --quiet --disable-pip-version-check dist/*.whl
	cd out && SWEEPWIRE_CACHE=$(CURDIR)/$(WHEEL_VENV)/kernels sh -e -c ' \
		wheel-venv/bin/sweepwire --version; wheel-venv/bin/sweepwire feeds; \
		wheel-venv/bin/sweepwire decode --stats wheel-venv/lib/*/site-packages/captures/samples/*a.pcap; \
		wheel-venv/bin/sweepwire replay wheel-venv/lib/*/site-packages/captures/samples/*.pcap; \
		wheel-venv/bin/sweepwire replay --sample --out wheel-venv/results; \
		test -s wheel-venv/results/report.html'

# Tuning. DRYRUN=1 prints and writes nothing; SYSROOT=DIR works on a made-up /sys and /proc. The rest
# is named as the options of `sweepwire tune` are: CORES IFACE PAGES CHANNELS FIFO=1 RISKY=1, and
# STATE= for the file that keeps the settings of before.
yes = $(if $(filter-out 0 no,$($(1))),$(2))
given = $(if $($(1)),$(2) '$($(1))')
TUNE_DRY = $(call yes,DRYRUN,--dry-run)
TUNE_ROOT = $(call given,SYSROOT,--sysroot)
TUNE_STATE = $(call given,STATE,--state)
TUNE_RISKY = $(call yes,RISKY,--risky)
TUNE_CORES = $(call given,CORES,--cores) $(call given,IFACE,--interface)
TUNE_WISH = $(TUNE_CORES) $(call given,PAGES,--pages) $(call given,CHANNELS,--channels) \
	$(call yes,FIFO,--fifo) $(TUNE_RISKY) $(TUNE_ROOT)
TUNE_APPLY = $(SWEEPWIRE) tune apply $(TUNE_WISH) $(TUNE_DRY) $(TUNE_STATE)

# Not `install`: root, who tunes, must not leave files of his own in .venv.
$(BIN)/sweepwire:
	$(MAKE) install

tune-show: $(BIN)/sweepwire ## the plan: every knob, what it is, what it should be, what it costs
	$(SWEEPWIRE) tune show $(TUNE_WISH)

tune: $(BIN)/sweepwire ## turn the knobs for a polling loop; saves what was there (DRYRUN=1 prints)
	$(TUNE_APPLY)

untune: $(BIN)/sweepwire ## put back what was there before
	$(SWEEPWIRE) tune restore $(TUNE_DRY) $(TUNE_ROOT) $(TUNE_STATE)

isolate-cores: $(BIN)/sweepwire ## keep other work off the loop's cores (CORES=), as far as without a reboot
	$(TUNE_APPLY) --only cores
	$(SWEEPWIRE) tune boot $(TUNE_CORES) $(TUNE_RISKY) $(TUNE_ROOT)

irq-affinity: $(BIN)/sweepwire ## keep interrupts off the loop's cores, the NIC's (IFACE=) on its node
	$(TUNE_APPLY) --only irqs

hugepages: $(BIN)/sweepwire ## keep PAGES= huge pages on the loop's node
	$(if $(PAGES),,$(error PAGES: how many huge pages?))
	$(TUNE_APPLY) --only hugepages

nic-tune: $(BIN)/sweepwire ## rings, channels, coalescing of IFACE=, and how sockets wait
	$(if $(IFACE),,$(error IFACE: which interface?))
	$(TUNE_APPLY) --only nic --only network

onload-run: $(BIN)/sweepwire ## run CMD= under Onload
	$(if $(CMD),,$(error CMD: what to run?))
	$(SWEEPWIRE) tune onload $(TUNE_DRY) $(TUNE_RISKY) -- $(CMD)

dpdk-bind: $(BIN)/sweepwire ## give the device PCI= to DRIVER= (vfio-pci); untune gives it back
	$(if $(PCI),,$(error PCI: which device, as 0000:03:00.0?))
	$(SWEEPWIRE) tune bind '$(PCI)' $(call given,DRIVER,--driver) $(TUNE_DRY) $(TUNE_RISKY) \
		$(TUNE_ROOT) $(TUNE_STATE)

clean: ## remove what the other targets made
	rm -rf $(VENV) build dist out *.egg-info .mypy_cache .ruff_cache .hypothesis
	rm -f captures/_capture.c captures/_capture.*.so $(foreach name,core xdp dpdk efvi,nic/_$(name).c \
		nic/_$(name).*.so)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
