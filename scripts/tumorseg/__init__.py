"""Brain-tumour segmentation from BraTS MRI: the library behind the workflow's scripts.

The sub-packages mirror the stages: cohort, preprocessing, networks, training, inference, metrics, evaluation,
segmentation (of new patients), plotting, reporting, provenance and demo. No module imports Snakemake.

Example:
    >>> import tumorseg
    >>> tumorseg.load_task("brats-glioma").region_labels["TC"]
    (1, 4)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tumorseg.version import __version__

if TYPE_CHECKING:
    from tumorseg.configuration.task_validation import load_checked_task as load_task
    from tumorseg.errors import UserError
    from tumorseg.metrics.structure_scores import case_scores
    from tumorseg.task import Task
    from tumorseg.task import built_in_tasks as built_in_tasks

__all__ = ["Task", "UserError", "__version__", "built_in_tasks", "case_scores", "load_task"]

_PUBLIC = {
    "Task": ("task", "Task"),
    "UserError": ("errors", "UserError"),
    "built_in_tasks": ("task", "built_in_tasks"),
    "case_scores": ("metrics.structure_scores", "case_scores"),
    "load_task": ("configuration.task_validation", "load_checked_task"),
}
"""The module of each public name, and its name there. Imported on first use, since no script needs all of them."""


def __getattr__(name: str) -> Any:
    """Return a public name, imported when it is first used.

    Raises:
        AttributeError: the name is not public.
    """
    if name not in _PUBLIC:
        raise AttributeError(f"module tumorseg has no attribute {name}")
    module, name_in_module = _PUBLIC[name]
    return getattr(import_module(f"tumorseg.{module}"), name_in_module)


def __dir__() -> list[str]:
    """Return the public names."""
    return __all__
