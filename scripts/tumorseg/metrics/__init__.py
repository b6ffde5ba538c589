"""Scores of a mask against its reference, and their summary over a cohort."""
