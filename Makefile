# Each target sets up what it needs in .venv, once. `make help` lists them from the comments behind ##.

PYTHON ?= python3
PYTEST = .venv/bin/python -m pytest

.DELETE_ON_ERROR:
.PHONY: help demo docs screenshot test test-slow test-slurm lint benchmark

help:  ## list these targets
	@echo 'make TARGET, where TARGET is one of'
	@sed -n 's/^\([a-z-]*\):.*## /  \1\t/p' $(MAKEFILE_LIST) | expand -t 14

demo: .venv/workflow  ## run the whole workflow on the embedded demo cohort, in demo/; 5 minutes on two cores
	.venv/bin/snakemake --cores all --rerun-incomplete --directory demo --configfile workflow/demo.yaml

# Needs Debian's chromium.
screenshot: demo .venv/development  ## renew the picture in README.md from the demo's report
	.venv/bin/python -m tests.screenshot demo/results/report.html

docs: .venv/workflow  ## write the generated pages of workflow/docs
	PYTHONPATH=scripts .venv/bin/python -m tumorseg.documentation

# Two files of tests at a time: much of each run of Snakemake takes one core. In order, so that no long one comes last.
test: .venv/development  ## run the fast tests
	$(PYTEST) -n 2 --dist loadfile --no-loadscope-reorder

test-slow: .venv/development  ## run the tests that take minutes: the demo, each task, reruns, kills, full disks, the documentation
	$(PYTEST) -n 2 --dist loadfile -m slow

test-slurm: .venv/slurm  ## run the cluster profile on a real Slurm; as root, with Debian's slurm-wlm and munge
	$(PYTEST) -m slurm

lint: .venv/development  ## check style, types and the rules
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy scripts/tumorseg scripts/*.py
	.venv/bin/snakefmt --check Snakefile workflow
	.venv/bin/snakemake --lint

benchmark: .venv/benchmark  ## measure speed, memory and learning; ONLY="training race" runs some
	PYTHONPATH=scripts .venv/bin/python -m tests.benchmarks $(ONLY)

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=/path/to/it")'
	$(PYTHON) -m venv .venv

.venv/workflow: envs/requirements.txt | .venv/bin/python
	@echo 'Installing packages into .venv; this takes some minutes'
	.venv/bin/python -m pip install --quiet --requirement envs/requirements.txt
	touch $@

.venv/development: envs/requirements-dev.txt .venv/workflow
	.venv/bin/python -m pip install --quiet --requirement envs/requirements-dev.txt
	touch $@

.venv/slurm: envs/requirements-slurm.txt .venv/development
	.venv/bin/python -m pip install --quiet --requirement envs/requirements-slurm.txt
	touch $@

.venv/benchmark: envs/requirements-benchmark.txt .venv/development
	.venv/bin/python -m pip install --quiet --no-deps --requirement envs/requirements-benchmark.txt
	touch $@
