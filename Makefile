# make demo | docs | overview | test | test-slow | test-slurm | lint | benchmark: each sets up what it needs in .venv, once.

PYTHON ?= python3
PYTEST = .venv/bin/python -m pytest

.DELETE_ON_ERROR:
.PHONY: demo docs overview test test-slow test-slurm lint benchmark

demo: .venv/workflow
	.venv/bin/snakemake --cores all --rerun-incomplete --directory demo --configfile workflow/demo.yaml

# The picture in README.md, from the demo as it is.
overview: demo
	.venv/bin/python -c 'from PIL import Image; picture = Image.open("demo/results/figures/gallery.png").convert("RGB"); \
	picture.thumbnail((1200, 1600)); picture.save("workflow/report/overview.webp", quality=60, method=6)'

# The page about every key of the configuration, from config.yaml and its schema.
docs: .venv/workflow
	PYTHONPATH=scripts .venv/bin/python -m tumorseg.configuration.reference

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
