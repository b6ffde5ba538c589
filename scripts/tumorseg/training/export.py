"""The network out of a verified checkpoint."""

from pathlib import Path

from tumorseg.errors import UserError
from tumorseg.files import sha256
from tumorseg.network.unet import Architecture, UNet, build
from tumorseg.training.checkpoint import load


def network_of(checkpoint: Path, digest: str) -> tuple[UNet, Architecture]:
    """The network of the checkpoint whose verified SHA-256 is `digest`.

    Raises UserError where the file has changed since it was verified.
    """
    if sha256(checkpoint) != digest:
        raise UserError(f"{checkpoint}: the file has changed since it was verified; run again to verify it anew")
    content = load(checkpoint)
    architecture = Architecture(**content["recipe"]["architecture"])
    network = build(architecture)
    network.load_state_dict(content["weights"])
    return network, architecture
