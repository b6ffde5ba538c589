"""Decide how far to trust the mask of a new patient: expected Dice, intervals of the volumes, and what to look at."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from tumorseg.errors import Message
from tumorseg.formatting import format_count, format_list
from tumorseg.metrics.conformal import LEVEL, OFFSET_MM3, volume_interval
from tumorseg.metrics.expected_dice import expected_dice, fit_dice
from tumorseg.metrics.held_out import MIN_PATIENTS, Estimate, HeldOut
from tumorseg.metrics.mask_quality import MaskQuality
from tumorseg.networks.held_out_quality import HeldOutCases, cases_of_structure, reliability_path
from tumorseg.segmentation.results import PatientResult
from tumorseg.segmentation.used_model import UsedModel
from tumorseg.task import Task

LOWEST_SHARE: Final = 0.1
"""A patient is worth a look if the expected Dice is below that of this share of the held-out cases."""
VOLUME_TOLERANCE: Final = 1.5
"""Factor by which a volume may be outside the range of the held-out cases. Few cases do not show the whole range."""
UNLIKE_TRAINING: Final = ("spacing_unlike_training", "brain_size_unlike_training", "intensities_unlike_training")
"""Warnings that are a reason to look at a mask."""


@dataclass(frozen=True)
class Trust:
    """How far to trust a mask.

    Attributes:
        expected_dice: Dice to expect of each structure; without those for which it is not known.
        volume_intervals: interval for the true volume of each structure, in mm³; empty if it is not known.
        without_interval: why there are no intervals; empty if there are.
        attention: reasons to look at this mask; empty if there are none.
    """

    expected_dice: dict[str, float] = field(default_factory=dict)
    volume_intervals: dict[str, tuple[float, float]] = field(default_factory=dict)
    without_interval: Message = ""
    attention: tuple[Message, ...] = ()


def judge_mask(
    volumes: Mapping[str, float],
    quality: Sequence[Mapping[str, MaskQuality]],
    *,
    channels: Sequence[str],
    warnings: Sequence[str],
    models: Sequence[UsedModel],
    prediction: Mapping[str, Any],
    task: Task,
) -> Trust:
    """Return how far to trust the mask of a patient, by the held-out cases of the models that have the same images.

    Args:
        volumes: volume of each structure in mm³.
        quality: what each network says about its mask, by structure.
        channels: images of the patient.
        warnings: codes of the warnings about the patient.
        models: the models of the networks, in the same order.
        prediction: `prediction` section of the configuration.
        task: defines the structures.
    """
    reasons: list[Message] = [f"warning {code}" for code in UNLIKE_TRAINING if code in warnings]
    known = [(model.card.split, model.held_out) for model in models if model.held_out is not None]
    if len(known) < len(models):
        return Trust(without_interval=_missing_file(models), attention=tuple(reasons))
    if other := list(dict.fromkeys(key for _, cases in known for key in cases.other_settings(prediction))):
        reason: Message = f"the held-out cases were predicted with other settings of `prediction`: {', '.join(other)}"
        return Trust(without_interval=reason, attention=tuple(reasons))
    held_out = {name: cases_of_structure(known, name, channels) for name in task.structures}
    estimates = {name: _estimates(volumes[name], [one[name] for one in quality]) for name in task.structures}
    intervals = {name: volume_interval(held_out[name], estimates[name]) for name in task.structures}
    dice = {name: expected_dice(fit_dice(_joined(held_out[name])), estimates[name]) for name in task.structures}
    for name in task.region_labels:
        reasons += _attention(name, volumes[name], dice[name], estimates[name], _joined(held_out[name]))
    return Trust(
        {name: value for name, value in dice.items() if value is not None},
        {name: interval for name, interval in intervals.items() if interval is not None},
        "" if any(intervals.values()) else _too_few(known, channels),
        tuple(reasons),
    )


def with_trust(patient: PatientResult, trust: Trust, quality: Sequence[Mapping[str, MaskQuality]]) -> PatientResult:
    """Return the result with how far to trust the mask.

    Args:
        patient: the result. Its expected Dice, the mean for missing images, is replaced if that of this mask is known.
        trust: how far to trust the mask.
        quality: what each network says about its mask, by structure.
    """
    return replace(
        patient,
        expected_dice=trust.expected_dice or patient.expected_dice,
        volume_intervals=trust.volume_intervals,
        without_interval=trust.without_interval,
        attention=trust.attention,
        quality=[{name: value.to_json() for name, value in network.items()} for network in quality],
    )


def _estimates(mm3: float, quality: Sequence[MaskQuality]) -> list[Estimate]:
    """Return what each model says about a structure.

    The masks of single models are not post-processed. Each volume is therefore the volume of the written mask, times
    the volume of the model's mask relative to their geometric mean: for one model, that of the written mask.
    """
    logs = [math.log(one.mask_mm3 + OFFSET_MM3) for one in quality]
    mean = sum(logs) / len(logs)
    return [
        Estimate(max(0.0, (mm3 + OFFSET_MM3) * math.exp(log - mean) - OFFSET_MM3) if len(quality) > 1 else mm3, one)
        for log, one in zip(logs, quality, strict=True)
    ]


def _attention(
    name: str, mm3: float, dice: float | None, estimates: Sequence[Estimate], held_out: Sequence[HeldOut]
) -> Iterator[Message]:
    """Yield the reasons to look at a region of a mask."""
    present = [case for case in held_out if case.estimate.mm3 > 0]
    line = fit_dice(held_out)
    if line is None:
        return
    lowest = float(np.quantile([line(case.estimate.quality.soft_dice) for case in present], LOWEST_SHARE))
    if dice is not None and dice < lowest - 1e-9:
        yield f"the expected Dice of {name} is {dice:.2f}, below that of 9 of 10 held-out cases ({lowest:.2f})"
    low, high = (extreme(case.estimate.mm3 for case in held_out) for extreme in (min, max))
    below = (mm3 + OFFSET_MM3) * VOLUME_TOLERANCE < low + OFFSET_MM3
    if below or mm3 + OFFSET_MM3 > (high + OFFSET_MM3) * VOLUME_TOLERANCE:
        yield f"{name} has {mm3 / 1000:.1f} ml, the held-out cases {low / 1000:.1f} to {high / 1000:.1f} ml"
    agreements = [one.quality.agreement for one in estimates if one.quality.agreement is not None]
    worst = float(np.quantile([case.dice for case in present], LOWEST_SHARE))
    if agreements and mm3 > OFFSET_MM3 and min(agreements) < worst:  # masks of a few voxels may well share none
        yield (
            f"the models disagree on {name}: a single model and all together have a Dice of {min(agreements):.2f}, "
            f"less than 9 of 10 held-out masks and their reference ({worst:.2f})"
        )


def _joined(held_out: Sequence[Sequence[HeldOut]]) -> list[HeldOut]:
    return [case for cases in held_out for case in cases]


def _missing_file(models: Sequence[UsedModel]) -> Message:
    missing = [model for model in models if model.held_out is None]
    if any(model.is_starter for model in missing):
        return "the held-out cases of the starter model are not known"
    files = [str(reliability_path(Path(model.file))) for model in missing]
    return (
        f"there is no file {format_list(files)}; copy it together with the model, or run `snakemake` where the model "
        "was trained"
    )


def _too_few(models: Sequence[tuple[str, HeldOutCases]], channels: Sequence[str]) -> Message:
    patients = {
        (split, case.patient)
        for split, held_out in models
        for case in held_out.cases
        if case.channels == tuple(channels)
    }
    return (
        f"{format_count(len(patients), 'held-out patient')} had the same images; {MIN_PATIENTS} are needed for an "
        f"interval of {100 * LEVEL:g} %"
    )
