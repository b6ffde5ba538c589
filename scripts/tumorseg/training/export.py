"""The network out of a verified checkpoint."""

from dataclasses import dataclass
from pathlib import Path

from tumorseg.cohort.splits import split_digest
from tumorseg.errors import UserError
from tumorseg.files import require_regular_file, sha256
from tumorseg.network.architecture import Architecture
from tumorseg.network.protocol import Network
from tumorseg.network.registry import build
from tumorseg.task import Task
from tumorseg.task.difference import other_task
from tumorseg.training.checkpoint import load


@dataclass(frozen=True, eq=False)
class Trained:
    """The network of a checkpoint: the average over the steps, where it has one.

    execution: on what it was trained, such as "cuda fp16". split: see `cohort.splits.split_digest`.
    """

    network: Network
    architecture: Architecture
    execution: str
    split: str


def network_of(checkpoint: Path, digest: str, task: Task) -> Trained:
    """The network of the checkpoint whose verified SHA-256 is `digest`.

    Raises UserError where the file has changed since it was verified, or was trained for another task.
    """
    require_regular_file(checkpoint)
    if sha256(checkpoint) != digest:
        raise UserError(f"{checkpoint}: the file has changed since it was verified; run again to verify it anew")
    content = load(checkpoint)
    if content["task"]["facts"] != task.facts():
        raise UserError(
            f"{checkpoint}: trained for {other_task(content['task']['name'], content['task']['facts'], task)}; run "
            "again to verify it anew"
        )
    architecture = Architecture(**content["recipe"]["architecture"])
    network = build(architecture)
    weights = content["weights"]
    if content["average"] is not None:
        weights = {name: content["average"][f"module.{name}"] for name in weights}  # as AveragedModel names them
    network.load_state_dict(weights)
    data = content["data"]
    return Trained(network, architecture, content["execution"], split_digest(data["training"], data["held_out"]))
