"""Finding, reading, checking and splitting the cases of a cohort."""
