"""The models that segment together, and how a new patient differs from the cases that they were trained on."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from tumorseg.cohort.validation_result import Issue, ValidationResult
from tumorseg.errors import Message, UserError
from tumorseg.geometry import format_spacing
from tumorseg.networks.base import Network
from tumorseg.networks.model import DEMO_MODEL_WARNING, ModelCard, read_model
from tumorseg.networks.training_facts import Range, TrainingFacts, intensity_facts, network_spacing_mm
from tumorseg.task import Task
from tumorseg.task.compatibility import describe_other_task, require_task

RELATIVE_SPACING_TOLERANCE: Final = 0.1
"""Share by which a voxel's edge may lie outside those of the training: patients' brains differ by as much."""
MAX_BRAIN_SIZE_RATIO: Final = 4
"""How many times more or fewer voxels a brain may have than any of the training. It is 1.6 along each axis."""
MEDIAN_POSITION_TOLERANCE: Final = 0.3
"""How far the position of the median may lie outside that of the training; see `training_facts.intensity_facts`.

In 29 skull-stripped BraTS cases it is 0.58 to 0.83 in T1, 0.23 to 0.79 in T1CE, 0.20 to 0.59 in T2 and 0.33 to 0.70 in
FLAIR. Where the background counts as brain, it is below 0.05 in all.
"""
_IGNORED_WARNING: Final = "non_unit_spacing"
"""A fact about cohorts. What matters here is the spacing of the training."""


def patient_warnings(verdict: ValidationResult, training: TrainingFacts, task: Task) -> list[Issue]:
    """Return the warnings about a usable patient: those of its verdict, and in what it differs from the training.

    The comparison with voxels of 1 mm is left out.
    """
    facts = verdict.facts
    found = [
        *(Issue("demonstration_model", verdict.case, DEMO_MODEL_WARNING) for _ in range(training.demo)),
        *(Issue("spacing_unlike_training", verdict.case, text) for text in _spacing_warnings(facts, training)),
        *(Issue("brain_size_unlike_training", verdict.case, text) for text in _brain_size_warnings(facts, training)),
        *(
            Issue("intensities_unlike_training", verdict.case, text)
            for text in _intensity_warnings(facts, training, task)
        ),
    ]
    return [*found, *verdict_warnings(verdict)]


def verdict_warnings(verdict: ValidationResult) -> list[Issue]:
    """Return the warnings of a verdict that hold without a model."""
    return [warning for warning in verdict.warnings if warning.code != _IGNORED_WARNING]


def same_spacing(one: TrainingFacts, other: TrainingFacts) -> bool:
    """Whether the voxels that two models were trained on are, within the tolerance, equally large."""
    pairs = zip(one.spacing_mm, other.spacing_mm, strict=True)
    return all(
        _within(a.median, b, RELATIVE_SPACING_TOLERANCE) or _within(b.median, a, RELATIVE_SPACING_TOLERANCE)
        for a, b in pairs
    )


def merge_training_facts(trainings: Sequence[TrainingFacts]) -> TrainingFacts:
    """Return the facts of several trainings as one: the widest ranges; the demo's where one of them is."""
    first, *others = trainings
    for other in others:
        first = TrainingFacts(
            cases=max(first.cases, other.cases),
            demo=first.demo or other.demo,
            channels=first.channels,
            input_shape=first.input_shape,
            spacing_mm=tuple(map(_widest_range, first.spacing_mm, other.spacing_mm)),
            shape=tuple(map(_widest_range, first.shape, other.shape)),
            brain_voxels=_widest_range(first.brain_voxels, other.brain_voxels),
            intensities={
                channel: {
                    name: _widest_range(values, other.intensities[channel][name])
                    for name, values in facts.items()
                    if name in other.intensities[channel]
                }
                for channel, facts in first.intensities.items()
            },
        )
    return first


def spacing_range_text(training: TrainingFacts) -> Message:
    """The voxel edges of a training in words: 1 mm, or 0.9 x 0.9 x 1 to 1 x 1 x 3 mm."""
    low, high = ([getattr(edge, end) for edge in training.spacing_mm] for end in ("low", "high"))
    text = format_spacing(high)
    return text if format_spacing(low) == text else f"{format_spacing(low).removesuffix(' mm')} to {text}"


def _spacing_warnings(facts: dict[str, Any], training: TrainingFacts) -> Iterator[Message]:
    spacing = network_spacing_mm(facts)
    if not all(map(_within, spacing, training.spacing_mm, [RELATIVE_SPACING_TOLERANCE] * 3)):
        yield (
            f"voxels are {format_spacing(spacing)}; the model was trained on voxels of {spacing_range_text(training)}: resample "
            "all images of the patient to those"
        )


def _brain_size_warnings(facts: dict[str, Any], training: TrainingFacts) -> Iterator[Message]:
    voxels, known = facts["brain_voxels"], training.brain_voxels
    if not known.low / MAX_BRAIN_SIZE_RATIO <= voxels <= known.high * MAX_BRAIN_SIZE_RATIO:
        yield (
            f"the brain has about {voxels} voxels; those of the training had {known.low:.0f} to {known.high:.0f}: "
            "check that the images show a whole brain and nothing else"
        )


def _intensity_warnings(facts: dict[str, Any], training: TrainingFacts, task: Task) -> Iterator[Message]:
    unlike: list[Message] = []
    for channel, title in task.channel_titles.items():
        known = training.intensities[channel].get("median_position")
        position = intensity_facts(facts, channel).get("median_position")
        if known is None:
            continue
        if position is None:
            unlike.append(f"{title} (it shows one value, or nothing, in the brain)")
        elif not known.low - MEDIAN_POSITION_TOLERANCE <= position <= known.high + MEDIAN_POSITION_TOLERANCE:
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


def _widest_range(one: Range, other: Range) -> Range:
    return Range(min(one.low, other.low), (one.median + other.median) / 2, max(one.high, other.high))


def read_models(paths: Sequence[Path], task: Task) -> tuple[list[Network], list[ModelCard]]:
    """The networks and the cards of all files.

    Raises UserError where a file is no sound model or is of another task, and where two are not made for the same input
    and output.
    """
    networks, cards = zip(*(read_model(path) for path in paths), strict=True)
    for path, card in zip(paths, cards, strict=True):
        require_task(path, card.task, task)
        if card.task.facts() != cards[0].task.facts():
            difference = describe_other_task(card.task.name, card.task.facts(), cards[0].task)
            raise UserError(
                f"segment.models: {path} is of {difference}, of which {paths[0]} is; give models of one task"
            )
        if (card.normalisation, card.convention) != (cards[0].normalisation, cards[0].convention):
            raise UserError(
                f"segment.models: {path} and {paths[0]} were trained on cases that are normalised or labelled in other "
                "ways, so that there is no mean of both; give models of one training"
            )
        if not same_spacing(card.trained_on, cards[0].trained_on):
            raise UserError(
                f"segment.models: {path} was trained on voxels of {spacing_range_text(card.trained_on)}, {paths[0]} on voxels "
                f"of {spacing_range_text(cards[0].trained_on)}, so that no patient suits both; give models of one training"
            )
    return list(networks), list(cards)
