# Two commands do everything: `make run` starts Storyreel, `make test` checks it.
# Settings go through ARGS, as in: make run ARGS="--port 9000 --model bundled"

SHELL := /bin/bash
FITS := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))
PYTHON ?= $(shell for candidate in python3.11 python3.12 python3; do \
  $$candidate -c '$(FITS)' 2>/dev/null && command -v $$candidate && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# Many tests wait: two at a time take little more than half as long. A file stays in one process,
# in which its tests share what they set up. Alone: make test ARGS="-n 0 tests/test_story.py"
AT_ONCE := -n 2 --dist loadfile --no-loadscope-reorder

.PHONY: run test faults soak lint browser train evaluate bench clean

run: $(VENV)/.runs
	$(BIN)/python app.py $(ARGS)

test: $(VENV)/.tests browser
	@start=$$SECONDS; $(MAKE) --no-print-directory lint && $(BIN)/python -m pytest $(AT_ONCE) $(ARGS); \
	status=$$?; echo "make test took $$((SECONDS - start)) s after installing"; exit $$status

# Everything that can go wrong, at length: what `make test` tries a few times.
faults: $(VENV)/.tests
	$(BIN)/python -m pytest tests/faults --rounds 30 --examples 500 $(ARGS)

# Ten minutes of mixed work, after which nothing may be left of it; as in: ARGS="--minutes 60"
soak: $(VENV)/.tests
	$(BIN)/python -m tests.faults.soak $(ARGS)

lint: $(VENV)/.tests
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy --strict engine

# The browser tests drive Chromium or Chrome; where neither is there and apt may install, it does.
browser:
	@if ! command -v chromium chromium-browser google-chrome google-chrome-stable >/dev/null; then \
	  if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	    echo "installing chromium"; \
	    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
	      apt-get install -y -qq chromium >/dev/null; } || echo "chromium could not be installed"; \
	  else echo "no Chromium or Chrome: the browser tests will be skipped"; fi; fi

# Against peers on the same weights, in turn; as in: ARGS="image_bundled start" or ARGS=--smoke
bench: $(VENV)/.tests
	$(BIN)/python -m benchmarks $(ARGS)

train: $(VENV)/.tests
	$(BIN)/python -m training $(ARGS)

# Scores the bundled model; ARGS picks another, as in: make evaluate ARGS="--target FOLDER"
evaluate: $(VENV)/.tests
	$(BIN)/python -m training evaluate $(ARGS)

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache

$(VENV)/.runs: requirements.txt
	@"$(PYTHON)" -c '$(FITS)' 2>/dev/null || { \
	  echo "Storyreel needs Python 3.11 or 3.12; name one: make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "making $(VENV) and installing; this takes a minute or more the first time"
	@start=$$SECONDS; "$(PYTHON)" -m venv $(VENV) && $(PIP) install -r requirements.txt && \
	echo "installed in $$((SECONDS - start)) s"
	@touch $@

$(VENV)/.tests: requirements-dev.txt $(VENV)/.runs
	@start=$$SECONDS; $(PIP) install -r requirements-dev.txt && \
	echo "test tools installed in $$((SECONDS - start)) s"
	@touch $@
