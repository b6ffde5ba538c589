"""The numbers of a case as lines of a small table, in which a convention never looks like a score."""

from collections.abc import Mapping
from textwrap import shorten
from typing import Final

from tumorseg.task import Task

HEADS: Final = ("", "Dice", "lesion-wise Dice", "HD95, mm", "reference, ml", "prediction, ml")
ABSENT: Final = "absent"
NOTE: Final = "In brackets: a convention, since the reference or the prediction lacks the structure."
_NAME_CHARACTERS: Final = 38
_MM3_PER_ML: Final = 1000


def number_lines(scores: Mapping[str, Mapping[str, float]], task: Task) -> list[tuple[str, ...]]:
    """A line of cells, as many as `HEADS`, for each structure; one for a label that is a region by itself.

    scores: of a case, by structure, then by column of results/evaluation/cases.csv. A score that is a convention stands
    in brackets: all where the reference lacks the structure, distances where the prediction does. A volume of no voxel
    is `ABSENT`.
    """
    return [
        (shorten(name, _NAME_CHARACTERS, placeholder=" …"), *_cells(scores[structure]))
        for structure, name in _names(task).items()
    ]


def has_convention(line: tuple[str, ...]) -> bool:
    """Whether any score of a line is a convention."""
    return any(cell.startswith("(") for cell in line)


def _names(task: Task) -> dict[str, str]:
    """What stands in each row, by structure: the regions of several labels, then the labels."""
    alone = {region.labels[0]: region for region in task.regions if len(region.labels) == 1}
    names = {region.name: f"{region.name}: {region.title}" for region in task.regions if len(region.labels) > 1}
    for label, title in task.label_titles.items():
        if label in alone:
            names[alone[label].name] = f"{alone[label].name} = {label}: {alone[label].title}"
        else:
            names[f"label_{label}"] = f"{label}: {title}"
    return names


def _cells(columns: Mapping[str, float]) -> tuple[str, ...]:
    no_reference, no_prediction = columns["reference_voxels"] == 0, columns["predicted_voxels"] == 0
    return (
        _score(columns["dice"], 3, no_reference),
        _score(columns["lesionwise_dice"], 3, no_reference),
        _score(columns["hd95"], 1, no_reference or no_prediction),
        ABSENT if no_reference else _volume(columns["reference_mm3"]),
        ABSENT if no_prediction else _volume(columns["predicted_mm3"]),
    )


def _score(value: float, decimals: int, convention: bool) -> str:
    text = f"{value:.{decimals}f}"
    return f"({text})" if convention else text


def _volume(mm3: float) -> str:
    """In ml, to 0.1 ml, and below that to the first digit that is not 0, which few voxels have late."""
    ml = mm3 / _MM3_PER_ML
    return f"{ml:.1f}" if ml >= 0.1 else f"{ml:.1g}"
