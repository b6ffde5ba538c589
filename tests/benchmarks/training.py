"""A training step of our network against other networks of equal widths, and an epoch against its steps alone."""

import ctypes
import dataclasses
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from tests.benchmarks.timing import Figure, best_seconds
from tests.support.builders import TASK, architecture, recipe, write_random_case
from tumorseg.networks.devices import Execution
from tumorseg.networks.factory import build
from tumorseg.networks.memory import keep_freed_memory
from tumorseg.preprocessing.store import read_case, write_case
from tumorseg.training.batches import iterate_batches, steps_per_epoch
from tumorseg.training.checkpoint import TrainingState, save_checkpoint
from tumorseg.training.losses import LossModule, LossTerms, segmentation_loss
from tumorseg.training.trainer import READER_THREADS, train_epoch

WIDTHS = [16, 32, 64, 128]
CPU = Execution(torch.device("cpu"), torch.float32)
THREADS = 2
MIB = 2**20
HERE = "here"


def figures() -> Iterator[Figure]:
    """Yield ratios for steps at two shapes, the loader and a whole epoch, in fp32 on two threads."""
    torch.set_num_threads(THREADS)
    yield from _steps(side=64, batch=2, least=1.6, rounds=3)
    yield from _steps(side=128, batch=1, least=2, rounds=3)
    with tempfile.TemporaryDirectory() as folder:
        cases = [_case(Path(folder, f"{number}.safetensors"), number) for number in range(4)]
        yield from _loader(cases)
        yield from _epoch(cases)


def _case(path: Path, seed: int) -> Path:
    """Write a case of the size of a brain with one tumour, and return its path."""
    case = read_case(write_random_case(path, shape=(150, 180, 150), seed=seed))
    tumour = np.zeros_like(case.mask)
    tumour[40:90, 60:110, 50:100] = case.mask[40:90, 60:110, 50:100]
    write_case(path, dataclasses.replace(case, mask=tumour))
    return path


def nnunet_plain(widths: list[int], classes: int, *, deep_supervision: bool) -> nn.Module:
    """Return the network of nnU-Net v2, with the norm and activation of its plans."""
    from dynamic_network_architectures.architectures.unet import PlainConvUNet

    levels = len(widths)
    norm = {"norm_op": nn.InstanceNorm3d, "norm_op_kwargs": {"eps": 1e-5, "affine": True}}
    activation = {"nonlin": nn.LeakyReLU, "nonlin_kwargs": {"inplace": True}}
    convolutions = {"conv_bias": True, "deep_supervision": deep_supervision}
    strides = [1] + [2] * (levels - 1)
    shape = (4, levels, widths, nn.Conv3d, [3] * levels, strides, [2] * levels, classes, [2] * (levels - 1))
    return PlainConvUNet(*shape, **convolutions, **norm, **activation)


def monai_dynunet(widths: list[int], classes: int) -> nn.Module:
    """Return MONAI's version of the nnU-Net network."""
    with warnings.catch_warnings(action="ignore"):
        from monai.networks.nets import DynUNet
    strides = [1] + [2] * (len(widths) - 1)
    return DynUNet(3, 4, classes, [3] * len(widths), strides, strides[1:], filters=widths)


def _others() -> dict[str, nn.Module]:
    """Return other networks with the same widths, three down-samplings and two convolutions per level."""
    with warnings.catch_warnings(action="ignore"):
        from monai.networks.nets import BasicUNet
    return {
        "nnU-Net's PlainConvUNet": nnunet_plain(WIDTHS, 5, deep_supervision=False),
        "MONAI's DynUNet": monai_dynunet(WIDTHS, 5),
        # It always has one level more than the others, and here the same largest width.
        "MONAI's BasicUNet": BasicUNet(3, 4, 5, features=(*WIDTHS, WIDTHS[-1], WIDTHS[0])),
    }


