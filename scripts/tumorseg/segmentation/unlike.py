"""In what a new patient differs from the cases that the models were trained on."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from tumorseg.cohort.images import spacing_text
from tumorseg.cohort.verdict import Finding, Verdict
from tumorseg.errors import Message
from tumorseg.network.model import DEMONSTRATION
from tumorseg.network.training_facts import (
    Range,
    TrainingFacts,
    intensity_facts,
    network_spacing,
)
from tumorseg.task import Task

SPACING_TOLERANCE: Final = 0.1
"""Share by which a voxel's edge may lie outside those of the training: patients' brains differ by as much."""
SIZE_FACTOR: Final = 4
"""How many times more or fewer voxels a brain may have than any of the training. It is 1.6 along each axis."""
POSITION_TOLERANCE: Final = 0.3
"""How far the position of the median may lie outside that of the training; see `training_facts.intensity_facts`.

In 29 skull-stripped BraTS cases it is 0.58 to 0.83 in T1, 0.23 to 0.79 in T1CE, 0.20 to 0.59 in T2 and 0.33 to 0.70 in
FLAIR. Where the background counts as brain, it is below 0.05 in all.
"""
_REPLACED: Final = "non_unit_spacing"
"""A fact about cohorts. What matters here is the spacing of the training."""


def patient_warnings(verdict: Verdict, training: TrainingFacts, task: Task) -> list[Finding]:
    """Return the warnings about a usable patient: those of its verdict, and in what it differs from the training.

    The comparison with voxels of 1 mm is left out.
    """
    facts = verdict.facts
    found = [
        *(Finding("demonstration_model", verdict.case, DEMONSTRATION) for _ in range(training.demo)),
        *(Finding("spacing_unlike_training", verdict.case, text) for text in _spacing(facts, training)),
        *(Finding("brain_size_unlike_training", verdict.case, text) for text in _brain_size(facts, training)),
        *(Finding("intensities_unlike_training", verdict.case, text) for text in _intensities(facts, training, task)),
    ]
    return [*found, *verdict_warnings(verdict)]


def verdict_warnings(verdict: Verdict) -> list[Finding]:
    """Return the warnings of a verdict that hold without a model."""
    return [warning for warning in verdict.warnings if warning.code != _REPLACED]


def same_spacing(one: TrainingFacts, other: TrainingFacts) -> bool:
    """Whether the voxels that two models were trained on are, within the tolerance, equally large."""
    pairs = zip(one.spacing_mm, other.spacing_mm, strict=True)
    return all(_within(a.median, b, SPACING_TOLERANCE) or _within(b.median, a, SPACING_TOLERANCE) for a, b in pairs)


def merged(trainings: Sequence[TrainingFacts]) -> TrainingFacts:
    """Return the facts of several trainings as one: the widest ranges; the demo's where one of them is."""
    first, *others = trainings
    for other in others:
        first = TrainingFacts(
            cases=max(first.cases, other.cases),
            demo=first.demo or other.demo,
            channels=first.channels,
            input_shape=first.input_shape,
            spacing_mm=tuple(map(_widest, first.spacing_mm, other.spacing_mm)),
            shape=tuple(map(_widest, first.shape, other.shape)),
            brain_voxels=_widest(first.brain_voxels, other.brain_voxels),
            intensities={
                channel: {
                    name: _widest(values, other.intensities[channel][name])
                    for name, values in facts.items()
                    if name in other.intensities[channel]
                }
                for channel, facts in first.intensities.items()
            },
        )
    return first


def spacing_of(training: TrainingFacts) -> Message:
    """The voxel edges of a training in words: 1 mm, or 0.9 x 0.9 x 1 to 1 x 1 x 3 mm."""
    low, high = ([getattr(edge, end) for edge in training.spacing_mm] for end in ("low", "high"))
    text = spacing_text(high)
    return text if spacing_text(low) == text else f"{spacing_text(low).removesuffix(' mm')} to {text}"


def _spacing(facts: dict[str, Any], training: TrainingFacts) -> Iterator[Message]:
    spacing = network_spacing(facts)
    if not all(map(_within, spacing, training.spacing_mm, [SPACING_TOLERANCE] * 3)):
        yield (
            f"voxels are {spacing_text(spacing)}; the model was trained on voxels of {spacing_of(training)}: resample "
            "all images of the patient to those"
        )


def _brain_size(facts: dict[str, Any], training: TrainingFacts) -> Iterator[Message]:
    voxels, known = facts["brain_voxels"], training.brain_voxels
    if not known.low / SIZE_FACTOR <= voxels <= known.high * SIZE_FACTOR:
        yield (
            f"the brain has about {voxels} voxels; those of the training had {known.low:.0f} to {known.high:.0f}: "
            "check that the images show a whole brain and nothing else"
        )


def _intensities(facts: dict[str, Any], training: TrainingFacts, task: Task) -> Iterator[Message]:
    unlike: list[Message] = []
    for channel, title in task.channel_titles.items():
        known = training.intensities[channel].get("median_position")
        position = intensity_facts(facts, channel).get("median_position")
        if known is None:
            continue
        if position is None:
            unlike.append(f"{title} (it shows one value, or nothing, in the brain)")
        elif not known.low - POSITION_TOLERANCE <= position <= known.high + POSITION_TOLERANCE:
            unlike.append(
                f"{title} (the median lies at {position:.2f} between the percentiles 1 and 99, in "
                f"training at {known.low:.2f} to {known.high:.2f})"
            )
    if unlike:
        yield (
            f"grey values are spread otherwise than in the training in {', '.join(unlike)}: check that the skull is "
            "removed, the background is 0 and each file shows the sequence that its name says"
        )


def _within(value: float, known: Range, tolerance: float) -> bool:
    return known.low * (1 - tolerance) <= value <= known.high * (1 + tolerance)


def _widest(one: Range, other: Range) -> Range:
    return Range(min(one.low, other.low), (one.median + other.median) / 2, max(one.high, other.high))
