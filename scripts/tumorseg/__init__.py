"""Brain-tumour segmentation from BraTS MRI: the library behind the workflow's scripts.

The sub-packages mirror the stages: cohort, normalise, network, training, inference, metrics, figures, report and demo.
Nothing in here knows Snakemake.
"""
