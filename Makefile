# Everything a newcomer needs: `make demo` and `make test`.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
DATA   ?=
SEEDS  ?= 50
EVAL_DATA ?= ../shared/data

.PHONY: help env demo test serve check bench crash eval clean

help:  ## Show the commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

env: $(STAMP)  ## Make .venv with the service in it

# torch first: pip then takes the build that fits this machine before another package asks for a larger one.
$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV): a few minutes on the first run ..."
	$(BIN)/pip install --quiet --disable-pip-version-check 'torch==2.13.0'
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[server,neo4j,postgresql,communities,test,dev,otel,eval]'
	@touch $@

demo: env  ## Start the service, remember a conversation, answer questions, stop
	@$(BIN)/memory-service demo $(if $(DATA),--data $(DATA))

test: env  ## Run the tests
	$(BIN)/python -m pytest

serve: env  ## Run the service until it is stopped
	$(BIN)/memory-service serve

check: env  ## Lint, types and formatting, as CI does
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

bench: env  ## Measure speed and memory beside yardsticks; writes bench/out
	$(BIN)/python -m bench

crash: env  ## Kill a real server at named and random points: make crash SEEDS=200
	$(BIN)/python -m tests.crash --seeds $(SEEDS)

eval: env  ## Run the benchmarks on the development files; writes eval/out and docs/results.md
	$(BIN)/memory-service eval all --data $(EVAL_DATA) --docs docs/results.md

clean:  ## Remove the environment and all that was built
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache .hypothesis
