"""Checks of training and prediction on a GPU: `make gpu-check`. They run the workflow's own code."""
