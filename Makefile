# Each target first installs what it needs into .venv. `make help` prints the comments after ##.

PYTHON ?= python3
PYTEST = .venv/bin/python -m pytest
SLOW_PYTEST = $(PYTEST) -n 2 --dist loadfile --durations 25 $(if $(ONLY),-k '$(ONLY)')

SHELL = bash
.SHELLFLAGS = -o pipefail -c
# An installation takes minutes: print its large downloads, not the hundreds of other lines of pip.
LARGE_DOWNLOADS = awk '/ MB\)$$/ { print; fflush() } /^Installing/ { print "  Installing the packages"; fflush() }'
INSTALL = .venv/bin/python -u -m pip install --progress-bar off

.DELETE_ON_ERROR:
.PHONY: help demo docs screenshot test test-slow test-release test-slurm lint benchmark gpu-check

help:  ## list these targets
	@echo 'make TARGET, where TARGET is one of'
	@sed -n 's/^\([a-z-]*\):.*## /  \1\t/p' $(MAKEFILE_LIST) | expand -t 14

demo: .venv/workflow  ## run the whole workflow on the demo cohort, in demo/; 3 to 5 minutes on two cores, installation included
	.venv/bin/snakemake --cores all --rerun-incomplete --directory demo --configfile workflow/demo.yaml

# Needs Debian's chromium.
screenshot: demo .venv/development  ## update the picture in README.md from the demo's report
	.venv/bin/python -m tests.screenshot demo/results/report.html

docs: .venv/workflow  ## write the generated pages of workflow/docs
	PYTHONPATH=scripts .venv/bin/python -m tumorseg.documentation.pages

# Two test files at a time, since much of a Snakemake run uses one core; in order, so that no long file comes last.
# Coverage counts what the test processes execute. Rules run their scripts in processes of their own.
test: .venv/development  ## run the fast tests and print the library's coverage
	.venv/bin/python -m slipcover --source scripts/tumorseg --json --out .coverage.json \
	-m pytest -n 2 --dist loadfile --no-loadscope-reorder
	@.venv/bin/python -c 'import json; found = json.load(open(".coverage.json"))["summary"]; \
	print("coverage of scripts/tumorseg: %.1f %% of its lines" % found["percent_covered"])'

test-slow: .venv/development  ## run the slow tests; ONLY="demo or kill" chooses by name, as pytest -k
	$(SLOW_PYTEST) -m 'slow and not release'

test-release: .venv/development  ## run the slowest tests, which takes hours; ONLY as for test-slow
	$(SLOW_PYTEST) -m release

test-slurm: .venv/slurm  ## run the Slurm profile on a real Slurm; as root, with Debian's slurm-wlm and munge
	$(PYTEST) -m slurm

lint: .venv/development  ## check style, docstrings, types, spelling and rules
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy scripts/tumorseg scripts/*.py
	.venv/bin/snakefmt --check Snakefile workflow
	.venv/bin/codespell
	.venv/bin/snakemake --lint

benchmark: .venv/benchmark  ## measure speed, memory and learning; ONLY="training scoring" runs only these two
	PYTHONPATH=scripts .venv/bin/python -m tests.benchmarks $(ONLY)

gpu-check: .venv/development  ## check training and prediction on the GPU of this machine; OPTIONS=--help explains
	PYTHONPATH=scripts .venv/bin/python -m tests.gpu_check $(OPTIONS)

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=/path/to/it")'
	$(PYTHON) -m venv .venv

.venv/workflow: envs/requirements.txt | .venv/bin/python
	@echo 'Downloading packages into .venv; this takes a few minutes'
	@$(INSTALL) --requirement envs/requirements.txt | $(LARGE_DOWNLOADS)
	touch $@

.venv/development: envs/requirements-dev.txt .venv/workflow
	$(INSTALL) --requirement envs/requirements-dev.txt | $(LARGE_DOWNLOADS)
	touch $@

.venv/slurm: envs/requirements-slurm.txt .venv/development
	$(INSTALL) --requirement envs/requirements-slurm.txt | $(LARGE_DOWNLOADS)
	touch $@

.venv/benchmark: envs/requirements-benchmark.txt .venv/development
	$(INSTALL) --no-deps --requirement envs/requirements-benchmark.txt | $(LARGE_DOWNLOADS)
	touch $@
