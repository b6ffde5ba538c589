"""Statistics of the training cases, stored with the model to compare new patients with them."""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from statistics import median
from typing import Any, Final, Self

from tumorseg.cohort.validation_result import ValidationResult
from tumorseg.errors import UserError
from tumorseg.networks.card_validation import INTENSITY_FACTS
from tumorseg.orientation import NETWORK_AXES, reoriented_shape, reoriented_spacing_mm
from tumorseg.task import Task

MIN_EXPECTED_PATCHES: Final = 10
"""A model counts as trained for a subset that channel dropout left in at least this many patches, on average."""
_UNRECORDED_PATCHES: Final = 15_000
"""Patches of a model that does not record them. Only the starter model was trained with channel dropout before they
were recorded, in 7,500 steps of 2 patches."""


@dataclass(frozen=True)
class Range:
    """The lowest, median and highest value over a set of cases."""

    low: float
    median: float
    high: float

    @classmethod
    def from_values(cls, values: Iterable[float]) -> Self:
        """Return the range of one or more values."""
        ordered = sorted(values)
        return cls(ordered[0], median(ordered), ordered[-1])


@dataclass(frozen=True)
class TrainingFacts:
    """What a model was trained on.

    Attributes:
        cases: number of training cases.
        demo: whether they are of the demo cohort.
        channels: names of the channels, in order.
        input_shape: voxels of the training patches (x, y, z).
        spacing_mm: voxel edges of the original grids along each of `orientation.NETWORK_AXES`.
        shape: voxels of the original grids along each of `orientation.NETWORK_AXES`.
        brain_voxels: voxels of the network's grid that are not background.
        intensities: for each channel the `channel_intensity_facts` that at least one case has.
        case_signatures: sorted `case_signature` of each training case, and of those of the model that the training
            started from; empty in models of earlier versions.
        channel_dropout: probability with which the training left out each channel of a patch.
        channel_sets: the different sets of channels that the training cases have; empty in models of earlier versions.
        set_patches: expected number of training patches of the cases with each of `channel_sets`; empty in models of
            earlier versions.
    """

    cases: int
    demo: bool
    channels: tuple[str, ...]
    input_shape: tuple[int, ...]
    spacing_mm: tuple[Range, ...]
    shape: tuple[Range, ...]
    brain_voxels: Range
    intensities: dict[str, dict[str, Range]]
    case_signatures: tuple[str, ...] = ()
    channel_dropout: float = 0
    channel_sets: tuple[tuple[str, ...], ...] = ()
    set_patches: tuple[float, ...] = ()

    def includes(self, channels: Collection[str]) -> bool:
        """Return whether the model was trained for exactly these channels.

        It was if a training case has them, or if channel dropout left them in `MIN_EXPECTED_PATCHES` patches or more. A
        model of an earlier version does not record the sets of its cases, so only all channels count.
        """
        known_sets = map(set, self.channel_sets or (self.channels,))
        return set(channels) in known_sets or self.expected_patches(channels) >= MIN_EXPECTED_PATCHES

    def expected_patches(self, channels: Collection[str]) -> float:
        """Return in how many training patches channel dropout leaves exactly these channels, on average."""
        patches = self.set_patches or (_UNRECORDED_PATCHES / max(1, len(self.channel_sets)),) * len(self.channel_sets)
        return sum(
            count * _probability_to_keep(len(set(channels)), len(known), self.channel_dropout)
            for known, count in zip(self.channel_sets, patches, strict=True)
            if set(channels) <= set(known)
        )

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return the facts from validated plain JSON types."""
        return cls(
            cases=content["cases"],
            demo=content["demo"],
            channels=tuple(content["channels"]),
            input_shape=tuple(content["input_shape"]),
            spacing_mm=tuple(Range(**edge) for edge in content["spacing_mm"]),
            shape=tuple(Range(**side) for side in content["shape"]),
            brain_voxels=Range(**content["brain_voxels"]),
            intensities={
                channel: {name: Range(**values) for name, values in facts.items()}
                for channel, facts in content["intensities"].items()
            },
            case_signatures=tuple(content.get("case_signatures", ())),
            channel_dropout=content.get("channel_dropout", 0),
            channel_sets=tuple(map(tuple, content.get("channel_sets", ()))),
            set_patches=tuple(content.get("set_patches", ())),
        )


def _probability_to_keep(kept: int, channels: int, dropout: float) -> float:
    """Return the probability that dropout keeps only certain channels; if it would drop all, a random one stays."""
    if not kept:
        return 0
    chosen = dropout ** (channels - kept) * (1 - dropout) ** kept
    return chosen + (dropout**channels / channels if kept == 1 else 0)


def training_facts(
    results: Iterable[ValidationResult],
    cases: Sequence[str],
    *,
    task: Task,
    demo: bool,
    input_shape: Sequence[int],
    earlier_signatures: Iterable[str] = (),
    target_mm: Sequence[float] | None = None,
    channel_dropout: float = 0,
    patches: int = 0,
    synthetic_fraction: float = 0,
) -> TrainingFacts:
    """Return statistics of the training cases.

    Args:
        results: validation results of all cases of the cohort.
        cases: the training cases, at least one.
        task: defines the channels.
        demo: whether the cases are of the demo cohort.
        input_shape: voxels of the training patches (x, y, z).
        earlier_signatures: `case_signature` of each case of the model that the training started from.
        target_mm: voxel edges of the network's grid if cases are resampled, see `resampling.target_spacing_mm`.
        channel_dropout: `training.channel_dropout`.
        patches: number of patches of the training.
        synthetic_fraction: fraction of them from synthetic cases, which have all channels.

    Returns:
        Ranges over the training cases.

    Raises:
        UserError: a training case has no validation result.
    """
    known = {result.case: result.facts for result in results}
    if unknown := [case for case in cases if case not in known]:
        raise UserError(
            f"{unknown[0]}: this training case has no validation result; delete results/cohort/verdicts and run again"
        )
    facts = [known[case] for case in cases]
    set_patches = {task.channel_names: patches * synthetic_fraction} if synthetic_fraction else {}
    for channels in (task.channels_among(case["files"]) for case in facts):
        set_patches[channels] = set_patches.get(channels, 0) + patches * (1 - synthetic_fraction) / len(facts)
    channel_sets = tuple(subset for subset in task.channel_subsets if subset in set_patches)
    return TrainingFacts(
        cases=len(cases),
        demo=demo,
        channels=task.channel_names,
        input_shape=tuple(input_shape),
        spacing_mm=tuple(map(Range.from_values, zip(*map(network_spacing_mm, facts), strict=True))),
        shape=tuple(map(Range.from_values, zip(*map(network_shape, facts), strict=True))),
        brain_voxels=Range.from_values(network_brain_voxels(case, target_mm) for case in facts),
        intensities={
            channel: _ranges([channel_intensity_facts(case, channel) for case in facts])
            for channel in task.channel_names
        },
        case_signatures=tuple(sorted({*earlier_signatures, *(_recorded_signature(case, task) for case in facts)})),
        channel_dropout=channel_dropout,
        channel_sets=channel_sets,
        set_patches=tuple(round(set_patches[subset], 3) for subset in channel_sets),
    )


def _recorded_signature(facts: Mapping[str, Any], task: Task) -> str:
    return case_signature({role: file["digest"] for role, file in facts["files"].items()}, task)


def case_signature(digests: Mapping[str, str], task: Task) -> str:
    """Return 16 hexadecimal digits that recognise the images of a case, whatever its name and its mask.

    Args:
        digests: digest of the raw file of each role.
        task: defines the roles of images.
    """
    images = json.dumps({role: digests.get(role) for role in task.channel_names}, sort_keys=True)
    return hashlib.sha256(images.encode()).hexdigest()[:16]


def network_spacing_mm(facts: Mapping[str, Any]) -> tuple[float, float, float]:
    """Return voxel edges in mm along `orientation.NETWORK_AXES`, from the facts of a validation result."""
    x, y, z = (round(edge, 4) for edge in reoriented_spacing_mm(facts["affine"], NETWORK_AXES))
    return x, y, z


def network_shape(facts: Mapping[str, Any]) -> tuple[int, int, int]:
    """Return the grid's voxels along `orientation.NETWORK_AXES`, from the facts of a validation result."""
    return reoriented_shape(facts["affine"], facts["shape"], NETWORK_AXES)


