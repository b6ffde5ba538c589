"""Find regions whose lesion-wise score false components spoil, and name the setting that removes them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from tumorseg.formatting import format_count, format_decimal
from tumorseg.task import Task

MIN_LOSS: Final = 0.05
"""Smallest loss of the mean lesion-wise Dice that the page reports. A false component beside one lesion that is found
halves the score of a case, so a perfect model with such a component in every tenth case loses as much."""
_TRIED_MM3: Final = (50, 200, 1000)
"""Minimum volumes of a component that the target `postprocessing` tries by default. Larger ones are not small."""


@dataclass(frozen=True)
class FalseComponents:
    """The false components of a region in the cases whose reference has lesions of it.

    Attributes:
        region: name of the region.
        count: number of predicted components that touch no lesion.
        cases: number of cases with such components.
        measured: mean lesion-wise Dice over all cases.
        without: the same if these components were not there.
        largest_mean_mm3: their mean volume is at most this: the false volume of these cases divided by their number.
    """

    region: str
    count: int
    cases: int
    measured: float
    without: float
    largest_mean_mm3: float


def false_components(scores: pd.DataFrame, task: Task) -> list[FalseComponents]:
    """Return the regions that lose at least `MIN_LOSS` of their lesion-wise Dice to false components.

    The loss is exact: a false component counts as a lesion with Dice 0. Cases whose reference has no lesion are left
    out, because there only the removal of all components would change the score.

    Args:
        scores: the rows of results/evaluation/cases.csv.
        task: defines the regions.
    """
    found = [_measure(region, scores[scores["region"] == region]) for region in task.region_labels]
    return [part for part in found if part.without - part.measured >= MIN_LOSS]


def describe_false_components(found: FalseComponents, prediction: Mapping[str, Any]) -> tuple[str, str]:
    """Return the loss as a sentence, and what to do about it as sentences.

    Args:
        found: the false components of a region.
        prediction: the section `prediction` of the configuration.
    """
    loss = (
        f"{found.region}: {format_count(found.count, 'predicted component')} in {format_count(found.cases, 'case')} "
        f"{'touches' if found.count == 1 else 'touch'} no lesion. Without "
        f"{'it' if found.count == 1 else 'them'}, the mean lesion-wise Dice would be {found.without:.3f} instead of "
        f"{found.measured:.3f}."
    )
    whose = "Its" if found.count == 1 else "Their mean"
    size = f"{whose} volume is at most {format_decimal(found.largest_mean_mm3)} mm³."
    if found.largest_mean_mm3 >= max(_TRIED_MM3):
        return loss, f"{size} The scores do not say whether they are small: see the cases in the viewer."
    removed = prediction["remove_components"].get(found.region, 0)
    already = f" (now {removed:g})" if removed else ""
    return loss, (
        f"{size} The setting prediction.remove_components removes components below a volume in mm³, for example "
        f"{{{found.region}: {min(volume for volume in _TRIED_MM3 if volume > found.largest_mean_mm3):g}}}{already}. Do "
        "not choose the volume by these scores: the target postprocessing chooses it, by cross-validation."
    )


def _measure(region: str, rows: pd.DataFrame) -> FalseComponents:
    lesions = (rows["lesions_found"] + rows["lesions_missed"]).to_numpy(float)
    false = np.where(lesions > 0, rows["lesions_false"].to_numpy(float), 0)
    measured = rows["lesionwise_dice"].to_numpy(float)
    without = measured * np.divide(lesions + false, lesions, out=np.ones_like(measured), where=lesions > 0)
    voxel_mm3 = np.divide(
        rows["reference_mm3"], rows["reference_voxels"], out=np.zeros_like(measured), where=rows["reference_voxels"] > 0
    )
    false_mm3 = rows["predicted_mm3"].to_numpy(float) - rows["true_positives"].to_numpy(float) * voxel_mm3
    count = int(false.sum())
    return FalseComponents(
        region=region,
        count=count,
        cases=int(np.count_nonzero(false)),
        measured=float(measured.mean()),
        without=float(without.mean()),
        largest_mean_mm3=float(false_mm3[false > 0].sum()) / count if count else 0.0,
    )
