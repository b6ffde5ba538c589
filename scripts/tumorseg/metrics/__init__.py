"""Metrics of a predicted mask against its reference, and their summary over a cohort.

Functions take `(reference, prediction, spacing_mm)` in this order. Masks have the shape (X, Y, Z), and `spacing_mm`
holds the voxel edges along X, Y and Z. No function reads a file.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tumorseg.metrics.border_hausdorff import border_hausdorff95
    from tumorseg.metrics.lesions import LesionScores, lesion_scores
    from tumorseg.metrics.lesions_2026 import (
        Detection,
        GlobalScores,
        LesionScores2026,
        PairScores,
        lesion_scores_2026,
    )
    from tumorseg.metrics.metric_record import Metric
    from tumorseg.metrics.overlap import Overlap, confusion, overlaps
    from tumorseg.metrics.registry import metric, metrics, register
    from tumorseg.metrics.structure_scores import case_scores
    from tumorseg.metrics.structure_scores_2026 import case_scores_2026
    from tumorseg.metrics.surface import SurfaceDistances, surface_distances

__all__ = [
    "Detection",
    "GlobalScores",
    "LesionScores",
    "LesionScores2026",
    "Metric",
    "Overlap",
    "PairScores",
    "SurfaceDistances",
    "border_hausdorff95",
    "case_scores",
    "case_scores_2026",
    "confusion",
    "lesion_scores",
    "lesion_scores_2026",
    "metric",
    "metrics",
    "overlaps",
    "register",
    "surface_distances",
]

_MODULES = {
    "Detection": "lesions_2026",
    "GlobalScores": "lesions_2026",
    "LesionScores": "lesions",
    "LesionScores2026": "lesions_2026",
    "Metric": "metric_record",
    "Overlap": "overlap",
    "PairScores": "lesions_2026",
    "SurfaceDistances": "surface",
    "border_hausdorff95": "border_hausdorff",
    "case_scores": "structure_scores",
    "case_scores_2026": "structure_scores_2026",
    "confusion": "overlap",
    "lesion_scores": "lesions",
    "lesion_scores_2026": "lesions_2026",
    "metric": "registry",
    "metrics": "registry",
    "overlaps": "overlap",
    "register": "registry",
    "surface_distances": "surface",
}
"""The module of each public name. It is imported on first use, so that training does not depend on all metrics."""


def __getattr__(name: str) -> Any:
    """Return a public name, imported on first use.

    Raises:
        AttributeError: the name is not public.
    """
    if name not in _MODULES:
        raise AttributeError(f"module tumorseg.metrics has no attribute {name}")
    return getattr(import_module(f"tumorseg.metrics.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    """Return the public names."""
    return __all__
