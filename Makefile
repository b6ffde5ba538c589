# make demo | docs | screenshot | test | test-slow | test-slurm | lint | benchmark: each sets up what it needs in .venv, once.

PYTHON ?= python3
PYTEST = .venv/bin/python -m pytest

.DELETE_ON_ERROR:
.PHONY: demo docs screenshot test test-slow test-slurm lint benchmark

demo: .venv/workflow
	.venv/bin/snakemake --cores all --rerun-incomplete --directory demo --configfile workflow/demo.yaml

# The picture in README.md, of the demo's report. Needs Debian's chromium.
screenshot: demo .venv/development
	.venv/bin/python -m tests.screenshot demo/results/report.html

# The generated pages of workflow/docs, and the generated parts of others.
docs: .venv/workflow
	PYTHONPATH=scripts .venv/bin/python -m tumorseg.documentation

# Two files of tests at a time: much of each run of Snakemake takes one core. In order, so that no long one comes last.
test: .venv/development
	$(PYTEST) -n 2 --dist loadfile --no-loadscope-reorder

test-slow: .venv/development
	$(PYTEST) -n 2 --dist loadfile -m slow

test-slurm: .venv/slurm
	$(PYTEST) -m slurm

lint: .venv/development
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy scripts/tumorseg scripts/*.py
	.venv/bin/snakefmt --check Snakefile workflow
	.venv/bin/snakemake --lint

benchmark: .venv/benchmark
	PYTHONPATH=scripts .venv/bin/python -m tests.benchmarks $(ONLY)

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=/path/to/it")'
	$(PYTHON) -m venv .venv

.venv/workflow: envs/requirements.txt | .venv/bin/python
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
