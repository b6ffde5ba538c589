"""Scoring the masks of many cases on disk."""
