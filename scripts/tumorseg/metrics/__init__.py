"""Metrics of a predicted mask against its reference, and their summary over a cohort.

Functions take `(reference, prediction, spacing_mm)` in this order. Masks have the shape (X, Y, Z), and `spacing_mm`
holds the voxel edges along X, Y and Z. No function reads a file.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tumorseg.metrics.border_hausdorff import border_hausdorff95
    from tumorseg.metrics.lesions import LesionScores, lesion_scores
    from tumorseg.metrics.metric_record import Metric
    from tumorseg.metrics.overlap import Overlap, confusion, overlaps
    from tumorseg.metrics.registry import metric, metrics, register
    from tumorseg.metrics.structure_scores import case_scores
    from tumorseg.metrics.surface import SurfaceDistances, surface_distances

__all__ = [
    "LesionScores",
    "Metric",
    "Overlap",
    "SurfaceDistances",
    "border_hausdorff95",
    "case_scores",
    "confusion",
    "lesion_scores",
    "metric",
    "metrics",
    "overlaps",
    "register",
    "surface_distances",
]

_MODULES = {
    "LesionScores": "lesions",
    "Metric": "metric_record",
    "Overlap": "overlap",
    "SurfaceDistances": "surface",
    "border_hausdorff95": "border_hausdorff",
    "case_scores": "structure_scores",
    "confusion": "overlap",
    "lesion_scores": "lesions",
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
