"""The page from which a person decides about the cohort."""
