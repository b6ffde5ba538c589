"""The network over a whole case at once."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import pad

from tumorseg.network.execution import Execution
from tumorseg.network.protocol import Network


def logits_of(network: Network, image: NDArray[np.float16], execution: Execution) -> Tensor:
    """Logits (classes, x, y, z), on the execution's device, of a normalised image (channels, x, y, z) of any size.

    The image is padded with background to the next multiples of the network's divisor, and the logits are cut back.
    Puts the network in evaluation mode.
    """
    sides = image.shape[1:]
    missing = [-side % network.divisor for side in sides]
    padded = pad(torch.from_numpy(image)[None], [0, missing[2], 0, missing[1], 0, missing[0]])
    network.eval()
    with torch.inference_mode(), execution.autocast():
        logits: Tensor = network(execution.place(padded))[0]
    return logits[:, : sides[0], : sides[1], : sides[2]]


def mask_of(logits: Tensor, unused_classes: Sequence[int]) -> NDArray[np.uint8]:
    """The most probable label of each voxel, (x, y, z); never one of the classes that no voxel has."""
    allowed = logits.clone()
    allowed[list(unused_classes)] = -torch.inf
    return allowed.argmax(0).to(torch.uint8).cpu().numpy()
