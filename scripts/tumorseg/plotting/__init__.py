"""Figures of the cohort, the cases, the training and the scores."""
