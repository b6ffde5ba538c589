"""Pages for readers: the report with its viewer, the cohort page, and the model card."""
