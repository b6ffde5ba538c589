"""Warn about differences between a new patient and the training cases of the models."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from tumorseg.cohort.validation_result import Issue, ValidationResult
from tumorseg.errors import Message
from tumorseg.geometry import format_spacing
from tumorseg.networks.notices import ModelNotice
from tumorseg.networks.training_facts import (
    Range,
    TrainingFacts,
    channel_intensity_facts,
    network_brain_voxels,
    network_spacing_mm,
)
from tumorseg.task import Task

RELATIVE_SPACING_TOLERANCE: Final = 0.1
"""Share by which a voxel edge may be outside the training range. The brains of patients differ by about as much."""
MAX_BRAIN_SIZE_RATIO: Final = 4
"""Maximum ratio between the brain voxels of a patient and of any training case. This is 1.6 along each axis."""
MEDIAN_POSITION_TOLERANCE: Final = 0.3
"""Tolerance for a position of the median outside the training range, see `training_facts.channel_intensity_facts`.

In 29 skull-stripped BraTS cases it is 0.58 to 0.83 in T1, 0.23 to 0.79 in T1CE, 0.20 to 0.59 in T2 and 0.33 to 0.70 in
FLAIR. If background counts as brain, it is below 0.05 in all of them.
"""
_IGNORED_WARNING: Final = "non_unit_spacing"
"""This warning matters for cohorts only. A patient's spacing is compared with that of the training."""


def new_patient_warnings(
    result: ValidationResult,
    training: TrainingFacts,
    task: Task,
    target_mm: Sequence[float] | None = None,
    notices: Sequence[ModelNotice] = (),
) -> list[Issue]:
    """Return the warnings about a usable patient, including differences from the training cases.

    Args:
        result: validation result of the patient.
        training: facts about the training cases.
        task: defines the titles of channels.
        target_mm: voxel edges of the network's grid if patients are resampled, see `resampling.target_spacing_mm`.
        notices: notices of the models.
    """
    facts = result.facts
    spacing_texts = (
        _spacing_warnings(facts, training) if target_mm is None else _detail_warnings(facts, training, target_mm)
    )
    warnings = [
        *(Issue(notice.code, result.case, notice.text) for notice in notices),
        *(Issue("spacing_unlike_training", result.case, text) for text in spacing_texts),
        *(
            Issue("brain_size_unlike_training", result.case, text)
            for text in _brain_size_warnings(facts, training, target_mm)
        ),
        *(
            Issue("intensities_unlike_training", result.case, text)
            for text in _intensity_warnings(facts, training, task)
        ),
    ]
    return [*warnings, *validation_warnings(result)]


def validation_warnings(result: ValidationResult) -> list[Issue]:
    """Return the warnings of a validation result that apply to new patients."""
    return [warning for warning in result.warnings if warning.code != _IGNORED_WARNING]


def same_spacing(one: TrainingFacts, other: TrainingFacts) -> bool:
    """Return whether two models were trained on voxels of the same size, within the tolerance."""
    pairs = zip(one.spacing_mm, other.spacing_mm, strict=True)
    return all(
        _within(a.median, b, RELATIVE_SPACING_TOLERANCE) or _within(b.median, a, RELATIVE_SPACING_TOLERANCE)
        for a, b in pairs
    )


def spacing_range_text(training: TrainingFacts) -> Message:
    """Return the range of voxel edges of a training, such as `1 mm` or `0.9 x 0.9 x 1 to 1 x 1 x 3 mm`."""
    low, high = ([getattr(edge, end) for edge in training.spacing_mm] for end in ("low", "high"))
    text = format_spacing(high)
    return text if format_spacing(low) == text else f"{format_spacing(low).removesuffix(' mm')} to {text}"


def _spacing_warnings(facts: dict[str, Any], training: TrainingFacts) -> Iterator[Message]:
    spacing = network_spacing_mm(facts)
    if not all(map(_within, spacing, training.spacing_mm, [RELATIVE_SPACING_TOLERANCE] * 3)):
        yield (
            f"voxels are {format_spacing(spacing)}; the model was trained on voxels of {spacing_range_text(training)}: "
            "resample all images of the patient to this size"
        )


def _detail_warnings(facts: dict[str, Any], training: TrainingFacts, target_mm: Sequence[float]) -> Iterator[Message]:
    """Yield a warning if an edge is longer than in the training and on the network's grid."""
    spacing = network_spacing_mm(facts)
    known = [max(edge.high, target) for edge, target in zip(training.spacing_mm, target_mm, strict=True)]
    if any(edge > longest * (1 + RELATIVE_SPACING_TOLERANCE) for edge, longest in zip(spacing, known, strict=True)):
        yield (
            f"voxels are {format_spacing(spacing)}, coarser than in the training ({spacing_range_text(training)}, "
            f"resampled to {format_spacing(target_mm)}), so the mask lacks detail: check it"
        )


def _brain_size_warnings(
    facts: dict[str, Any], training: TrainingFacts, target_mm: Sequence[float] | None
) -> Iterator[Message]:
    voxels, known = network_brain_voxels(facts, target_mm), training.brain_voxels
    if not known.low / MAX_BRAIN_SIZE_RATIO <= voxels <= known.high * MAX_BRAIN_SIZE_RATIO:
        yield (
            f"the brain has about {voxels:.0f} voxels; brains in the training had {known.low:.0f} to {known.high:.0f}: "
            "check that the images show a whole brain and nothing else"
        )


def _intensity_warnings(facts: dict[str, Any], training: TrainingFacts, task: Task) -> Iterator[Message]:
    differences: list[Message] = []
    for channel, title in task.channel_titles.items():
        known = training.intensities[channel].get("median_position")
        position = channel_intensity_facts(facts, channel).get("median_position")
        if known is None or channel not in facts["files"]:
            continue
        if position is None:
            differences.append(f"{title} (the brain has at most one value)")
        elif not known.low - MEDIAN_POSITION_TOLERANCE <= position <= known.high + MEDIAN_POSITION_TOLERANCE:
            differences.append(
                f"{title} (the median lies at {position:.2f} of the range from percentile 1 to 99; in the training "
                f"cases, {known.low:.2f} to {known.high:.2f})"
            )
    if differences:
        yield (
            f"the intensity distribution differs from the training cases in {', '.join(differences)}: check that the "
            "skull is removed, the background is 0, and each file shows the sequence in its name"
        )


def _within(value: float, known: Range, tolerance: float) -> bool:
    return known.low * (1 - tolerance) <= value <= known.high * (1 + tolerance)
