"""Metrics of a predicted mask against its reference, and their summary over a cohort.

Functions take `(reference, prediction, spacing_mm)` in this order, where masks have the shape (X, Y, Z) and
`spacing_mm` has the voxel edges along X, Y and Z. No function reads a file.
"""