def network_brain_voxels(facts: Mapping[str, Any], target_mm: Sequence[float] | None) -> float:
    """Return the number of brain voxels on the network's grid.

    Args:
        facts: facts of a validation result.
        target_mm: voxel edges of this grid; None if it has the voxels of the case.
    """
    voxels: float = facts["brain_voxels"]
    return voxels if target_mm is None else voxels * prod(facts["spacing"]) / prod(target_mm)


def channel_intensity_facts(facts: Mapping[str, Any], channel: str) -> dict[str, float]:
    """Return intensity statistics of a channel within the brain.

    Args:
        facts: facts of a validation result.
        channel: name of the channel.

    Returns:
        `p01`, `median` and `p99` (percentiles), and `median_position`: the position of the median between the
        percentiles, from 0 to 1. It does not depend on the scanner's intensity unit. Empty if the channel shows no
        brain.
    """
    found = facts["intensities"].get(channel)
    if not found:
        return {}
    result = {name: found[name] for name in ("p01", "median", "p99")}
    width = result["p99"] - result["p01"]
    if width > 0:
        result["median_position"] = round((result["median"] - result["p01"]) / width, 6)
    return result


def _ranges(cases: Sequence[Mapping[str, float]]) -> dict[str, Range]:
    values = {name: [case[name] for case in cases if name in case] for name in INTENSITY_FACTS}
    return {name: Range.from_values(found) for name, found in values.items() if found}
