"""The report of a run: scores, figures, cases, cohort, training and provenance."""
