"""Check that the parts of a task are consistent."""

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, Final

from tumorseg.errors import Message
from tumorseg.task.definition import LABEL_MAP_CONVENTION, Task

_RESERVED_NAMES: Final = ("seg", "mask", "reference", "prediction", "case", "patient")
"""Names that channels cannot have, since masks and the columns of tables have them."""
_RESERVED_CONVENTIONS: Final = ("auto", "mixed", LABEL_MAP_CONVENTION)


def first_contradiction(task: Task) -> Message | None:
    """The first thing that does not fit together in a task, or None."""
    return next(chain(_parts(task), _patterns(task)), None)


def first_contradiction_without_patterns(task: Task) -> Message | None:
    """The same of all but its patterns. Those of an untrusted task could take long to compile or fill the memory."""
    return next(_parts(task), None)


def _parts(task: Task) -> Iterator[Message]:
    yield from chain(_labels(task), _channels(task), _regions(task), _conventions(task))


def _labels(task: Task) -> Iterator[Message]:
    most = max(task.label_values)
    if most >= task.classes:
        yield f"label {most} needs at least {most + 1} classes, while there are {task.classes}"
    for twice in _duplicates(label.colour.upper() for label in task.labels):
        yield f"two labels have the colour {twice}"


def _channels(task: Task) -> Iterator[Message]:
    for name in task.channel_names:
        if name in _RESERVED_NAMES or not re.fullmatch(r"[a-z0-9]+", name):
            allowed: Message = f"lower-case letters and digits, other than {', '.join(_RESERVED_NAMES)}"
            yield f"a channel needs a name of {allowed}, not {name}"
    for end in (end for end, _ in task.file_endings if re.search(r"^[-_]|\.nii(\.gz)?$", end)):
        yield f"the end {end} of names is written without hyphen or underscore before it and without .nii or .nii.gz"
    for twice in _duplicates([*(end for channel in task.channels for end in channel.files), *task.mask_files]):
        yield f"files that end in {twice} belong to two channels"
    for volume in _duplicates(channel.volume for channel in task.channels if channel.volume is not None):
        yield f"volume {volume} belongs to two channels"
    if len({channel.volume is None for channel in task.channels}) > 1:
        yield "either all channels have the key volume, or none"
    if sum(channel.display for channel in task.channels) > 1:
        yield "masks are drawn over one channel, and display is true for more"


def _regions(task: Task) -> Iterator[Message]:
    for twice in _duplicates(region.name.casefold() for region in task.regions):
        yield f"two regions are called {twice}"
    for region in task.regions:
        if strange := {*region.labels, region.removed_to, region.holes or 0} - {0, *task.label_values}:
            yield f"region {region.name} has the label {min(strange)}, which is not among the labels"
        if region.removed_to in region.labels:
            yield f"region {region.name}: removed_to must be a label outside the region"


def _conventions(task: Task) -> Iterator[Message]:
    for name, written in task.conventions.items():
        if name in _RESERVED_CONVENTIONS:
            yield f"no convention can be called {name}, which has a meaning of its own in cohort.labels"
        if strange := set(written) - set(task.label_values):
            yield f"convention {name} writes the label {min(strange)}, which is not among the labels"
        for twice in _duplicates(written.get(value, value) for value in task.label_values):
            yield f"convention {name} writes two labels as {twice}"


def _patterns(task: Task) -> Iterator[Message]:
    for key in ("case_names", "patient"):
        try:
            groups = re.compile(getattr(task, key) or "()").groups
        except re.error as error:
            yield f"{key} is no regular expression ({error})"
        else:
            if key == "patient" and not groups:
                yield "patient needs a group in round brackets: the part of the name that is the patient"
    try:
        names = {task.case_name.format(patient=patient, time_point=0) for patient in (1, 2)}
    except (KeyError, IndexError, ValueError, AttributeError):
        yield "case_name may have {patient} and {time_point} in it, and nothing else in braces"
    else:
        if len(names) == 1:
            yield "case_name needs {patient} in it, or all patients have one name"


def _duplicates(items: Iterable[Any]) -> Iterator[Any]:
    """The items that are there again."""
    seen = set()
    for item in items:
        if item in seen:
            yield item
        seen.add(item)
