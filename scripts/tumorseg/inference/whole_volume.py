"""The network over a whole case at once."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import pad

from tumorseg.labels import UNUSED_CLASS
from tumorseg.network.execution import Execution
from tumorseg.network.unet import DIVISOR, UNet


def logits_of(network: UNet, image: NDArray[np.float16], execution: Execution) -> Tensor:
    """Logits (classes, x, y, z), on the execution's device, of a normalised image (4, x, y, z) of any size.

    The image is padded with background to the next multiples of 8, and the logits are cut back. Puts the network in
    evaluation mode.
    """
    sides = image.shape[1:]
    missing = [-side % DIVISOR for side in sides]
    padded = pad(torch.from_numpy(image)[None], [0, missing[2], 0, missing[1], 0, missing[0]])
    network.eval()
    with torch.inference_mode(), execution.autocast():
        logits: Tensor = network(execution.place(padded))[0]
    return logits[:, : sides[0], : sides[1], : sides[2]]


def mask_of(logits: Tensor) -> NDArray[np.uint8]:
    """The most probable label of each voxel, (x, y, z), inside labels; never 3, the class that no voxel has."""
    allowed = logits.clone()
    allowed[UNUSED_CLASS] = -torch.inf
    return allowed.argmax(0).to(torch.uint8).cpu().numpy()
