"""Measurements of speed and memory, run by hand with `make benchmark`; nothing here can fail a test."""
