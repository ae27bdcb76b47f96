# What this project can do, each by one word; `make setup` is part of the others and instant once done.
PYTHON ?= python3

.PHONY: help setup run dev audience flow test thorough lint bench lock clean-demo
.DEFAULT_GOAL := help

help: ## say what there is
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile

setup: ## make .venv from the hash-locked requirements
	@$(PYTHON) scripts/setup.py

run: setup ## run the main job end to end on the sandbox, and show what came of it
	@.venv/bin/perennial demo run

dev: setup ## start sandbox, receiver, worker and Dagster; Ctrl-C ends all
	@.venv/bin/perennial demo dev

audience: setup ## build the audience NAME=... on the demo's data, and say who would be in it
	@.venv/bin/python scripts/try_audience.py $(NAME)

flow: setup ## run the unit tests of the flow NAME=...
	@.venv/bin/python scripts/try_flow.py $(NAME)

test: setup ## run the whole test suite
	@.venv/bin/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

thorough: setup ## run the tests that make test leaves out for their time
	@.venv/bin/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder -m thorough

lint: setup ## run every judge of the code
	@.venv/bin/python scripts/lint.py

bench: setup ## measure, and write benchmarks/RESULTS.md
	@.venv/bin/python -m benchmarks

lock: setup ## recompile the hash-locked requirements from pyproject.toml
	@.venv/bin/python scripts/lock.py

clean-demo: setup ## forget the demo's home
	@.venv/bin/perennial demo clean
