"""Benchmarks of speed, memory and learning. Run them with `make benchmark`; no test depends on them."""
