# `make run` and `make test` set up everything they need: see `make help`.
# Packages come from wherever pip, or uv where it is installed, is configured to get them.

.DEFAULT_GOAL := help
SHELL := /bin/bash
.SUFFIXES:
.NOTPARALLEL:
MAKEFLAGS += --no-builtin-rules --no-print-directory

VENV := .venv
PY := $(VENV)/bin/python
# Handed on to the command: make run ARGS="--set generation.target_samples=30"
ARGS ?=
# The interpreter that .venv is made with is found by scripts/find-python; or name one: PYTHON=...

CLI := $(PY) -m synth_dspy.run
# Two workers on two cores; tests of one file share what they set up, so they stay together.
PYTEST := $(PY) -m pytest -n auto --dist loadfile

# Stamps: each says that its step was done for the files it depends on, so that a second run adds
# nothing. A change to pyproject.toml installs again.
INSTALLED := $(VENV)/.installed
INSTALLED_DEV := $(VENV)/.installed-dev
IMAGE := $(VENV)/.image

.PHONY: help
help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9<>%-]+:.*## / { \
		name = $$1; sub("%", "<name>", name); printf "  %-14s %s\n", name, $$2 }' $(MAKEFILE_LIST)

.PHONY: install
install: $(INSTALLED) $(IMAGE)  ## Set up only: .venv, the package, the sandbox's image

.PHONY: run
run: install  ## Documents in, a dataset and a report out: the quickstart (ARGS="...")
	@$(CLI) $(ARGS)

.PHONY: trial
trial: install  ## The same with a small sample, in a directory of its own
	@$(CLI) pipeline --trial $(if $(filter command line environment,$(origin CONFIG)),--config $(CONFIG)) $(ARGS)

.PHONY: test
test: $(INSTALLED_DEV) $(IMAGE)  ## The tests that take seconds each (ARGS="-k name")
	@$(PYTEST) -m "not slow" $(ARGS)

.PHONY: test-slow
test-slow: $(INSTALLED_DEV) $(IMAGE)  ## The tests that take longer: chaos, soak, browser, corpus
	@$(PYTEST) -m slow $(ARGS)

.PHONY: test-all
test-all: $(INSTALLED_DEV) $(IMAGE)  ## Every test
	@$(PYTEST) $(ARGS)

.PHONY: lint
lint: $(INSTALLED_DEV)  ## ruff check, ruff format --check, mypy --strict
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy

.PHONY: bench
bench: $(INSTALLED) $(IMAGE)  ## A table of ratios, measured side by side on this machine
	@$(PY) -m benchmarks $(ARGS)

# In a folder of its own, so that what it promotes is used by no other run.
.PHONY: compile-demo
compile-demo: $(INSTALLED)  ## Compile two prompts offline: before and after on held-out gold
	@mkdir -p outputs/compile-demo && cd outputs/compile-demo && PYTHONPATH="$(CURDIR)" \
		"$(abspath $(PY))" -m synth_dspy.run compile \
		--config "$(CURDIR)/configs/quickstart/config.yaml" --set output_dir=. \
		--step classify --step judge --optimizer labeled --demos 48 \
		--summary summary.json $(ARGS)

.PHONY: stats
stats: $(INSTALLED)  ## The numbers of the last run: stages, drops, samples, cost
	@$(CLI) stats $(if $(filter command line environment,$(origin CONFIG)),--config $(CONFIG)) $(ARGS)

.PHONY: clean
clean:  ## Remove .venv, caches and build; ask before deleting outputs/
	@rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
	@find . -name __pycache__ -type d -not -path './outputs/*' -prune -exec rm -rf {} +
	@if [ -d outputs ] && [ -t 0 ]; then \
		read -r -p "Delete outputs/ too, with every dataset in it? [y/N] " answer; \
		case "$$answer" in [yY]*) rm -rf outputs;; esac; \
	fi
	@if [ -d outputs ]; then echo "outputs/ is kept"; fi

# The stages of the recipe `conversations` by number; CONFIG names another file of that recipe.
CONFIG ?= configs/conversations.yaml
STAGES := extract-qa validate-qa converse judge embed dedup select

.PHONY: full
full: install  ## Facts in, conversations out: the whole recipe (CONFIG=my.yaml)
	@$(CLI) pipeline --config $(CONFIG) $(ARGS)

.PHONY: trial-conversations
trial-conversations: install  ## The same with about 30 pairs and 280 conversations
	@$(CLI) pipeline --trial --config $(CONFIG) $(ARGS)

.PHONY: stage1 stage2 stage3 stage4 stage5 stage6 stage7
stage1: install  ## extract-qa of the recipe conversations
stage2: install  ## validate-qa
stage3: install  ## converse
stage4: install  ## judge
stage5: install  ## embed
stage6: install  ## dedup
stage7: install  ## select
stage1 stage2 stage3 stage4 stage5 stage6 stage7:
	@$(CLI) $(word $(@:stage%=%),$(STAGES)) --config $(CONFIG) $(ARGS)

# Not a file name, ever, hence the prerequisite that is never there.
stage-%: install FORCE  ## Run one stage alone: make stage-parse, make stage-filter-chunks
	@$(CLI) $* $(ARGS)

.PHONY: FORCE
FORCE:

$(INSTALLED): pyproject.toml scripts/install
	@scripts/install
	@touch $@

$(INSTALLED_DEV): pyproject.toml scripts/install
	@scripts/install dev
	@touch $(INSTALLED) $@

# Without an engine there is nothing to build; and a run that needs the image builds it itself, so a
# failure is said and does not end anything here.
$(IMAGE): $(wildcard sandbox/image/*) | $(INSTALLED)
	@if $(PY) -m sandbox build; then touch $@; \
	else echo "The sandbox's image could not be built; going on without it." >&2; fi
