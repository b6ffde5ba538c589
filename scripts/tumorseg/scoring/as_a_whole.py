"""What the masks of a folder show together: one convention, the order of channels, a scheme that is another task's."""

from collections.abc import Mapping
from pathlib import Path

from tumorseg.cohort.other_task import other_readings
from tumorseg.console import logger
from tumorseg.conventions import convention_of
from tumorseg.errors import UserError
from tumorseg.scoring.channels import channel_regions
from tumorseg.scoring.judge import Judgement, MaskGrid
from tumorseg.scoring.masks import Reading
from tumorseg.scoring.unsound import UnsoundMask

_MOST_SYSTEMATIC: int = 1
"""So many masks may be unusable in a way that concerns all masks of their source; more stop the run."""


def conventions_in(values: Mapping[str, frozenset[int]], reading: Reading, key: str, folder: Path) -> dict[str, str]:
    """Return the conventions of the masks of a folder, and the first file of each.

    values: on disk, by file. key: of the folder, for messages. Raises UserError where there is more than one and
    `cohort.labels` is not `mixed`: a value that means one thing in some masks would mean another in the rest.
    """
    found: dict[str, str] = {}
    for file, of_file in values.items():
        convention = convention_of(of_file, reading.task, reading.labels)
        if convention is not None:
            found.setdefault(convention, file)
    if len(found) < 2:
        return found
    each = " and ".join(f"{file} as {convention}" for convention, file in found.items())
    if reading.labels != "mixed":
        raise UserError(
            f"{key}: the masks below {folder} write labels in different ways, {each}; give folders that have one way "
            f"each, convert the masks, or set another cohort.task; if all is as it should be, set cohort.labels: mixed"
        )
    logger.warning("%s: masks write labels in different ways, %s, as cohort.labels: mixed allows", folder, each)
    return found


def check_references(grids: Mapping[str, MaskGrid], reading: Reading, folder: Path) -> None:
    """Raise UserError where the references as a whole are not of one task and convention. grids: by file."""
    _refuse_another_task(grids, reading, folder)
    conventions_in({file: grid.values for file, grid in grids.items()}, reading, "score.references", folder)


def _refuse_another_task(grids: Mapping[str, MaskGrid], reading: Reading, folder: Path) -> None:
    """Raise UserError where references of several conventions write labels in one way of another task.

    What is a cavity there, 4, would be enhancing tumour here. References are left out whose name or image says that
    they are of the task. A label map settles it too: a task with one has a single convention.

    grids: of the references, by file.
    """
    task, found = reading.task, dict[str, str]()
    doubtful = {file: grid.values for file, grid in grids.items() if not grid.certain}
    for file, of_file in doubtful.items():
        if convention := convention_of(of_file, task, reading.labels):
            found.setdefault(convention, file)
    values = sorted(frozenset().union(*doubtful.values()) - {0})
    tasks = other_readings(task, values)
    if len(found) < 2 or not tasks:
        return
    each = " and ".join(f"{file} as {convention}" for convention, file in found.items())
    labels = {value: label for convention in found for value, label in task.values(convention).items()}
    meant = ", ".join(f"{value}: {labels[value]}" for value in values)
    raise UserError(
        f"score.references: the masks below {folder} write labels in different ways, {each}, or are of another task "
        f"than {task.name}, in which {', '.join(map(str, values))} mean different things: set cohort.task: "
        f"{' or '.join(tasks)}, or, if you are sure, say in cohort.label_map what each value means: {{{meant}}}"
    )


def refuse_systematic(judgements: Mapping[str, Judgement], folder: Path) -> None:
    """Raise UserError where several predictions of a folder speak of another scheme. judgements: by file."""
    systematic = [f"{file}: {found.reason}" for file, found in judgements.items() if found.systematic]
    if len(systematic) > _MOST_SYSTEMATIC:
        raise UserError("\n".join([f"score.predictions: masks below {folder} are of another kind", *systematic]))


def regions_of_folder(judgements: Mapping[str, Judgement], reading: Reading, folder: Path) -> tuple[str, ...] | None:
    """Return the region of each channel of those predictions that have channels; None where none has.

    judgements: by file. Raises UserError where the files do not show the order.
    """
    channels = {file: found.channels for file, found in judgements.items() if found.channels is not None}
    if not channels:
        return None
    try:
        return channel_regions([facts.overlaps for facts in channels.values()], reading.task)
    except UnsoundMask as unsound:
        files = ", ".join(list(channels)[:3]) + (" …" if len(channels) > 3 else "")
        raise UserError(f"score.predictions: {files} below {folder}: {unsound}") from None
