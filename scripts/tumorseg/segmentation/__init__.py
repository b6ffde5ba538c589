"""New patients without masks: validation, segmentation, figures and volumes."""
