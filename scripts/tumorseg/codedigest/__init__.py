"""Digests of the code behind rules."""
