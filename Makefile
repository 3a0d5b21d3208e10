# meterhub: `make` lists what can be done. Everything is set up inside this folder, in git-ignored places.

BIN := .venv/bin
NODE := .toolchain/node/bin/node

unexport PYTHONDONTWRITEBYTECODE  # what is compiled once serves all the processes that the tests start

.DEFAULT_GOAL := help
.PHONY: help setup demo test check lint types pyright mypy compiled bench size fuzz lock format clean

help: ## this list
	@echo "meterhub: type make and one of"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-9s %s\n", $$1, $$2 }'

setup: ## everything that the others need; no root, instant when nothing changed
	@sh host_tools/setup/run

demo: setup ## the main job on this machine: meter, hub, display and website, until Ctrl-C
	@$(BIN)/meterhub demo

test: ## prove it: all checks and all tests (installs a browser and a broker where it may)
	@sh host_tools/setup/run tests
	@$(MAKE) --no-print-directory --jobs 2 pyright mypy lint compiled
	$(BIN)/pytest --numprocesses 7 --dist loadfile --no-loadscope-reorder

check: setup lint types ## style, types, and the direction of imports; seconds
	$(BIN)/pytest -q tests/host/test_layers.py

lint:
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: pyright mypy

pyright:
	$(NODE) .toolchain/pyright/node_modules/pyright/index.js

mypy:
	$(BIN)/mypy

compiled: # the tests' own modules, and what they import: else each of seven processes does it for itself
	@-$(BIN)/pytest --collect-only --quiet > /dev/null

format: setup ## let ruff lay the Python files out
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: setup ## figures: speed, memory, bytes on the wire
	@$(BIN)/python tests/bench/run.py

size: setup ## bytes: .mpy files of each room, a slot, the frozen image
	@$(BIN)/python tests/bench/run.py size

fuzz: setup ## the meters' decoders under damaged bytes, a million inputs each; takes hours (INPUTS=N for fewer)
	@$(BIN)/python tests/fuzz/campaign.py $(if $(INPUTS),--inputs $(INPUTS))

lock: setup ## work the pinned Python packages out anew
	@sh host_tools/setup/lock

clean: ## remove everything that was set up or built
	rm -rf .toolchain .venv typings build .mypy_cache .pytest_cache .ruff_cache
	rm -rf host_tools/*.egg-info host_tools/meterhub_tools/website/static/dist
	rm -rf host_tools/meterhub_tools/website/frontend/node_modules
	find firmware host_tools tests -name __pycache__ -type d -prune -exec rm -rf {} +
