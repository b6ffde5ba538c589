"""The measures of a mask: volumes of all structures, and number and diameters of the lesions of some of them."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from tumorseg.clinical.diameters import Lesion, Lesions, find_axial_plane, measure_lesions
from tumorseg.cohort.validation_result import Issue
from tumorseg.geometry import bounding_box, box_slices
from tumorseg.task import Task

ENHANCING: Final = "enhancing"
"""Meaning of the label that RANO measures, and key of its lesions in `ClinicalMeasures`."""
MAX_TARGETS: Final = 3
"""Most lesions whose products are summed."""
MAX_ANGLE_DEGREES: Final = 30.0
"""Planes that are tilted more get a warning. Axial planes of scanners follow the skull base and are tilted by less."""
MAX_EDGE_MM: Final = 2.5
"""Longer voxel edges in the axial plane get a warning: a diameter of 10 mm is uncertain by more than a quarter."""


@dataclass(frozen=True)
class ClinicalMeasures:
    """The measures of a mask.

    Attributes:
        volumes_ml: volume of each structure of the task.
        lesions: lesions of enhancing tumour (`ENHANCING`), if the task has this label, and of the regions that
            `measured_regions` names.
        spacing_mm: voxel edges of the mask.
        edge_mm: longer voxel edge in the axial plane, the uncertainty of a diameter.
        angle_degrees: angle between the planes of the mask and the patient's axial plane.
    """

    volumes_ml: dict[str, float]
    lesions: dict[str, Lesions]
    spacing_mm: tuple[float, ...]
    edge_mm: float
    angle_degrees: float

    @property
    def sum_of_products_mm2(self) -> float | None:
        """The sum of the products of the largest measurable enhancing lesions; None if the task has no such label."""
        if ENHANCING not in self.lesions:
            return None
        return sum(lesion.product_mm2 for lesion in self.lesions[ENHANCING].measurable[:MAX_TARGETS])

    def to_json(self) -> dict[str, Any]:
        """Return the measures as plain JSON types."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return the measures that `to_json` returned."""
        lesions = {name: _lesions_from_json(found) for name, found in content["lesions"].items()}
        return cls(**{**content, "lesions": lesions, "spacing_mm": tuple(content["spacing_mm"])})


def measure_mask(mask: NDArray[np.uint8], affine: NDArray[np.float64], task: Task) -> ClinicalMeasures:
    """Return the measures of a mask.

    Args:
        mask: canonical labels of the task, uint8 (X, Y, Z).
        affine: from voxels to millimetres, (4, 4).
        task: defines structures and labels.

    Example:
        >>> measures = measure_mask(mask, affine, tumorseg.load_task())
        >>> measures.volumes_ml["ET"], measures.sum_of_products_mm2
        (12.4, 760.5)
    """
    voxel_ml = abs(float(np.linalg.det(affine[:3, :3]))) / 1000
    counts = np.bincount(mask.ravel(), minlength=max(task.label_values) + 1)
    volumes = {name: float(counts[list(labels)].sum() * voxel_ml) for name, labels in task.structures.items()}
    box = bounding_box(mask > 0)
    cropped, moved = mask[box_slices(box)], affine.copy()
    moved[:3, 3] += affine[:3, :3] @ [start for start, _ in box]
    labels = {name: task.region_labels[name] for name in measured_regions(task)}
    if (enhancing := task.label_of(ENHANCING)) is not None:
        labels = {ENHANCING: (enhancing,), **labels}
    plane = find_axial_plane(affine)
    return ClinicalMeasures(
        volumes,
        {name: measure_lesions(np.isin(cropped, values), moved) for name, values in labels.items()},
        tuple(np.linalg.norm(affine[:3, :3], axis=0).tolist()),
        plane.edge_mm,
        plane.angle_degrees,
    )


def measured_regions(task: Task) -> tuple[str, ...]:
    """Return the regions whose extent is measured: the whole tumour, and those with more than enhancing tumour."""
    enhancing = {task.label_of(ENHANCING)}
    return tuple(
        region.name
        for region in task.regions
        if region.name == task.whole_tumour or (enhancing < set(region.labels))
        if set(region.labels) != enhancing
    )


def measure_warnings(case: str, measures: ClinicalMeasures) -> list[Issue]:
    """Return warnings about a grid on which diameters are doubtful.

    Args:
        case: name of the case.
        measures: measures of its mask.
    """
    warnings = []
    if measures.angle_degrees > MAX_ANGLE_DEGREES:
        warnings.append(
            Issue(
                "tilted_planes",
                case,
                f"the planes in which diameters are measured are tilted by {measures.angle_degrees:.0f}° against the "
                "patient's axial plane; do not compare them with diameters from axial images",
            )
        )
    if measures.edge_mm > MAX_EDGE_MM:
        warnings.append(
            Issue(
                "coarse_planes",
                case,
                f"voxels are up to {measures.edge_mm:.3g} mm long in the axial plane, so diameters are uncertain by as "
                "much; use images with smaller voxels in this plane to measure them",
            )
        )
    return warnings


