"""The cohort page: every case, with its issues, for review before training."""
