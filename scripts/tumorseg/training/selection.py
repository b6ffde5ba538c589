"""Selection of a verified checkpoint: the history of the training, the selected epoch, and its network."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import pandas as pd

from tumorseg.cli.console import logger
from tumorseg.cohort.splits import split_digest
from tumorseg.errors import Message, UserError
from tumorseg.io.digests import sha256
from tumorseg.io.files import CorruptedFileError, describe_locations, read_json, require_regular_file
from tumorseg.networks.base import Architecture, Network
from tumorseg.networks.factory import build
from tumorseg.task import Task
from tumorseg.task.compatibility import describe_other_task
from tumorseg.training.checkpoint import checkpoint_record_path, load_checkpoint
from tumorseg.training.recipe import with_defaults

_LOSS_COLUMNS: Final = ("train_loss", "validation_loss", "validation_dice")
_STEP_COLUMNS: Final = ("learning_rate", "steps", "skipped_steps", "nonfinite_steps", "seconds")


def history_table(checkpoints: Sequence[Path], task: Task) -> pd.DataFrame:
    """Return one row per trained epoch, from the records of the checkpoints.

    Logs a warning for an unreadable record; its epochs have no rows.

    Args:
        checkpoints: all checkpoints of a fold.
        task: defines the structures whose Dice has a column.

    Returns:
        A table with the losses, the held-out Dice of each structure, the learning rate, and the numbers of steps: all,
        skipped by the gradient scaler, with a non-finite loss. `seconds` is the time of the job, divided by the number
        of its epochs.
    """
    rows = []
    for path in map(checkpoint_record_path, checkpoints):
        try:
            record = read_json(path)
            epochs, seconds = record["epochs"], record["seconds"]
            rows += [{**epoch, "seconds": seconds / len(epochs)} for epoch in epochs]
        except (CorruptedFileError, KeyError, TypeError, ZeroDivisionError) as error:
            logger.warning("%s is corrupted (%s): its epochs are missing in the history", path, error)
    columns = ["epoch", *_LOSS_COLUMNS, *(f"dice_{structure}" for structure in task.structures), *_STEP_COLUMNS]
    return pd.DataFrame(rows, columns=columns).sort_values("epoch", ignore_index=True)


def select_epoch(
    verifications: Sequence[dict[str, Any]], validation_dice: dict[int, float], select: Literal["last", "best"]
) -> int:
    """Return the epoch of the last valid checkpoint, or of the one with the best validation Dice.

    Args:
        verifications: result of the verification of each checkpoint (`epoch`, `ok`, `file`, `problems`).
        validation_dice: mean held-out Dice by epoch.
        select: `last`, or `best`: the highest validation Dice, the earlier epoch in a tie.

    Raises:
        UserError: no checkpoint is valid (the message lists all files and problems), or the Dice of a valid one is
            unknown although the best is wanted.
    """
    valid: list[int] = [result["epoch"] for result in verifications if result["ok"]]
    if not valid:
        refused = "\n".join(f"  {line}" for line in describe_refused(verifications))
        raise UserError(f"no checkpoint is valid:\n{refused}")
    if select == "last":
        return max(valid)
    if unknown := [epoch for epoch in valid if epoch not in validation_dice]:
        raise UserError(f"epoch {unknown[0]}: its record was corrupted after it was verified; run again to verify it")
    return max(sorted(valid), key=lambda epoch: validation_dice[epoch])


def remedy(checkpoint: Path) -> Message:
    """Return what to do about an invalid checkpoint: which files to delete, also in Snakemake's shared cache."""
    return f"Delete {describe_locations(checkpoint)} and run again to train that epoch and later ones again"


def describe_refused(verifications: Sequence[dict[str, Any]]) -> list[str]:
    """Return one line for each invalid checkpoint: its file, what is wrong with it, and what to do."""
    return [
        f"{result['file']} {'; '.join(problem['message'] for problem in result['problems'])}. "
        f"{remedy(Path(result['file']))}"
        for result in verifications
        if not result["ok"]
    ]


@dataclass(frozen=True, eq=False)
class TrainedNetwork:
    """The network of a checkpoint.

    Attributes:
        network: with the moving average of the weights, if the checkpoint has one.
        architecture: description of the network.
        execution: device and precision of the training, such as "cuda fp16".
        split: digest of the training and held-out cases, see `cohort.splits.split_digest`.
        start_from: SHA-256 of the model that the training started from; None for random weights.
        earlier_signatures: its training cases, see `TrainingFacts.case_signatures`.
        channel_dropout: setting of the training.
        patches: number of patches of the training until the checkpoint.
        synthetic_fraction: setting of the training.
    """

    network: Network
    architecture: Architecture
    execution: str
    split: str
    start_from: str | None
    earlier_signatures: tuple[str, ...]
    channel_dropout: float
    patches: int
    synthetic_fraction: float


def load_trained_network(checkpoint: Path, digest: str, task: Task) -> TrainedNetwork:
    """Load the network of a verified checkpoint.

    Args:
        checkpoint: the file.
        digest: its SHA-256 when it was verified.
        task: the task that it must have been trained for.

    Returns:
        The network on the CPU, and what it was trained on.

    Raises:
        UserError: the file has changed since it was verified, or was trained for another task.
    """
    require_regular_file(checkpoint)
    if sha256(checkpoint) != digest:
        raise UserError(f"{checkpoint}: the file has changed since it was verified; run again to verify it")
    content = load_checkpoint(checkpoint)
    if content["task"]["facts"] != task.facts():
        raise UserError(
            f"{checkpoint}: trained for "
            f"{describe_other_task(content['task']['name'], content['task']['facts'], task)}; run again to verify it"
        )
    architecture = Architecture(**content["recipe"]["architecture"])
    network = build(architecture)
    weights = content["weights"]
    if content["average"] is not None:
        weights = {name: content["average"][f"module.{name}"] for name in weights}  # as AveragedModel names them
    network.load_state_dict(weights)
    data, training = content["data"], with_defaults(content["recipe"])["training"]
    return TrainedNetwork(
        network,
        architecture,
        content["execution"],
        split_digest(data["training"], data["held_out"]),
        training["start_from"],
        tuple(content.get("earlier_signatures", ())),
        channel_dropout=training["channel_dropout"],
        patches=sum(epoch["steps"] for epoch in content["history"]) * training["batch_size"],
        synthetic_fraction=training["synthetic_fraction"],
    )
