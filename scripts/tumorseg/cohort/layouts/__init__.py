"""How cohorts lie on disk: each layout is recognised by names alone."""
