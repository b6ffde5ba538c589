"""Figures of cases, predictions, training and scores."""
