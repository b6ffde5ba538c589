"""Check what the schema cannot express: contradicting keys, and values that do not fit the cases or files."""

from collections.abc import Collection, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from tumorseg.errors import UserError
from tumorseg.io.files import require_regular_file
from tumorseg.task import Task

MAX_CHECKPOINTS: Final = 3000
"""Checkpoints of all folds together. Snakemake needs about 3 ms to plan each, in every run."""


def contradiction_errors(configuration: dict[str, Any], task: Task) -> list[str]:
    """One sentence for each pair of keys that do not fit together, in a configuration that follows the schema."""
    own = configuration["figures"]["colours"]
    of_task = {f"label_{label.value}": label.colour for label in task.labels}
    colours = {**{label: colour for label, colour in of_task.items() if label not in own}, **own}
    return [
        *_demo_errors(configuration),
        *_equal_colour_errors(colours),
        *_size_errors(configuration),
        *_checkpoint_count_errors(configuration),
    ]


def _demo_errors(configuration: dict[str, Any]) -> list[str]:
    """The demo cohort is written into one folder."""
    cohort = configuration["cohort"]
    if not configuration["demo"]:
        return []
    if cohort["samples"] is not None:
        return ["cohort.samples: the demo has cases of its own; set samples: null, or, for cases of yours, demo: null"]
    if not isinstance(cohort["root"], str):
        return ["cohort.root: the demo is written into one folder; name one, or, for cases of yours, set demo: null"]
    return []


def _equal_colour_errors(colours: dict[str, str]) -> list[str]:
    first: dict[str, str] = {}
    sentences = []
    for label, colour in colours.items():
        other = first.setdefault(colour.upper(), label)
        if other != label:
            sentences.append(
                f"figures.colours.{label}: {colour} is the colour of {other} already; give each label its own"
            )
    return sentences


def _size_errors(configuration: dict[str, Any]) -> list[str]:
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


def _checkpoint_count_errors(configuration: dict[str, Any]) -> list[str]:
    training, folds = configuration["training"], configuration["cohort"]["folds"]
    checkpoints = folds * -(-training["epochs"] // training["epochs_per_checkpoint"])
    if checkpoints <= MAX_CHECKPOINTS:
        return []
    interval = -(-training["epochs"] // max(1, MAX_CHECKPOINTS // folds))
    of_folds = f" in {folds} folds" if folds > 1 else ""
    return [
        f"training.epochs: {training['epochs']} epochs{of_folds} make {checkpoints:,} checkpoints, and planning them "
        f"would take long; {MAX_CHECKPOINTS:,} are allowed: set training.epochs_per_checkpoint to {interval} or more"
    ]


def fold_count_error(folds: int, case_count: int, root: str) -> str | None:
    """Why this number of folds is impossible for the case folders below `root`; None if it may be possible.

    Only patients can be held out, and there are no more of them than case folders.
    """
    most, there = max(case_count, 0), f"{root} holds {case_count} case folder{'' if case_count == 1 else 's'}"
    if folds == 1:
        return None if most >= 2 else f"cohort.root: {there}; at least 2 are needed, for training and validation"
    return None if folds <= most else f"cohort.folds: {folds} folds need as many patients at least, but {there}"


def unknown_viewer_cases_error(viewer_cases: Sequence[str], available_cases: Collection[str], root: str) -> str | None:
    """Which of the cases in `report.viewer_cases` have no folder; None if all have one."""
    missing = [name for name in viewer_cases if name not in available_cases]
    if not missing:
        return None
    close = get_close_matches(missing[0], sorted(available_cases), n=1)
    hint = (
        f"did you mean {close[0]}?" if close else f"name case folders, such as {min(available_cases, default='none')}"
    )
    return f"report.viewer_cases: {root} has no case folder {', '.join(missing)}; {hint}"


_MAX_TABLE_BYTES: Final = 100_000_000
"""Bytes; a line for each of 100,000 cases is a twentieth of it."""


def require_table(key: str, file: Path, *, written: Path, rule: str) -> None:
    """Raise UserError where `file`, named by `key`, cannot be a table of the user's own.

    It has to be a regular file of a table's size, and not what `rule` of the workflow writes, `written`.
    """
    try:
        size = require_regular_file(file)
    except UserError as error:
        raise UserError(f"{key}: {error}") from None
    except OSError:
        raise UserError(f"{key}: there is no file {file}; correct the path, or leave it null") from None
    if size > _MAX_TABLE_BYTES:
        raise UserError(f"{key}: {file} has {size:,} bytes, too many for a table of cases; correct the path")
    if file.resolve() == written.resolve():
        raise UserError(f"{key}: {file} is what the rule {rule} writes; copy it and give the copy")
