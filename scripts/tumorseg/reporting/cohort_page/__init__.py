"""The cohort page: all cases with their problems and warnings, for review before training."""
