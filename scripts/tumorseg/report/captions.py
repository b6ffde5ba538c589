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
    "Each slice is the one with most tumour in the reference, or in the prediction where the reference has none. "
    "Radiological orientation: the patient's right (R) is at the viewer's left."
)
_LABELS: Final = "Each piece of a label bears its number where that fits into it."
_OUTCOMES: Final = "agreement is plain, a wrong label dotted, missed tumour striped, false tumour cross-hatched"

CAPTIONS: Final = {
    "cohort_overview": Caption(
        "Cases and tumour volumes",
        "How many cases are kept, how many are dropped, and for each problem how many have it (hatched); a case with "
        "several problems counts under each. Below, the volumes of the labels and of the whole tumour in the kept "
        "cases that have them: boxes from quartile to quartile around the median, whiskers to the 5th and 95th "
        "percentile, and below each box the cases as points or, of more than 100, their distribution.",
        "Bars of the numbers of kept and dropped cases by reason, and box plots of the tumour volumes on a logarithmic "
        "axis. The numbers are in results/cohort/manifest.tsv.",
    ),
    "intensities": Caption(
        "Intensities before and after normalisation",
        "For each modality and case the span from the 1st to the 99th percentile and the median of the voxels that are "
        "not 0: above in the units of the files, below in the normalised files (every eighth sagittal plane). The "
        "cases of each modality stand in the order of their median before. Scanners have scales of their own, which "
        "normalisation is there to take away.",
        "Two rows of four plots, one for each modality: the intensity spans of every case before normalisation, and "
        "after it.",
    ),
    "modalities": Caption(
        "Modalities",
        f"Axial slices of T1, contrast-enhanced T1 (T1CE), T2 and FLAIR after normalisation, with the coronal and "
        f"sagittal slices below. {_SLICES} {_CASES}",
        "Grey-scale brain slices of the shown cases in the four modalities, in three planes.",
    ),
    "ground_truth": Caption(
        "Ground truth",
        f"The expert's labels over dimmed FLAIR, in three planes. {_LABELS} {_SLICES}",
        "FLAIR slices of the shown cases with the three labels of the expert painted over them.",
    ),
    "predictions": Caption(
        "Predictions",
        f"The predicted labels over dimmed FLAIR, on the slices of the ground truth. {_LABELS} {_SLICES}",
        "FLAIR slices of the shown cases with the three predicted labels painted over them.",
    ),
    "overlays": Caption(
        "Prediction compared with reference",
        f"Prediction and reference voxel by voxel over dimmed FLAIR, on the same slices: {_OUTCOMES}. {_SLICES}",
        "FLAIR slices of the shown cases with a map of agreement, wrong label, missed and false tumour.",
    ),
    "gallery": Caption(
        "Cases from the best to the worst",
        f"T1CE, FLAIR, the reference, the prediction, and their comparison: {_OUTCOMES}. The numbers are those of the "
        f"whole case. A number in brackets is a convention, where the reference or the prediction lacks the structure. "
        f"{_SLICES} {_CASES}",
        "For each shown case a table of its scores and volumes, and five panels: the T1CE and the FLAIR slice, the "
        "reference, the prediction, and a map of agreement, wrong label, missed and false tumour.",
    ),
    "learning_curves": Caption(
        "Learning curves",
        "By epoch: loss on the training and the validation cases, mean Dice of the regions on the validation cases, "
        "and the learning rate at the epoch's end. Where steps were skipped, by the gradient scaler or for a loss that "
        "was not finite, bars count them. The vertical line is the epoch of the model; a cross marks a checkpoint that "
        "was refused.",
        "Line plots by epoch of training and validation loss, validation Dice and learning rate, with the number of "
        "skipped steps. The numbers are in the history table below.",
    ),
    "score_distributions": Caption(
        "Distribution of the scores",
        "Every point is a case that the model was not trained on. The box spans the quartiles around the median. Where "
        "the reference lacks a structure, its score is a convention (1 if the prediction lacks it too, else 0) and the "
        "point is a hollow diamond, which of more than 100 cases stands for as many as the number beside it says.",
        "Box plots with single points of several scores for each region and label. The numbers "
        "are in the table of the scores of each case.",
    ),
    "dice_by_volume": Caption(
        "Dice against tumour volume",
        "Every point is a case that the model was not trained on. Where the reference lacks the region, it has no "
        "volume and its Dice is a convention (1 if the prediction lacks it too, else 0): such cases are counted in the "
        "strip at the left. ρ is Spearman's rank correlation over the n cases that have the region, told from 5 cases "
        "on; of more than 100, the squares are the medians of tenths of them, with quartiles.",
        "Scatter plots of Dice against the reference's volume on a logarithmic axis, one for each region. The numbers "
        "are in the table of the scores of each case.",
    ),
    "confusion_matrix": Caption(
        "Confusion of the labels",
        "Which label the voxels of each label of the reference were given, over all held-out cases together: share of "
        "the row, and number of voxels. Background is the whole grid around the tumour, most of it far from it.",
        "A table of the labels of the reference in rows and the predicted labels in columns. The numbers are in "
        "results/evaluation/summary.json.",
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
