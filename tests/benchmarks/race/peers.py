"""The other methods of the race: each has its own network, loss, optimizer, schedule and augmentation.

All have the widths 16 to 128, and patches of 64³ in pairs, a third of them centred on tumour.

nnU-Net v2: the setup of its trainer (Isensee et al. 2021, doi:10.1038/s41592-020-01008-z), without masked
normalisation.
MONAI: DynUNet with the loss, optimizer and augmentation of its BraTS tutorial, at ten times the tutorial's learning
rate, with which it learns almost nothing in minutes.
"""

import importlib.util
import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from tests.benchmarks.race.peer_prediction import LABELS, PATCH
from tests.benchmarks.race.randomness import OwnRandomness
from tests.benchmarks.training import WIDTHS, monai_dynunet, nnunet_plain
from tests.support.builders import recipe
from tumorseg.training.batches import Batch, iterate_batches
from tumorseg.training.trainer import READER_THREADS

SETTINGS = {"input_shape": list(PATCH), "batch_size": 2, "steps_per_epoch": 50, "foreground_fraction": 0.33}


@dataclass
class Peer:
    """A network and its training.

    step: trains on a batch, at a fraction of the race from 0 to 1, and returns the loss.
    predict: returns the logits of images, (N, C, X, Y, Z).
    """

    network: nn.Module
    step: Callable[[Batch, float], float]
    predict: Callable[[Tensor], Tensor]

    def steps(self, cases: Sequence[Path], seed: int, fold: int, randomness: OwnRandomness) -> Callable[[float], float]:
        """Return a function that trains on the next batch, at a fraction of the race, and returns the loss.

        randomness: of the augmentation.
        """
        settings = recipe(**SETTINGS, seed=seed).training
        batches = chain.from_iterable(
            iterate_batches(cases, settings, fold, epoch, workers=READER_THREADS) for epoch in count(1)
        )
        self.network.train()

        def step(done: float) -> float:
            batch = next(batches)
            with randomness.active():
                return self.step(batch, done)

        return step


def nnunet() -> Peer:
    """Return nnU-Net's method: loss, optimizer, schedule and augmentation of nnUNetTrainer."""
    from nnunetv2.training.loss.compound_losses import DC_and_CE_loss
    from nnunetv2.training.loss.deep_supervision import DeepSupervisionWrapper
    from nnunetv2.training.loss.dice import MemoryEfficientSoftDiceLoss

    network = nnunet_plain(WIDTHS, classes=len(LABELS), deep_supervision=True)
    network.apply(network.initialize)
    dice = {"batch_dice": False, "smooth": 1e-5, "do_bg": False, "ddp": False}
    single = DC_and_CE_loss(dice, {}, weight_ce=1, weight_dice=1, dice_class=MemoryEfficientSoftDiceLoss)
    loss = DeepSupervisionWrapper(single, np.array([1, 0.5, 0]) / 1.5)
    optimizer = torch.optim.SGD(network.parameters(), 0.01, momentum=0.99, weight_decay=3e-5, nesterov=True)
    transforms = _nnunet_transforms(PATCH)

    def step(batch: Batch, fraction: float) -> float:
        _set_learning_rate(optimizer, 0.01 * max(0.0, 1 - fraction) ** 0.9)
        images, masks = [], []
        for image, mask in zip(batch.images, _class_indices(batch.masks), strict=True):
            changed = transforms(image=image.float(), segmentation=mask[None].to(torch.int16))
            images.append(changed["image"])
            masks.append(changed["segmentation"])
        target = torch.stack(masks)
        targets = [target[:, :, :: 2**level, :: 2**level, :: 2**level] for level in range(3)]
        optimizer.zero_grad()
        value = loss(network(torch.stack(images)), targets)
        value.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 12)
        optimizer.step()
        return value.item()

    def predict(images: Tensor) -> Tensor:
        return network(images)[0]  # finest first

    return Peer(network, step, predict)


