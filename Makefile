# Everything runs in .venv, made from the locked requirements. `make demo` needs no root and no server.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
LOCK := $(BIN)/uv pip compile --python-version 3.11 --generate-hashes --extra all --no-emit-index-url --no-annotate \
	--quiet --custom-compile-command "make lock"
# What the tests start for real, the font of charts and pages, what prints a page as PDF, and what reads one back.
TEST_PACKAGES := mosquitto mosquitto-clients exim4-daemon-light openssl systemd-container fonts-wqy-microhei \
	libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 poppler-utils influxdb nginx-light victoria-metrics

# `make bench BENCH=ingest` runs one.
BENCH ?= $(shell grep -l __main__ benchmarks/*.py | xargs -n1 basename -s .py | grep -v bare)

.PHONY: help demo test lint bench lock

help: ## what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/make \1\t\2/' | expand -t 12

demo: $(VENV)/.demo ## a whole plant on this machine: watch a breach being mailed (DEMO_SECONDS=90 ends by itself)
	@$(BIN)/python -m simulators.demo

test: lint ## lint and all tests, with real servers (installs Debian packages that are missing)
	@scripts/system-packages $(TEST_PACKAGES)
	$(BIN)/pytest -n 2 --dist loadfile

lint: $(VENV)/.dev ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict src

bench: $(VENV)/.dev ## the benchmarks, with a real mosquitto
	@scripts/system-packages mosquitto influxdb nginx-light victoria-metrics
	for name in $(BENCH); do $(BIN)/python -m benchmarks.$$name; done

lock: $(VENV)/.dev ## resolve the requirements anew, with hashes
	@[ -x $(BIN)/uv ] || $(BIN)/python -m pip install --quiet uv
	$(LOCK) --group build pyproject.toml -o requirements.txt
	$(LOCK) --group dev pyproject.toml -o requirements-dev.txt

$(VENV)/bin/python:
	@scripts/make-venv $(VENV)

$(VENV)/.demo: requirements.txt pyproject.toml | $(VENV)/bin/python
	@scripts/install-locked $(VENV) requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt pyproject.toml | $(VENV)/bin/python
	@scripts/install-locked $(VENV) requirements-dev.txt
	@touch $@ $(VENV)/.demo
