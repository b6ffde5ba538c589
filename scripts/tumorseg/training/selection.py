"""The history of a training, the selection of one of its verified checkpoints, and the network of that checkpoint."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import pandas as pd

from tumorseg.cli.console import logger
from tumorseg.cohort.splits import split_digest
from tumorseg.errors import Message, UserError
from tumorseg.io.files import CorruptedFileError, describe_locations, read_json, require_regular_file, sha256
from tumorseg.networks.base import Architecture, Network
from tumorseg.networks.registry import build
from tumorseg.task import Task
from tumorseg.task.compatibility import describe_other_task
from tumorseg.training.checkpoint import load_checkpoint, record_path

_LOSS_COLUMNS: Final = ("train_loss", "validation_loss", "validation_dice")
_STEP_COLUMNS: Final = ("learning_rate", "steps", "skipped_steps", "nonfinite_steps", "seconds")


def history_table(checkpoints: Sequence[Path], task: Task) -> pd.DataFrame:
    """One row per trained epoch: losses, held-out Dice of each structure of the task, learning rate, steps, seconds.

    Of the steps, also those that the gradient scaler skipped, and those whose loss was not finite.
    `seconds` are those of the job, spread evenly over its epochs. A checkpoint whose record is unreadable, which its
    verification has told already, has no rows.
    """
    rows = []
    for path in map(record_path, checkpoints):
        try:
            record = read_json(path)
            epochs, seconds = record["epochs"], record["seconds"]
            rows += [{**epoch, "seconds": seconds / len(epochs)} for epoch in epochs]
        except (CorruptedFileError, KeyError, TypeError, ZeroDivisionError) as error:
            logger.warning("%s is damaged (%s): its epochs are missing in the history", path, error)
    columns = ["epoch", *_LOSS_COLUMNS, *(f"dice_{structure}" for structure in task.structures), *_STEP_COLUMNS]
    return pd.DataFrame(rows, columns=columns).sort_values("epoch", ignore_index=True)


def select_epoch(
    verifications: Sequence[dict[str, Any]], validation_dice: dict[int, float], select: Literal["last", "best"]
) -> int:
    """The last sound epoch, or the sound epoch of the best validation Dice (of equal ones the earlier).

    verifications: the verdict on each checkpoint (`epoch`, `ok`, `file`, `problems`). Raises UserError, naming every
    file and its problem, when no epoch is sound, and when the best is wanted of epochs whose Dice is not known.
    """
    sound: list[int] = [verdict["epoch"] for verdict in verifications if verdict["ok"]]
    if not sound:
        refused = "\n".join(f"  {line}" for line in describe_refused(verifications))
        raise UserError(f"no checkpoint is sound:\n{refused}")
    if select == "last":
        return max(sound)
    if unknown := [epoch for epoch in sound if epoch not in validation_dice]:
        raise UserError(
            f"epoch {unknown[0]}: its record was damaged after it was verified; run again to verify it anew"
        )
    return max(sorted(sound), key=lambda epoch: validation_dice[epoch])


def remedy(checkpoint: Path) -> Message:
    """What to do about an unsound checkpoint: which file to delete, in Snakemake's shared cache too if it is there."""
    return f"Delete {describe_locations(checkpoint)} and run again to train that epoch, and those after it, anew"


def describe_refused(verifications: Sequence[dict[str, Any]]) -> list[str]:
    """One line for each refused checkpoint: its file, what is wrong with it, and what to do."""
    return [
        f"{verdict['file']} {'; '.join(problem['message'] for problem in verdict['problems'])}. "
        f"{remedy(Path(verdict['file']))}"
        for verdict in verifications
        if not verdict["ok"]
    ]


@dataclass(frozen=True, eq=False)
class TrainedNetwork:
    """The network of a checkpoint: the average over the steps, where it has one.

    execution: on what it was trained, such as "cuda fp16". split: see `cohort.splits.split_digest`.
    """

    network: Network
    architecture: Architecture
    execution: str
    split: str


def load_trained_network(checkpoint: Path, digest: str, task: Task) -> TrainedNetwork:
    """The network of the checkpoint whose verified SHA-256 is `digest`.

    Raises UserError where the file has changed since it was verified, or was trained for another task.
    """
    require_regular_file(checkpoint)
    if sha256(checkpoint) != digest:
        raise UserError(f"{checkpoint}: the file has changed since it was verified; run again to verify it anew")
    content = load_checkpoint(checkpoint)
    if content["task"]["facts"] != task.facts():
        raise UserError(
            f"{checkpoint}: trained for {describe_other_task(content['task']['name'], content['task']['facts'], task)}; run "
            "again to verify it anew"
        )
    architecture = Architecture(**content["recipe"]["architecture"])
    network = build(architecture)
    weights = content["weights"]
    if content["average"] is not None:
        weights = {name: content["average"][f"module.{name}"] for name in weights}  # as AveragedModel names them
    network.load_state_dict(weights)
    data = content["data"]
    return TrainedNetwork(network, architecture, content["execution"], split_digest(data["training"], data["held_out"]))
