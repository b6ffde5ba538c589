"""Layouts of cohorts on disk, recognised by the names of folders and files alone."""
