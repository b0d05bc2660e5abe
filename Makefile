# Two commands matter: `make run` and `make test`. Each sets up what it needs in .venv first.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
HOME_DIR ?= var
PORT ?= 8050
DEMO ?= 1

.PHONY: run test check format docs bench chromium clean

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { echo "Watchfloor needs Python 3.11; name one with: make PYTHON=/path/to/python3.11 …"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run-ready: requirements.txt constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -c constraints.txt
	@touch $@

$(VENV)/.dev-ready: requirements-dev.txt $(VENV)/.run-ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt -c constraints.txt
	@touch $@

run: $(VENV)/.run-ready
	@WATCHFLOOR_HOME_DIR="$(HOME_DIR)" WATCHFLOOR_PORT="$(PORT)" WATCHFLOOR_DEMO="$(DEMO)" exec $(BIN)/python app.py

test: $(VENV)/.dev-ready chromium
	$(BIN)/python -m pytest -n 2 --dist loadfile

check: $(VENV)/.dev-ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m config.document --check
	$(BIN)/python -m data_quality.document --check

format: $(VENV)/.dev-ready
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(VENV)/.dev-ready
	$(BIN)/python -m config.document
	$(BIN)/python -m data_quality.document

bench: $(VENV)/.dev-ready chromium
	$(BIN)/python -m bench $(ONLY)

# The browser for tests: one on the machine, else the system's package, else Playwright's own.
chromium: $(VENV)/.dev-ready
	@command -v chromium chromium-browser google-chrome >/dev/null 2>&1 \
	|| { [ "$$(id -u)" = 0 ] && apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q chromium; } \
	|| { sudo -n apt-get update -q && sudo -n apt-get install -y -q chromium; } 2>/dev/null \
	|| $(BIN)/playwright install chromium

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