def _nnunet_transforms(patch: tuple[int, int, int]) -> Callable[..., dict[str, Tensor]]:
    """Return the transforms of nnUNetTrainer.get_training_transforms for a cubic patch."""
    from batchgeneratorsv2.transforms.intensity.brightness import MultiplicativeBrightnessTransform
    from batchgeneratorsv2.transforms.intensity.contrast import BGContrast, ContrastTransform
    from batchgeneratorsv2.transforms.intensity.gamma import GammaTransform
    from batchgeneratorsv2.transforms.intensity.gaussian_noise import GaussianNoiseTransform
    from batchgeneratorsv2.transforms.noise.gaussian_blur import GaussianBlurTransform
    from batchgeneratorsv2.transforms.spatial.low_resolution import SimulateLowResolutionTransform
    from batchgeneratorsv2.transforms.spatial.mirroring import MirrorTransform
    from batchgeneratorsv2.transforms.spatial.spatial import SpatialTransform
    from batchgeneratorsv2.transforms.utils.compose import ComposeTransforms
    from batchgeneratorsv2.transforms.utils.random import RandomTransform
    from batchgeneratorsv2.transforms.utils.remove_label import RemoveLabelTansform

    per_channel = {"synchronize_channels": False}
    gamma = {"gamma": BGContrast((0.7, 1.5)), "p_per_channel": 1, "p_retain_stats": 1, **per_channel}
    rotation = (-30 / 360 * 2 * math.pi, 30 / 360 * 2 * math.pi)
    spatial = {"patch_center_dist_from_border": 0, "random_crop": False, "p_elastic_deform": 0, "p_rotation": 0.2}
    spatial |= {"rotation": rotation, "p_scaling": 0.2, "scaling": (0.7, 1.4), "p_synchronize_scaling_across_axes": 1}
    spatial |= {"bg_style_seg_sampling": False, "border_mode_seg": "constant", "padding_value_seg": -1}
    blur = {"blur_sigma": (0.5, 1.0), "synchronize_axes": False, "p_per_channel": 0.5, "benchmark": True, **per_channel}
    low_resolution = {
        "scale": (0.5, 1),
        "synchronize_axes": True,
        "ignore_axes": None,
        "allowed_channels": None,
        **per_channel,
    }
    multipliers = BGContrast((0.75, 1.25))
    transforms = [
        (GaussianNoiseTransform(noise_variance=(0, 0.1), p_per_channel=1, synchronize_channels=True), 0.1),
        (GaussianBlurTransform(**blur), 0.2),
        (MultiplicativeBrightnessTransform(multiplier_range=multipliers, p_per_channel=1, **per_channel), 0.15),
        (ContrastTransform(contrast_range=multipliers, preserve_range=True, p_per_channel=1, **per_channel), 0.15),
        (SimulateLowResolutionTransform(p_per_channel=0.5, **low_resolution), 0.25),
        (GammaTransform(p_invert_image=1, **gamma), 0.1),
        (GammaTransform(p_invert_image=0, **gamma), 0.3),
    ]
    return ComposeTransforms(
        [
            SpatialTransform(patch, **spatial),
            *(RandomTransform(transform, apply_probability=probability) for transform, probability in transforms),
            MirrorTransform(allowed_axes=(0, 1, 2)),
            RemoveLabelTansform(-1, 0),
        ]
    )


def monai() -> Peer:
    """Return MONAI's method: Adam, cosine schedule, Dice with cross-entropy, flips, shifted and scaled intensities."""
    with warnings.catch_warnings(action="ignore"):
        from monai.losses import DiceCELoss
        from monai.transforms import Compose, RandFlipd, RandScaleIntensityd, RandShiftIntensityd
    network = monai_dynunet(WIDTHS, classes=len(LABELS))
    loss = DiceCELoss(softmax=True, to_onehot_y=True, include_background=False, batch=True)
    optimizer = torch.optim.Adam(network.parameters(), weight_decay=1e-5)
    flips = [RandFlipd(["image", "mask"], prob=0.5, spatial_axis=axis) for axis in range(3)]
    intensities = [RandScaleIntensityd("image", factors=0.1, prob=1), RandShiftIntensityd("image", offsets=0.1, prob=1)]
    transforms = Compose([*flips, *intensities])
    transforms.set_random_state(int(torch.randint(2**31, ()).item()))  # it draws from generators of its own

    def step(batch: Batch, fraction: float) -> float:
        _set_learning_rate(optimizer, 1e-3 * (1 + math.cos(math.pi * min(1.0, fraction))) / 2)
        pairs = zip(batch.images, _class_indices(batch.masks), strict=True)
        changed = [transforms({"image": image.float(), "mask": mask[None]}) for image, mask in pairs]
        images = torch.stack([torch.as_tensor(pair["image"]) for pair in changed])
        masks = torch.stack([torch.as_tensor(pair["mask"]) for pair in changed])
        optimizer.zero_grad()
        value = loss(network(images), masks)
        value.backward()
        optimizer.step()
        return value.item()

    return Peer(network, step, network)


def _class_indices(masks: Tensor) -> Tensor:
    """Return the class of each voxel instead of its label."""
    classes = torch.zeros(max(LABELS) + 1, dtype=masks.dtype)
    classes[list(LABELS)] = torch.arange(len(LABELS), dtype=masks.dtype)
    return classes[masks]


def _set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate


@dataclass(frozen=True)
class PeerKind:
    """Another method.

    make: returns the method with random weights.
    packages: what it needs; MONAI's sliding windows serve both.
    mirrors: whether the package itself predicts with mirroring.
    """

    make: Callable[[], Peer]
    packages: tuple[str, ...]
    mirrors: bool


PEERS = {
    "nnU-Net": PeerKind(nnunet, ("nnunetv2", "monai"), mirrors=True),
    "MONAI": PeerKind(monai, ("monai",), mirrors=False),
}


def is_peer(setup: str) -> bool:
    """Return whether the rows of a set-up in the table are those of another method."""
    return setup.split(",", maxsplit=1)[0] in PEERS


def require_packages(names: Sequence[str]) -> None:
    """End the program if a package of these methods is not installed."""
    needed = dict.fromkeys(package for name in names for package in PEERS[name].packages)
    if missing := [package for package in needed if importlib.util.find_spec(package) is None]:
        raise SystemExit(
            f"packages that are not installed: {', '.join(missing)}; run `make .venv/benchmark`, or leave out these "
            "methods with --methods"
        )
