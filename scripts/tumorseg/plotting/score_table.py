"""The scores and volumes of a case as rows of a small table. Scores that are a convention stand in brackets."""

from collections.abc import Mapping
from textwrap import shorten
from typing import Final

from tumorseg.metrics.record import Metric
from tumorseg.metrics.registry import metrics
from tumorseg.task import Task

ABSENT: Final = "absent"
CONVENTION_NOTE: Final = "In brackets: a convention, since the reference or the prediction lacks the structure."
_NAME_CHARACTERS: Final = 38
_MM3_PER_ML: Final = 1000


def table_header() -> tuple[str, ...]:
    """Return the headings of the columns."""
    return ("", *(metric.heading_of() for metric in metrics("case_figure")), "reference, ml", "prediction, ml")


def table_rows(scores: Mapping[str, Mapping[str, float]], task: Task) -> list[tuple[str, ...]]:
    """A line of cells, as many as `heads`, for each structure; one for a label that is a region by itself.

    scores: of a case, by structure, then by column of results/evaluation/cases.csv. A score that is a convention stands
    in brackets, see `Metric.is_convention`. A volume of no voxel is `ABSENT`.
    """
    return [
        (shorten(name, _NAME_CHARACTERS, placeholder=" …"), *_cells(scores[structure]))
        for structure, name in _row_names(task).items()
    ]


def has_convention(row: tuple[str, ...]) -> bool:
    """Whether any score of a line is a convention."""
    return any(cell.startswith("(") for cell in row)


def _row_names(task: Task) -> dict[str, str]:
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
    voxels = columns["reference_voxels"], columns["predicted_voxels"]
    volumes = columns["reference_mm3"], columns["predicted_mm3"]
    return (
        *(_score_text(metric, columns[metric.name], voxels) for metric in metrics("case_figure")),
        *(_volume_text(volume) if some else ABSENT for volume, some in zip(volumes, voxels, strict=True)),
    )


def _score_text(metric: Metric, value: float, voxels: tuple[float, float]) -> str:
    text = metric.text(value)
    return f"({text})" if metric.is_convention(*voxels) else text


def _volume_text(mm3: float) -> str:
    """In ml, to 0.1 ml, and below that to the first digit that is not 0, which few voxels have late."""
    ml = mm3 / _MM3_PER_ML
    return f"{ml:.1f}" if ml >= 0.1 else f"{ml:.1g}"
