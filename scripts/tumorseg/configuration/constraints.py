"""Check what the schema cannot express: keys that contradict each other, and values that do not fit cases or files."""

from collections.abc import Collection, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from tumorseg.configuration.postprocessing_candidates import MAX_CANDIDATES, candidate_count
from tumorseg.errors import UserError
from tumorseg.io.files import require_regular_file
from tumorseg.synthetic.requirements import cube_edge_mm, require_simulated
from tumorseg.task import Task

MAX_CHECKPOINTS: Final = 3000
"""Maximum number of checkpoints in all folds. Snakemake needs about 3 ms to plan each, in every run."""


def contradiction_errors(configuration: dict[str, Any], task: Task) -> list[str]:
    """Return a sentence for each pair of keys that contradict each other. The configuration must follow the schema."""
    configured = configuration["figures"]["colours"]
    of_task = {f"label_{label.value}": label.colour for label in task.labels}
    colours = {**{label: colour for label, colour in of_task.items() if label not in configured}, **configured}
    return [
        *_demo_errors(configuration),
        *_preparation_errors(configuration, task),
        *_equal_colour_errors(colours),
        *_size_errors(configuration),
        *_warmup_errors(configuration["training"]),
        *_synthetic_errors(configuration, task),
        *_checkpoint_count_errors(configuration),
        *_candidate_count_errors(configuration["postprocessing"], task),
        *_learning_curve_errors(configuration),
    ]


def _demo_errors(configuration: dict[str, Any]) -> list[str]:
    """Return what contradicts the demo cohort, which needs a single folder and has its own cases."""
    cohort = configuration["cohort"]
    if not configuration["demo"]:
        return []
    if cohort["samples"] is not None:
        return ["cohort.samples: the demo has its own cases; set samples: null or, for your own cases, demo: null"]
    if not isinstance(cohort["root"], str):
        return ["cohort.root: the demo is written to a single folder; set one or, for your own cases, set demo: null"]
    return []


def _preparation_errors(configuration: dict[str, Any], task: Task) -> list[str]:
    """Return why the cases of a cohort cannot be prepared."""
    prepare = configuration["cohort"]["prepare"]
    if prepare == "full" and configuration["demo"]:
        return ["cohort.prepare: the cases of the demo are made as prepared ones; set it to none or auto"]
    if prepare == "full" and task.whole_head:
        return [
            f"cohort.prepare: full removes the skull, but the images of the task {task.name} show the whole head; set "
            "it to none or auto"
        ]
    if prepare != "none" and task.channels[0].volume is not None:
        return [
            f"cohort.prepare: {prepare} writes a file for each channel, but the task {task.name} has all channels in "
            "one 4D file; set it to none, or set cohort.task to a task with separate files"
        ]
    return []


def _equal_colour_errors(colours: dict[str, str]) -> list[str]:
    first: dict[str, str] = {}
    sentences = []
    for label, colour in colours.items():
        other = first.setdefault(colour.upper(), label)
        if other != label:
            sentences.append(
                f"figures.colours.{label}: {colour} is already the colour of {other}; give each label its own colour"
            )
    return sentences


def _size_errors(configuration: dict[str, Any]) -> list[str]:
    """Return the sides that the down-samplings cannot divide, or would reduce to a single voxel."""
    depth = configuration["model"]["depth"]
    divisor = 2**depth
    return [
        f"{section}.{key}[{axis}]: {side} is not allowed; with {depth} down-samplings (model.depth) it has to be a "
        f"multiple of {divisor}, at least {2 * divisor}"
        for section, key in (("training", "input_shape"), ("prediction", "window"))
        for axis, side in enumerate(configuration[section][key])
        if side % divisor or side < 2 * divisor
    ]


def _warmup_errors(training: dict[str, Any]) -> list[str]:
    warmup, length = training["warmup_epochs"], training["schedule_epochs"]
    if warmup < length or training["schedule"] == "constant":
        return []
    return [
        f"training.warmup_epochs: {warmup} is not allowed; the learning rate has to fall as well, so it has to be less "
        f"than training.schedule_epochs, {length}"
    ]


