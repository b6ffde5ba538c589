"""Digests of the code that the results of a rule depend on."""
