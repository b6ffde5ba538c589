"""Statistics of the training cases. They are stored with the model, to compare a new patient with them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Self

from tumorseg.cohort.validation_result import ValidationResult
from tumorseg.errors import UserError
from tumorseg.networks.card_validation import INTENSITY_FACTS
from tumorseg.orientation import NETWORK_AXES, reoriented_shape, reoriented_spacing_mm
from tumorseg.task import Task


@dataclass(frozen=True)
class Range:
    """The lowest value, the median and the highest value over cases."""

    low: float
    median: float
    high: float

    @classmethod
    def from_values(cls, values: Iterable[float]) -> Self:
        """The range of one value or more."""
        ordered = sorted(values)
        return cls(ordered[0], median(ordered), ordered[-1])


@dataclass(frozen=True)
class TrainingFacts:
    """What a model was trained on.

    cases: number of training cases. demo: whether they are those of the demo cohort. channels: their names, in
    order. input_shape: voxels of the patches that it was trained on (x, y, z). spacing_mm, shape: voxel edges in mm and
    voxels of the grids, along each of `orientation.NETWORK_AXES`. brain_voxels: voxels that are not background.
    intensities: for each channel the facts of `intensity_facts`; without those that no case has.
    """

    cases: int
    demo: bool
    channels: tuple[str, ...]
    input_shape: tuple[int, ...]
    spacing_mm: tuple[Range, ...]
    shape: tuple[Range, ...]
    brain_voxels: Range
    intensities: dict[str, dict[str, Range]]

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """The facts from plain JSON types, which have been checked."""
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
        )


def training_facts(
    verdicts: Iterable[ValidationResult], cases: Sequence[str], *, task: Task, demo: bool, input_shape: Sequence[int]
) -> TrainingFacts:
    """Summarise the training cases, of which there is one at least, from the verdicts on all cases of the cohort.

    Raises UserError where a training case has no verdict.
    """
    known = {verdict.case: verdict.facts for verdict in verdicts}
    if unknown := [case for case in cases if case not in known]:
        raise UserError(
            f"{unknown[0]}: this training case has no verdict in results/cohort/verdicts; delete that folder, run again"
        )
    facts = [known[case] for case in cases]
    return TrainingFacts(
        cases=len(cases),
        demo=demo,
        channels=task.channel_names,
        input_shape=tuple(input_shape),
        spacing_mm=tuple(map(Range.from_values, zip(*map(network_spacing_mm, facts), strict=True))),
        shape=tuple(map(Range.from_values, zip(*map(network_shape, facts), strict=True))),
        brain_voxels=Range.from_values(case["brain_voxels"] for case in facts),
        intensities={
            channel: _ranges([intensity_facts(case, channel) for case in facts]) for channel in task.channel_names
        },
    )


def network_spacing_mm(facts: Mapping[str, Any]) -> tuple[float, float, float]:
    """Voxel edges in mm along `orientation.NETWORK_AXES`, from the facts of a verdict."""
    x, y, z = (round(edge, 4) for edge in reoriented_spacing_mm(facts["affine"], NETWORK_AXES))
    return x, y, z


def network_shape(facts: Mapping[str, Any]) -> tuple[int, int, int]:
    """Voxels along `orientation.NETWORK_AXES`, from the facts of a verdict."""
    return reoriented_shape(facts["affine"], facts["shape"], NETWORK_AXES)


def intensity_facts(facts: Mapping[str, Any], channel: str) -> dict[str, float]:
    """`p01`, `median`, `p99` of a channel's brain, and `median_position`, from the facts of a verdict.

    `median_position` is where the median lies between the two percentiles, from 0 to 1. It does not depend on the
    scanner's unit. Empty where the channel shows no brain.
    """
    found = facts["intensities"].get(channel)
    if not found:
        return {}
    known = {name: found[name] for name in ("p01", "median", "p99")}
    width = known["p99"] - known["p01"]
    if width > 0:
        known["median_position"] = round((known["median"] - known["p01"]) / width, 6)
    return known


def _ranges(cases: Sequence[Mapping[str, float]]) -> dict[str, Range]:
    values = {name: [case[name] for case in cases if name in case] for name in INTENSITY_FACTS}
    return {name: Range.from_values(found) for name, found in values.items() if found}
