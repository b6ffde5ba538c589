"""The metrics and counts that are computed from voxel counts."""

from typing import Final

from tumorseg.metrics.metric_record import Count, Metric

DICE: Final = Metric(
    "dice",
    lambda pair: pair.overlap.dice,
    title="Dice",
    definition="2 TP / (2 TP + FP + FN) over the voxels of a case; 1 if reference and prediction are both empty, "
    "0 if only one is",
    better="higher",
    best=1,
    worst=0,
    needs="reference",
    places=("headline", "macro", "report_cases", "distributions", "case_figure", "terminal", "model_card"),
)
IOU: Final = Metric(
    "iou",
    lambda pair: pair.overlap.iou,
    title="IoU",
    definition="TP / (TP + FP + FN) over the voxels of a case, empty masks as for Dice; IoU = Dice / (2 - Dice) in "
    "each case",
    better="higher",
    best=1,
    worst=0,
    needs="reference",
    places=("macro", "distributions"),
)
F1: Final = Metric(
    "f1",
    lambda pair: pair.overlap.f1,
    title="F1",
    definition="harmonic mean of precision and sensitivity over the voxels of a case, empty masks as for Dice; "
    "F1 = Dice in each case",
    better="higher",
    best=1,
    worst=0,
    needs="reference",
    places=("macro",),
)
PRECISION: Final = Metric(
    "precision",
    lambda pair: pair.overlap.precision,
    title="Precision",
    definition="TP / (TP + FP); with an empty prediction, 1 if the reference is empty too and 0 otherwise",
    better="higher",
    best=1,
    worst=0,
    places=("distributions",),
)
SENSITIVITY: Final = Metric(
    "sensitivity",
    lambda pair: pair.overlap.sensitivity,
    title="Sensitivity",
    definition="TP / (TP + FN); with an empty reference, 1 if the prediction is empty too and 0 otherwise",
    better="higher",
    best=1,
    worst=0,
    needs="reference",
    places=("distributions",),
)
SPECIFICITY: Final = Metric(
    "specificity",
    lambda pair: pair.overlap.specificity,
    title="Specificity",
    definition="TN / (TN + FP) over the whole grid, background outside the head included",
    better="higher",
    best=1,
    worst=0,
    counts_empty=True,
    needs="neither",
    places=(),
)
VOLUME_ERROR: Final = Metric(
    "volume_error_mm3",
    lambda pair: (pair.overlap.predicted_voxels - pair.overlap.reference_voxels) * pair.voxel_mm3,
    title="Volume error",
    definition="predicted volume minus reference volume; a missing prediction counts as volume 0. mm³ in tables, ml "
    "on pages",
    better="nearer_zero",
    best=0,
    worst=None,
    counts_empty=True,
    needs="neither",
    unit="ml",
    divisor=1000,
    decimals=2,
    places=("headline", "report"),
)

VOXEL_COUNTS: Final = (
    Count("reference_mm3", lambda pair: pair.overlap.reference_voxels * pair.voxel_mm3),
    Count("predicted_mm3", lambda pair: pair.overlap.predicted_voxels * pair.voxel_mm3),
    Count("reference_voxels", lambda pair: pair.overlap.reference_voxels),
    Count("predicted_voxels", lambda pair: pair.overlap.predicted_voxels),
    Count("true_positives", lambda pair: pair.overlap.true_positives),
    Count("true_negatives", lambda pair: pair.overlap.true_negatives),
)
