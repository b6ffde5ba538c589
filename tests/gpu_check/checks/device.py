"""The device itself: torch computes on it."""

from pathlib import Path

import torch

from tests.gpu_check.check import Figure, Result
from tests.gpu_check.materials import make_recipe, start
from tests.gpu_check.scale import Scale
from tumorseg.networks.memory import GIB, device_bytes


def check_device(scale: Scale, _folder: Path) -> Result:
    """Multiply matrices of small whole numbers on the device; the product is exact in every precision."""
    gpus = torch.cuda.device_count()  # before the start, which hides all but one
    execution = start(make_recipe(scale, scale.base_channels[0], precision="auto"))
    numbers = (torch.arange(64 * 64).reshape(64, 64) % 3).float()
    found = (numbers.to(execution.device) @ numbers.to(execution.device)).cpu()
    figures = [Figure("memory of the device", device_bytes(execution.device) / GIB, "GiB")]
    if execution.device.type == "cuda":
        properties = torch.cuda.get_device_properties(execution.device)
        figures += [
            Figure("GPUs that torch sees", gpus),
            Figure("compute capability", float(f"{properties.major}.{properties.minor}")),
            Figure("multiprocessors", properties.multi_processor_count),
        ]
    return Result.judged(figures, [] if torch.equal(found, numbers @ numbers) else ["a product of matrices is wrong"])
