"""The network out of a verified checkpoint."""

from pathlib import Path

from tumorseg.errors import UserError
from tumorseg.files import sha256
from tumorseg.network.unet import Architecture, UNet, build
from tumorseg.training.checkpoint import load


def network_of(checkpoint: Path, digest: str) -> tuple[UNet, Architecture, str]:
    """The network of the checkpoint whose verified SHA-256 is `digest`: the average over the steps, where it has one.

    With its architecture, and on what it was trained, such as "cuda fp16".

    Raises UserError where the file has changed since it was verified.
    """
    if sha256(checkpoint) != digest:
        raise UserError(f"{checkpoint}: the file has changed since it was verified; run again to verify it anew")
    content = load(checkpoint)
    architecture = Architecture(**content["recipe"]["architecture"])
    network = build(architecture)
    weights = content["weights"]
    if content["average"] is not None:
        weights = {name: content["average"][f"module.{name}"] for name in weights}  # as AveragedModel names them
    network.load_state_dict(weights)
    return network, architecture, content["execution"]