def _synthetic_errors(configuration: dict[str, Any], task: Task) -> list[str]:
    """Return why synthetic cases cannot be made, if the training needs any."""
    if not configuration["training"]["synthetic_fraction"]:
        return []
    try:
        require_simulated(task)
        cube_edge_mm(configuration["normalisation"])
    except UserError as error:
        return [f"training.synthetic_fraction: {error}"]
    return []


def _checkpoint_count_errors(configuration: dict[str, Any]) -> list[str]:
    training, folds = configuration["training"], configuration["cohort"]["folds"]
    checkpoints = folds * -(-training["epochs"] // training["epochs_per_checkpoint"])
    if checkpoints <= MAX_CHECKPOINTS:
        return []
    interval = -(-training["epochs"] // max(1, MAX_CHECKPOINTS // folds))
    of_folds = f" in {folds} folds" if folds > 1 else ""
    return [
        f"training.epochs: {training['epochs']} epochs{of_folds} make {checkpoints:,} checkpoints, but at most "
        f"{MAX_CHECKPOINTS:,} are allowed, as planning them takes long; set training.epochs_per_checkpoint to "
        f"{interval} or more"
    ]


def _candidate_count_errors(postprocessing: dict[str, Any], task: Task) -> list[str]:
    count = candidate_count(postprocessing, task)
    if count <= MAX_CANDIDATES:
        return []
    return [
        f"postprocessing: these volumes make {count:,} combinations, but at most {MAX_CANDIDATES:,} are allowed; list "
        "fewer volumes in remove_components_mm3 or min_enhancing_mm3"
    ]


def _learning_curve_errors(configuration: dict[str, Any]) -> list[str]:
    if 0 not in configuration["learning_curve"]["cases"] or configuration["training"]["start_from"] is not None:
        return []
    return [
        "learning_curve.cases: 0 is the start model as it is, but training.start_from is null; leave 0 out, or set "
        "training.start_from"
    ]


def fold_count_error(folds: int, case_count: int, root: str) -> str | None:
    """Return why the number of folds is impossible; None if it may be possible.

    Patients are held out as a whole, and there are at most as many patients as case folders.

    Args:
        folds: as configured.
        case_count: number of case folders.
        root: the folder of the cases, for the message.

    Returns:
        The message, or None.
    """
    found = f"{root} holds {case_count} case folder{'' if case_count == 1 else 's'}"
    if folds == 1:
        return None if case_count >= 2 else f"cohort.root: {found}; at least 2 are needed, for training and validation"
    return None if folds <= case_count else f"cohort.folds: {folds} folds need at least {folds} patients, but {found}"


def unknown_viewer_cases_error(viewer_cases: Sequence[str], available_cases: Collection[str], root: str) -> str | None:
    """Return a message about cases in `report.viewer_cases` that do not exist; None if all exist.

    Args:
        viewer_cases: names in `report.viewer_cases`.
        available_cases: names of all cases.
        root: folder of the cases, for the message.
    """
    missing = [name for name in viewer_cases if name not in available_cases]
    if not missing:
        return None
    close = get_close_matches(missing[0], sorted(available_cases), n=1)
    hint = (
        f"did you mean {close[0]}?" if close else f"name case folders, such as {min(available_cases, default='none')}"
    )
    return f"report.viewer_cases: {root} has no case folder {', '.join(missing)}; {hint}"


_MAX_TABLE_BYTES: Final = 100_000_000
"""Twenty times the size of a table with 100,000 cases."""


def require_table(key: str, file: Path, *, written: Path, rule: str) -> None:
    """Check that a file of the configuration can be a table of the user.

    Args:
        key: of the configuration, for messages.
        file: its value.
        written: a table that the workflow writes, which must not be `file`.
        rule: the rule that writes it.

    Raises:
        UserError: the file is missing, not a regular file, too large for a table, or `written`.
    """
    try:
        size = require_regular_file(file)
    except UserError as error:
        raise UserError(f"{key}: {error}") from None
    except OSError:
        raise UserError(f"{key}: there is no file {file}; correct the path, or set it to null") from None
    if size > _MAX_TABLE_BYTES:
        raise UserError(f"{key}: {file} has {size:,} bytes, too many for a table of cases; correct the path")
    if file.resolve() == written.resolve():
        raise UserError(f"{key}: {file} is written by the rule {rule}; copy it and use the copy")
