"""Simulate a small cohort from real anatomy, to run the whole workflow without downloading data."""
