"""Simulate random cases to train on: invented tumours in deformed template brains, with randomised contrasts.

The demo cohort (`tumorseg.demo`) looks alike from case to case. These cases differ far more than patients do, so that a
network trained on them also segments real scans (domain randomisation).

References:
    Billot et al. 2023, doi:10.1016/j.media.2023.102789 (training on random contrasts and resolutions transfers)
"""
