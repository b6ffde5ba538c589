"""Shared parts of all command lines: terminal and log, child processes, the start of a run."""
