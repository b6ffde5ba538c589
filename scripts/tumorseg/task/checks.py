"""Check that the parts of a task are consistent."""

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, Final

from tumorseg.errors import Message
from tumorseg.task.definition import LABEL_MAP_CONVENTION, Task

_RESERVED_NAMES: Final = ("seg", "mask", "reference", "prediction", "case", "patient")
"""Names that channels cannot have, because masks or columns of tables use them."""
_RESERVED_CONVENTIONS: Final = ("auto", "mixed", LABEL_MAP_CONVENTION)


def first_contradiction(task: Task) -> Message | None:
    """Return the first contradiction between the parts of a task; None if it is consistent."""
    return next(chain(_parts(task), _patterns(task)), None)


def first_contradiction_without_patterns(task: Task) -> Message | None:
    """Return the first contradiction without checking patterns.

    Compiling the patterns of an untrusted task could take too much time or memory.
    """
    return next(_parts(task), None)


def _parts(task: Task) -> Iterator[Message]:
    yield from chain(_labels(task), _channels(task), _regions(task), _conventions(task))


def _labels(task: Task) -> Iterator[Message]:
    largest = max(task.label_values)
    if largest >= task.classes:
        yield f"label {largest} needs at least {largest + 1} classes, but there are {task.classes}"
    for colour in _duplicates(label.colour.upper() for label in task.labels):
        yield f"two labels have the colour {colour}"


def _channels(task: Task) -> Iterator[Message]:
    for name in task.channel_names:
        if name in _RESERVED_NAMES or not re.fullmatch(r"[a-z0-9]+", name):
            allowed: Message = f"lower-case letters and digits, other than {', '.join(_RESERVED_NAMES)}"
            yield f"a channel needs a name of {allowed}, not {name}"
    for ending in (ending for ending, _ in task.file_endings if re.search(r"^[-_]|\.nii(\.gz)?$", ending)):
        yield f"the file name ending {ending} must not start with a hyphen or underscore or contain .nii or .nii.gz"
    for duplicate in _duplicates(
        [*(ending for channel in task.channels for ending in channel.files), *task.mask_files]
    ):
        yield f"files that end in {duplicate} belong to two channels"
    for volume in _duplicates(channel.volume for channel in task.channels if channel.volume is not None):
        yield f"volume {volume} belongs to two channels"
    if len({channel.volume is None for channel in task.channels}) > 1:
        yield "either all channels have the key volume, or none"
    if sum(channel.display for channel in task.channels) > 1:
        yield "display is true for more than one channel"


def _regions(task: Task) -> Iterator[Message]:
    for name in _duplicates(region.name.casefold() for region in task.regions):
        yield f"two regions have the name {name}"
    for region in task.regions:
        if unknown := {*region.labels, region.removed_to, region.holes or 0} - {0, *task.label_values}:
            yield f"region {region.name} has the label {min(unknown)}, which is not among the labels"
        if region.removed_to in region.labels:
            yield f"region {region.name}: removed_to must be a label outside the region"


def _conventions(task: Task) -> Iterator[Message]:
    for name, written in task.conventions.items():
        if name in _RESERVED_CONVENTIONS:
            yield f"a convention cannot have the name {name}, which has another meaning in cohort.labels"
        if unknown := set(written) - set(task.label_values):
            yield f"convention {name} writes the label {min(unknown)}, which is not among the labels"
        for value in _duplicates(written.get(label, label) for label in task.label_values):
            yield f"convention {name} writes two labels as {value}"


def _patterns(task: Task) -> Iterator[Message]:
    for key in ("case_names", "patient"):
        try:
            groups = re.compile(getattr(task, key) or "()").groups
        except re.error as error:
            yield f"{key} is not a regular expression ({error})"
        else:
            if key == "patient" and not groups:
                yield "patient needs a group in round brackets around the part of the name that is the patient"
    try:
        names = {task.case_name.format(patient=patient, time_point=0) for patient in (1, 2)}
    except (KeyError, IndexError, ValueError, AttributeError):
        yield "case_name can contain {patient} and {time_point}, and nothing else in braces"
    else:
        if len(names) == 1:
            yield "case_name must contain {patient}, or all patients have the same name"


def _duplicates(items: Iterable[Any]) -> Iterator[Any]:
    """Yield each item that occurred before."""
    seen = set()
    for item in items:
        if item in seen:
            yield item
        seen.add(item)
