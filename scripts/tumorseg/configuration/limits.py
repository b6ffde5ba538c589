"""Values that are allowed by themselves, and not together or not with the cases that are there."""

from collections.abc import Collection, Sequence
from difflib import get_close_matches
from typing import Any, Final

from tumorseg.task import Task

CHECKPOINTS: Final = 3000
"""Checkpoints of all folds together. Snakemake needs about 3 ms to plan each, in every run."""


def contradictions(configuration: dict[str, Any], task: Task) -> list[str]:
    """One sentence for each pair of keys that do not fit together, in a configuration that follows the schema."""
    own = configuration["figures"]["colours"]
    of_task = {f"label_{label.value}": label.colour for label in task.labels}
    colours = {**{label: colour for label, colour in of_task.items() if label not in own}, **own}
    return [
        *_cohort_of_the_demo(configuration),
        *_equal_colours(colours),
        *_unfitting_sides(configuration),
        *_too_many_checkpoints(configuration),
    ]


def _cohort_of_the_demo(configuration: dict[str, Any]) -> list[str]:
    """The demo cohort is written into one folder."""
    cohort = configuration["cohort"]
    if not configuration["demo"]:
        return []
    if cohort["samples"] is not None:
        return ["cohort.samples: the demo has cases of its own; set samples: null, or, for cases of yours, demo: null"]
    if not isinstance(cohort["root"], str):
        return ["cohort.root: the demo is written into one folder; name one, or, for cases of yours, set demo: null"]
    return []


def _equal_colours(colours: dict[str, str]) -> list[str]:
    first: dict[str, str] = {}
    sentences = []
    for label, colour in colours.items():
        other = first.setdefault(colour.upper(), label)
        if other != label:
            sentences.append(
                f"figures.colours.{label}: {colour} is the colour of {other} already; give each label its own"
            )
    return sentences


def _unfitting_sides(configuration: dict[str, Any]) -> list[str]:
    """The deepest level of a network has whole voxels, and more than one."""
    depth = configuration["model"]["depth"]
    divisor = 2**depth
    return [
        f"{section}.{key}[{axis}]: {side} is not allowed; with {depth} down-samplings (model.depth) it has to be a "
        f"multiple of {divisor}, at least {2 * divisor}"
        for section, key in (("training", "input_shape"), ("prediction", "window"))
        for axis, side in enumerate(configuration[section][key])
        if side % divisor or side < 2 * divisor
    ]


def _too_many_checkpoints(configuration: dict[str, Any]) -> list[str]:
    training, folds = configuration["training"], configuration["cohort"]["folds"]
    checkpoints = folds * -(-training["epochs"] // training["epochs_per_checkpoint"])
    if checkpoints <= CHECKPOINTS:
        return []
    interval = -(-training["epochs"] // max(1, CHECKPOINTS // folds))
    of_folds = f" in {folds} folds" if folds > 1 else ""
    return [
        f"training.epochs: {training['epochs']} epochs{of_folds} make {checkpoints:,} checkpoints, and planning them "
        f"would take long; {CHECKPOINTS:,} are allowed: set training.epochs_per_checkpoint to {interval} or more"
    ]


def too_many_folds(folds: int, cases: int, root: str) -> str | None:
    """Why this number of folds is impossible for the case folders below `root`; None if it may be possible.

    Only patients can be held out, and there are no more of them than case folders.
    """
    most, there = max(cases, 0), f"{root} holds {cases} case folder{'' if cases == 1 else 's'}"
    if folds == 1:
        return None if most >= 2 else f"cohort.root: {there}; at least 2 are needed, for training and validation"
    return None if folds <= most else f"cohort.folds: {folds} folds need as many patients at least, but {there}"


def unknown_cases(named: Sequence[str], there: Collection[str], root: str) -> str | None:
    """Which of the cases in `report.viewer_cases` have no folder; None if all have one."""
    missing = [name for name in named if name not in there]
    if not missing:
        return None
    close = get_close_matches(missing[0], sorted(there), n=1)
    hint = f"did you mean {close[0]}?" if close else f"name case folders, such as {min(there, default='none')}"
    return f"report.viewer_cases: {root} has no case folder {', '.join(missing)}; {hint}"