@dataclass(frozen=True)
class Measure:
    """A number about a mask.

    Attributes:
        name: column in tables.
        title: title on pages.
        unit: unit of the value; empty for a number of lesions.
        definition: definition on pages.
        decimals: decimals in tables and on pages.
        value: function that returns the value; None if it is undefined.
    """

    name: str
    title: str
    unit: str
    definition: str
    decimals: int
    value: Callable[[ClinicalMeasures], float | None]

    def number(self, measures: ClinicalMeasures | None) -> float | None:
        """Return the rounded value; None without a mask or if it is undefined."""
        value = None if measures is None else self.value(measures)
        return value if value is None else round(value, self.decimals)


def volume_measures(task: Task) -> tuple[Measure, ...]:
    """Return the volume of each structure of a task."""
    return tuple(
        Measure(f"{name}_ml", f"Volume of {title}", "ml", f"number of voxels of {title}, times their volume", 3, value)
        for name, title in task.structure_titles.items()
        for value in [_volume(name)]
    )


def diameter_measures(task: Task) -> tuple[Measure, ...]:
    """Return the numbers and diameters of lesions that are measured for a task."""
    regions = [measure for name in measured_regions(task) for measure in _extent(name, task.structure_titles[name])]
    return (*(_enhancing() if task.label_of(ENHANCING) is not None else ()), *regions)


_MEASURABLE: Final = (
    "both diameters are at least 10 mm long (two slices if they are thicker than 5 mm), and the lesion is in at least "
    "two axial planes"
)


def _enhancing() -> tuple[Measure, ...]:
    return (
        Measure(
            "enhancing_lesions",
            "Enhancing lesions",
            "",
            "connected components of enhancing tumour; voxels that share a corner are connected",
            0,
            lambda measures: measures.lesions[ENHANCING].count,
        ),
        Measure(
            "enhancing_measurable",
            "Measurable enhancing lesions",
            "",
            f"lesions that RANO counts as measurable: {_MEASURABLE}",
            0,
            lambda measures: len(measures.lesions[ENHANCING].measurable),
        ),
        *_extent(ENHANCING, "enhancing tumour"),
        Measure(
            "enhancing_sum_mm2",
            "Sum of products of enhancing lesions",
            "mm²",
            f"sum of the products of the {MAX_TARGETS} measurable lesions with the largest products, or of as many as "
            "there are; 0 without any",
            1,
            lambda measures: measures.sum_of_products_mm2,
        ),
    )


def _extent(name: str, title: str) -> tuple[Measure, ...]:
    return (
        Measure(
            f"{name}_diameter_mm",
            f"Diameter of {title}",
            "mm",
            f"longest segment inside the largest lesion of {title} in an axial plane. The plane is the one in which "
            "the product of both diameters is largest, and the lesion is the measurable one with the largest product, "
            "or else the one with the largest volume",
            1,
            _of_largest(name, lambda lesion: lesion.diameter_mm),
        ),
        Measure(
            f"{name}_perpendicular_mm",
            f"Perpendicular diameter of {title}",
            "mm",
            "longest segment inside the same lesion in the same plane that is perpendicular to the diameter",
            1,
            _of_largest(name, lambda lesion: lesion.perpendicular_mm),
        ),
        Measure(
            f"{name}_product_mm2",
            f"Product of the diameters of {title}",
            "mm²",
            "diameter times perpendicular diameter",
            1,
            _of_largest(name, lambda lesion: lesion.product_mm2),
        ),
    )


def _volume(name: str) -> Callable[[ClinicalMeasures], float]:
    return lambda measures: measures.volumes_ml[name]


def _of_largest(name: str, value: Callable[[Lesion], float]) -> Callable[[ClinicalMeasures], float | None]:
    def of_largest(measures: ClinicalMeasures) -> float | None:
        largest = measures.lesions[name].largest
        return None if largest is None else value(largest)

    return of_largest


def _lesions_from_json(content: Mapping[str, Any]) -> Lesions:
    largest = content["largest"]
    return Lesions(
        content["count"],
        tuple(_lesion_from_json(lesion) for lesion in content["measurable"]),
        None if largest is None else _lesion_from_json(largest),
    )


def _lesion_from_json(content: Mapping[str, Any]) -> Lesion:
    ends = {key: tuple(tuple(point) for point in content[key]) for key in ("diameter_ends_mm", "perpendicular_ends_mm")}
    return Lesion(**{**content, **ends})
