# voicebot: `make demo` shows it, `make test` proves it. Everything else is a part of these two.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
ARGS   ?=
PARALLEL := --numprocesses=auto --dist=loadfile
TWO := --numprocesses=2 --dist=loadfile

.DEFAULT_GOAL := help
.PHONY: help setup demo serve test unit check bench bench-turns bench-capacity bench-far-beyond train-asr eval-asr eval-answer train-intent eval-intent bench-intent clean browser peers

help: ## This list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 16

setup: $(VENV)/.setup ## Make .venv with everything that running needs

PIP = $(BIN)/python -m pip install -qq --disable-pip-version-check

$(VENV)/.setup: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv $(VENV)
	@echo "Installing what running needs into $(VENV) (one to three minutes the first time) ..."
	@$(PIP) --upgrade "pip>=24"
	@$(PIP) --editable ".[espeak]"
	@touch $@

$(VENV)/.dev: $(VENV)/.setup
	@echo "Installing what the tests need ..."
	@$(PIP) --editable ".[espeak,dev,pyvoip]"
	@# Helm as a library: it asks for Python 3.12 and runs on 3.11.
	@$(PIP) --no-deps --ignore-requires-python "helm-sdkpy>=0.1.32" || echo "!!! NO HELM: the chart will not be rendered"
	@touch $@

$(VENV)/.train: $(VENV)/.setup
	@echo "Installing torch and what training needs ..."
	@$(PIP) --editable ".[espeak,train]"
	@touch $@

demo: setup ## Ring simulated debtors over real SIP; ARGS="--once --calls 8 --json FILE"
	@$(BIN)/voicebot demo $(ARGS)

serve: setup ## Run the server with the settings of the environment
	$(BIN)/voicebot serve

browser peers: ## Chromium and fonts, foreign SIP peers: installed where apt works, said aloud where not
	@sh tests/install-$@.sh

check: $(VENV)/.dev ## Lint, types, layers, call scripts
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/voicebot script check scripts/*.yaml

unit: $(VENV)/.dev ## The fast tests
	$(BIN)/pytest -q -m "not slow" $(PARALLEL) tests/sip tests/voicebot $(ARGS)

# Marks; how many at once. What fails beside others on a crowded machine is named, tried once more by itself, and must pass.
part = $(BIN)/pytest -q -m $(1) $(2) $(ARGS) || { \
  echo "!!! FAILED BESIDE OTHERS. Once more, one at a time:"; \
  $(BIN)/pytest -v -m $(1) --last-failed --last-failed-no-failures=none $(ARGS); } || failed=1

test: $(VENV)/.dev browser peers check ## Set up and run every test, all three parts whatever the first two say
	@failed=0; \
	$(call part,"not alone and not realtime",$(PARALLEL)); \
	$(call part,realtime,$(TWO)); \
	$(call part,alone); \
	exit $$failed

bench: $(VENV)/.dev ## Measure line and turns
	$(BIN)/python -m benchmarks.line
	$(BIN)/python -m benchmarks.turns

bench-turns: $(VENV)/.dev ## Measure how long callers wait for the bot, beside a stock pipecat pipeline
	$(BIN)/python -m benchmarks.turns $(ARGS)

bench-capacity: $(VENV)/.dev ## Measure how many calls this machine carries, and what each of them costs
	$(BIN)/python -m benchmarks.capacity $(ARGS)

bench-far-beyond: $(VENV)/.dev ## From what was measured to a million calls an hour, in simulated time
	$(BIN)/python -m benchmarks.far_beyond $(ARGS)

train-asr: $(VENV)/.train ## Train the embedded recogniser anew (hours)
	$(BIN)/python -m voicebot.asr.training.run $(ARGS)

eval-answer: $(VENV)/.train ## How well it is told who answered
	$(BIN)/python -m benchmarks.answer $(ARGS)

eval-asr: $(VENV)/.train ## How well the embedded recogniser hears
	$(BIN)/python -m voicebot.asr.training.evaluate $(ARGS)

train-intent: $(VENV)/.train ## Train the intent classifier anew
	$(BIN)/python -m voicebot.intent.training.train

eval-intent: $(VENV)/.train ## How well utterances are understood
	$(BIN)/python -m voicebot.intent.training.evaluate

bench-intent: $(VENV)/.train ## Latency of understanding, beside other models
	$(BIN)/python -m benchmarks.intent

clean: ## Remove what was made here
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache build dist *.egg-info
