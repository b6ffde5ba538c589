"""Evaluation of the masks of many cases on disk against their references."""
