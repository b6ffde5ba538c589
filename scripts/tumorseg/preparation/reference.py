"""The reference channel of a patient: the image that all others are registered to."""

from collections.abc import Collection
from typing import Final

from tumorseg.cohort.layouts.synonyms import channels_by_name
from tumorseg.task import Task

_PREFERRED: Final = ("t1ce", "t1", "flair", "t2")
"""The contrasts from the best to the worst reference: the sharpest image of the brain and the tumour first."""


def reference_channel(task: Task, available: Collection[str]) -> str:
    """Return the channel that the other channels of a patient are registered to.

    It is the contrast-enhanced T1, else T1, else FLAIR, else T2, by the names of the task's channels and their
    synonyms; the first available channel of a task without these.

    Args:
        task: task of the patient.
        available: names of the channels that the patient has, at least one of the task.
    """
    present = task.channels_among(available)
    channels = channels_by_name(task)
    preferred = (channels.get(contrast) for contrast in _PREFERRED)
    return next((channel for channel in preferred if channel in present), present[0])
