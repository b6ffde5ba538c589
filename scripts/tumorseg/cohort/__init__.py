"""Find, read, validate and split the cases of a cohort."""
