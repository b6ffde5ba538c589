"""The list of all figures, in the order of the report. To add a figure, add a module to `catalogue` and a line here."""

from typing import Final

from tumorseg.plotting.catalogue import (
    calibration,
    channel_subsets,
    cohort_overview,
    confusion_matrix,
    dice_by_volume,
    distance_distributions,
    gallery,
    ground_truth,
    intensities,
    learning_curves,
    lesion_detection,
    modalities,
    overlays,
    predicted_quality,
    predictions,
    scores,
    volume_agreement,
)
from tumorseg.plotting.figure_record import FigureRecord

FIGURES: Final[tuple[FigureRecord, ...]] = (
    scores.RECORD,
    distance_distributions.RECORD,
    lesion_detection.RECORD,
    volume_agreement.RECORD,
    dice_by_volume.RECORD,
    predicted_quality.RECORD,
    confusion_matrix.RECORD,
    calibration.RECORD,
    channel_subsets.RECORD,
    gallery.RECORD,
    modalities.RECORD,
    ground_truth.RECORD,
    predictions.RECORD,
    overlays.RECORD,
    cohort_overview.RECORD,
    intensities.RECORD,
    learning_curves.RECORD,
)
