"""Title, caption and alternative text of each figure on the page, by the stem of its file."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Caption:
    """title: of the figure. text: how to read it. alt: what it shows, for those who cannot see it."""

    title: str
    text: str
    alt: str


_CASES: Final = (
    "The cases stand at evenly spaced ranks of their mean Dice over the three labels, from the best to the worst, and "
    "are not picked by hand."
)
_SLICES: Final = (
    "Each slice is the one with most tumour in the reference. Radiological orientation: the patient's right (R) is at "
    "the viewer's left."
)

CAPTIONS: Final = {
    "modalities": Caption(
        "Modalities",
        f"Axial slices of T1, contrast-enhanced T1 (T1CE), T2 and FLAIR after normalisation, with the coronal and "
        f"sagittal slices below. {_SLICES} {_CASES}",
        "Grey-scale brain slices of the shown cases in the four modalities, in three planes.",
    ),
    "ground_truth": Caption(
        "Ground truth",
        f"The expert's labels over FLAIR, in three planes. {_SLICES}",
        "FLAIR slices of the shown cases with the three labels of the expert painted over them.",
    ),
    "predictions": Caption(
        "Predictions",
        f"The predicted labels over FLAIR, on the slices of the ground truth. {_SLICES}",
        "FLAIR slices of the shown cases with the three predicted labels painted over them.",
    ),
    "overlays": Caption(
        "Prediction beside reference",
        f"From left to right: T1CE, the reference, the prediction, and their comparison voxel by voxel: agreement is "
        f"plain, a wrong label dotted, missed tumour striped, false tumour cross-hatched. {_SLICES}",
        "For each shown case four panels: the T1CE slice, the reference, the prediction, and a map of agreement, wrong "
        "label, missed and false tumour. The Dice of the case stands above.",
    ),
    "learning_curves": Caption(
        "Learning curves",
        "Loss on the training and the validation cases, and the mean Dice of the regions on the validation cases, by "
        "epoch. The vertical line is the epoch of the model; a cross marks a checkpoint that was refused.",
        "Line plots by epoch of training and validation loss and of validation Dice. The numbers are in the history "
        "table below.",
    ),
    "score_distributions": Caption(
        "Distribution of the scores",
        "Every point is a case that the model was not trained on. The box spans the quartiles around the median. Where "
        "the reference lacks a structure, its score is a convention (1 if the prediction lacks it too, else 0) and the "
        "point is a hollow diamond.",
        "Box plots with single points of Dice, IoU, precision and sensitivity for each region and label. The numbers "
        "are in the table of the scores of each case.",
    ),
    "calibration": Caption(
        "Calibration",
        "The probability that the network gives to a region, in 15 bins, beside the share of those voxels that belong "
        "to it in the reference; over the voxels of the brain of all held-out cases, before any post-processing. On "
        "the dashed line both are the same; below it the network is too sure. The bars count the voxels of each bin; "
        "the point of a bin with fewer than 100 is hollow. The expected calibration error is the mean difference of "
        "both over the voxels (Guo et al. 2017).",
        "Reliability diagrams of the regions and of the most probable label. The numbers are in "
        "results/evaluation/calibration.json.",
    ),
    "left_out": Caption(
        "Without each modality",
        "Mean Dice of the held-out cases, within the brain's box, with one modality left out (set to 0, as background "
        "is), and below it the change. The network was trained with all four: a small change does not mean that one "
        "trained without the modality would do as well.",
        "A table of mean Dice: modalities left out in rows, regions and labels in columns. The numbers are in "
        "results/evaluation/modalities_left_out.csv.",
    ),
}
