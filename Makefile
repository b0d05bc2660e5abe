# Two commands matter: `make run` and `make test`. Each sets up what it needs in .venv first.
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
HOME_DIR ?= var
PORT ?= 8050
DEMO ?= 1

setup: $(VENV)/.run-ready

.PHONY: setup run test test-quick test-faults check format docs bench chromium fonts faketime clickhouse clean

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { echo "Watchfloor needs Python 3.11, 3.12 or 3.13; name one with: make PYTHON=/path/to/python3.11 …"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run-ready: requirements.txt constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -c constraints.txt
	@touch $@

$(VENV)/.dev-ready: requirements-dev.txt requirements-maps.txt $(VENV)/.run-ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt -c constraints.txt
	@touch $@

run: $(VENV)/.run-ready
	@WATCHFLOOR_HOME_DIR="$(HOME_DIR)" WATCHFLOOR_PORT="$(PORT)" WATCHFLOOR_DEMO="$(DEMO)" exec $(BIN)/python app.py

# Three at once on two cores: a third of the time is spent waiting for processes.
test: $(VENV)/.dev-ready chromium fonts clickhouse
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

# The inner loop: what starts no server, no process and no browser.
test-quick: $(VENV)/.dev-ready
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m "not faults and not server"

# Breaks real processes under load; ONLY= names one fault. Files run side by side: most of the time is spent waiting.
test-faults: $(VENV)/.dev-ready chromium clickhouse faketime
	$(BIN)/python -m pytest tests/faults -m faults -n 4 --dist loadfile $(if $(ONLY),-k "$(ONLY)")

check: $(VENV)/.dev-ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m config.document --check
	$(BIN)/python -m data_quality.document --check
	$(BIN)/python -m dashboards.api.document --check

format: $(VENV)/.dev-ready
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(VENV)/.dev-ready
	$(BIN)/python -m config.document
	$(BIN)/python -m data_quality.document
	$(BIN)/python -m dashboards.api.document

bench: $(VENV)/.dev-ready chromium
	$(BIN)/python -m bench $(ONLY)

# The browser for tests: one on the machine, else the system's package, else Playwright's own.
chromium: $(VENV)/.dev-ready
	@command -v chromium chromium-browser google-chrome >/dev/null 2>&1 \
	|| { [ "$$(id -u)" = 0 ] && apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q chromium; } \
	|| { sudo -n apt-get update -q && sudo -n apt-get install -y -q chromium; } 2>/dev/null \
	|| $(BIN)/playwright install chromium

# A font with Chinese signs, in which the tests of the windows measure texts: where it is missing, others are wider.
fonts:
	@fc-list 2>/dev/null | grep -q "Noto Sans CJK" \
	|| { [ "$$(id -u)" = 0 ] && apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q fonts-noto-cjk; } \
	|| { sudo -n apt-get update -q && sudo -n apt-get install -y -q fonts-noto-cjk; }

# Steps the clock of single processes.
faketime:
	@command -v faketime >/dev/null 2>&1 \
	|| { [ "$$(id -u)" = 0 ] && apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q faketime; } \
	|| { sudo -n apt-get update -q && sudo -n apt-get install -y -q faketime; }

# ClickHouse, ZooKeeper and nginx for tests: Debian's packages, unpacked and not installed, so that no service starts.
CLICKHOUSE := $(or $(WATCHFLOOR_CLICKHOUSE),$(HOME)/.cache/watchfloor/clickhouse)
CLICKHOUSE_PACKAGES := clickhouse-server clickhouse-common libcapnp-0.9.2 libcctz2 libcpuinfo0 libfarmhash0 libjemalloc2 \
	libltdl7 libmariadb3 libmetrohash1 libodbc2 libpcre3 libpococrypto80 libpocodata80 libpocodataodbc80 libpocofoundation80 \
	libpocojson80 libpocomongodb80 libpoconet80 libpoconetssl80 libpocoutil80 libpocoxml80 librdkafka1 libre2-9 \
	libzookeeper-java libnetty-java libdropwizard-metrics-java libsnappy-java libsnappy-jni libslf4j-java nginx

clickhouse: $(CLICKHOUSE)/.unpacked
	@command -v java >/dev/null 2>&1 \
	|| { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends openjdk-17-jre-headless; }

$(CLICKHOUSE)/.unpacked: Makefile
	@mkdir -p $(@D)/packages
	@[ "$$(id -u)" != 0 ] || apt-get update -q
	cd $(@D)/packages && apt-get download -q $(CLICKHOUSE_PACKAGES)
	@for package in $(@D)/packages/*.deb; do dpkg -x "$$package" $(@D) || exit 1; done
	@rm -r $(@D)/packages && touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
