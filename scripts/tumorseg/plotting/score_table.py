"""The scores and volumes of a case as a small table. Scores defined by convention are in brackets."""

from collections.abc import Mapping
from textwrap import shorten
from typing import Final

from tumorseg.metrics.metric_record import Metric
from tumorseg.metrics.registry import metrics
from tumorseg.task import Task

ABSENT: Final = "absent"
CONVENTION_NOTE: Final = (
    "In brackets: defined by convention, because the structure is absent from the reference or the prediction."
)
_NAME_CHARACTERS: Final = 38
_MM3_PER_ML: Final = 1000


def table_header() -> tuple[str, ...]:
    """Return the column headings."""
    return ("", *(metric.heading_of() for metric in metrics("case_figure")), "reference, ml", "prediction, ml")


def table_rows(scores: Mapping[str, Mapping[str, float]], task: Task) -> list[tuple[str, ...]]:
    """Return a row of cells for each structure, as many as `table_header` has.

    Scores defined by convention, see `Metric.is_convention`, are in brackets; a volume without voxels is `ABSENT`.

    Args:
        scores: scores of a case, by structure, then by column of results/evaluation/cases.csv.
        task: defines the channels, labels and regions.

    Returns:
        The rows: regions of several labels, then labels. A label that equals a region has one row.
    """
    return [
        (shorten(name, _NAME_CHARACTERS, placeholder=" …"), *_cells(scores[structure]))
        for structure, name in _row_names(task).items()
    ]


def has_convention(row: tuple[str, ...]) -> bool:
    """Return whether any score of a row is defined by convention."""
    return any(cell.startswith("(") for cell in row)


def _row_names(task: Task) -> dict[str, str]:
    """Return the name of each row, by structure: the regions of several labels, then the labels."""
    one_label = {region.labels[0]: region for region in task.regions if len(region.labels) == 1}
    names = {region.name: f"{region.name}: {region.title}" for region in task.regions if len(region.labels) > 1}
    for label, title in task.label_titles.items():
        if label in one_label:
            names[one_label[label].name] = f"{one_label[label].name} = {label}: {one_label[label].title}"
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
    """Return a volume in ml, to 0.1 ml; smaller ones to their first significant digit."""
    ml = mm3 / _MM3_PER_ML
    return f"{ml:.1f}" if ml >= 0.1 else f"{ml:.1g}"
