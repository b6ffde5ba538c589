"""Measures that clinicians use: volumes, diameters, and their course over time. For research use only."""