def _steps(side: int, batch: int, least: float, rounds: int) -> Iterator[Figure]:
    """Yield ratios of one training step with Adam. All networks have our loss and run in turns."""
    images = torch.randn(batch, 4, side, side, side)
    masks = torch.randint(0, 3, (batch, side, side, side))
    ours = _step(build(architecture(WIDTHS[0])), CPU.place(images), masks)
    others = {name: _step(network, images, masks) for name, network in _others().items()}
    steps = {HERE: ours, "freed memory returned": ours, **others}

    def prepare(name: str) -> None:
        """Set the memory allocation of the network, and run one untimed step."""
        keep_freed_memory() if name == HERE else _return_freed_memory()
        steps[name]()

    best = best_seconds(steps, rounds, prepare)
    what = f"training step, {batch} x {side}^3"
    yield Figure(f"{what}, base {WIDTHS[0]}", best[HERE], "s")
    yield Figure(f"{what}, freed memory returned / here", best["freed memory returned"] / best[HERE], "")
    for name in others:
        yield Figure(f"{what}, {name} / here", best[name] / best[HERE], "", least=least)
    keep_freed_memory()
    best = best_seconds({HERE: ours, **others}, rounds=2)
    for name in others:
        yield Figure(f"{what}, {name} / here, both keeping freed memory", best[name] / best[HERE], "")


def _step(network: nn.Module, images: Tensor, masks: Tensor) -> Callable[[], None]:
    optimizer = torch.optim.Adam(network.parameters())

    def step() -> None:
        optimizer.zero_grad()
        segmentation_loss(network(images), masks, LossTerms.of_labels(TASK.label_values)).backward()
        optimizer.step()

    return step


def _return_freed_memory() -> None:
    """Return freed blocks to the system at once, as the GNU C library does by default for large blocks."""
    libc = ctypes.CDLL(None)
    for parameter, value in ((-4, 65536), (-3, 32 * MIB), (-1, 64 * MIB)):  # M_MMAP_MAX, M_MMAP_THRESHOLD, M_TRIM…
        libc.mallopt(parameter, value)
    libc.malloc_trim(0)


def _epoch(cases: list[Path]) -> Iterator[Figure]:
    """Yield the ratio of an epoch with loading, augmentation and saving to its steps on one loaded batch."""
    settings = recipe(
        base_channels=WIDTHS[0],
        input_shape=[64, 64, 64],
        batch_size=2,
        steps_per_epoch=12,
        augmentation=["flip", "affine", "gamma", "brightness", "contrast", "noise"],
        foreground_fraction=0.33,
    )
    keep_freed_memory()
    state = TrainingState.initial(settings, 0, CPU)
    steps = steps_per_epoch(len(cases), settings.training)
    batch = next(iterate_batches(cases, settings.training, 0, 1))
    step = _step(state.network, CPU.place(batch.images), batch.masks)

    with tempfile.TemporaryDirectory() as folder:

        def epoch() -> None:
            began = time.monotonic()
            trained = train_epoch(
                state,
                LossModule(state.network, CPU, LossTerms.from_recipe(state.recipe)),
                iterate_batches(cases, settings.training, 0, 1),
                steps,
                CPU,
            )
            history = [{"epoch": 1, **trained}]
            save_checkpoint(Path(folder, "epoch-0001.pt"), state, history, time.monotonic() - began)

        best = best_seconds({"steps": lambda: [step() for _ in range(steps)], "epoch": epoch}, rounds=3)
    yield Figure(
        "epoch, loading, augmentation and saving included / steps alone", best["epoch"] / best["steps"], "", 1.05
    )


def _loader(cases: list[Path]) -> Iterator[Figure]:
    settings = recipe(input_shape=[128, 128, 128], batch_size=1, steps_per_epoch=40, foreground_fraction=0.33)

    def load() -> None:
        for _ in iterate_batches(cases, settings.training, 0, 1, workers=READER_THREADS):
            pass

    seconds = best_seconds({"load": load}, rounds=3)["load"]
    yield Figure("patches of 128^3 x 4 that the loader reads in a second", 40 / seconds, "", least=20)
