# Two commands on a fresh machine: `make demo` and `make test`. Both set up .venv first, once.
#
# Settings, as in `make demo PYTHON=python3.12 THREADS=4`:
#   PYTHON   the interpreter .venv is made with, 3.11 or later
#   THREADS  cores to use; by default all it may use. Set on purpose: left to themselves, several
#            processes each take all cores and slow one another down.

PYTHON ?= python3
THREADS ?= $(shell $(PYTHON) -m agent.machine.cores 2>/dev/null || echo 2)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
TESTABLE := $(VENV)/.testable

export OMP_NUM_THREADS := $(THREADS)

.PHONY: help setup demo checkpoint doctor test lint format clean

help:
	@echo "make demo     set up, check this machine, then train a world model and watch it work"
	@echo "make test     set up, then lint, type-check and run the tests"
	@echo "make checkpoint  make demo, and its model becomes checkpoints/reacher"
	@echo "make doctor   set up, then check this machine"
	@echo "make setup    only set up: .venv with exact versions"
	@echo "make format   put the code in order"
	@echo "make clean    remove .venv and caches; data, runs and checkpoints stay"

setup: $(READY)

# The stamp is newer than what it was made from, so this is done again only when those change.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "This needs Python 3.11 or later, and $(PYTHON) is: $$($(PYTHON) --version 2>&1)."; \
	  echo "Install one and name it: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' || { \
	  echo "Python lacks its venv module (Debian/Ubuntu: apt-get install python3-venv)."; exit 4; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --no-deps --no-build-isolation --editable .
	@touch $(READY)

# What only tests and types need is heavy, so the demo does without it.
$(TESTABLE): $(READY) requirements-test.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-test.lock
	@touch $(TESTABLE)

doctor: $(READY)
	$(BIN)/python run_agent.py doctor

demo: doctor
	$(BIN)/python run_agent.py demo --workers $(THREADS)

# How checkpoints/reacher was made.
checkpoint: doctor
	$(BIN)/python run_agent.py demo --workers $(THREADS)
	rm -rf checkpoints/reacher
	mkdir -p checkpoints
	cp -r runs/demo/world-model/checkpoint checkpoints/reacher

# A process a core, each with one thread: a file's tests stay together and share what they made.
test: lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses $(THREADS) \
	  --dist loadfile --no-loadscope-reorder

lint: $(TESTABLE)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
