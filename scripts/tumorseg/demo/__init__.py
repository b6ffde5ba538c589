"""A small cohort made from real anatomy, to try the whole workflow without any data."""
