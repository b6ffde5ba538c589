"""Models whose predictions are averaged: read them and the files beside them, and merge the facts of their training."""

from collections.abc import Sequence
from pathlib import Path

from tumorseg.cli.console import logger
from tumorseg.errors import UserError
from tumorseg.io.digests import sha256
from tumorseg.networks.base import Network
from tumorseg.networks.held_out_quality import HeldOutCases, read_held_out_cases, reliability_path
from tumorseg.networks.model import ModelCard, read_model
from tumorseg.networks.subset_scores import SubsetScores, read_subset_scores, subset_scores_path
from tumorseg.networks.training_facts import Range, TrainingFacts
from tumorseg.preprocessing.resampling import target_spacing_mm
from tumorseg.segmentation.patient_warnings import same_spacing, spacing_range_text
from tumorseg.task import Task
from tumorseg.task.compatibility import describe_other_task, require_task


def merge_training_facts(trainings: Sequence[TrainingFacts]) -> TrainingFacts:
    """Return the facts of several trainings as one.

    It has the widest ranges, the mean of the medians, and whether any model is of the demo.
    """
    merged, *others = trainings
    for other in others:
        merged = TrainingFacts(
            cases=max(merged.cases, other.cases),
            demo=merged.demo or other.demo,
            channels=merged.channels,
            input_shape=merged.input_shape,
            spacing_mm=tuple(map(_widest_range, merged.spacing_mm, other.spacing_mm)),
            shape=tuple(map(_widest_range, merged.shape, other.shape)),
            brain_voxels=_widest_range(merged.brain_voxels, other.brain_voxels),
            intensities={
                channel: {
                    name: _widest_range(values, other.intensities[channel][name])
                    for name, values in facts.items()
                    if name in other.intensities[channel]
                }
                for channel, facts in merged.intensities.items()
            },
        )
    return merged


def _widest_range(one: Range, other: Range) -> Range:
    return Range(min(one.low, other.low), (one.median + other.median) / 2, max(one.high, other.high))


def read_models(paths: Sequence[Path], task: Task) -> tuple[list[Network], list[ModelCard]]:
    """Read models whose predictions will be averaged.

    Args:
        paths: exported models.
        task: task that the models must have.

    Returns:
        The networks and the cards of the models.

    Raises:
        UserError: a file is not a valid model or is of another task, or two models differ in task, normalisation,
            label convention or voxel size.
    """
    networks, cards = zip(*(read_model(path) for path in paths), strict=True)
    for path, card in zip(paths, cards, strict=True):
        require_task(path, card.task, task)
        # Which channels are optional does not matter: each model records the channels that it was trained with.
        facts, first_facts = (task.with_optional_channels().facts() for task in (card.task, cards[0].task))
        if facts != first_facts:
            difference = describe_other_task(card.task.name, facts, cards[0].task.with_optional_channels())
            raise UserError(f"segment.models: {path} is of {difference}, unlike {paths[0]}; use models of one task")
        if (card.normalisation, card.convention) != (cards[0].normalisation, cards[0].convention):
            raise UserError(
                f"segment.models: {path} and {paths[0]} were trained on cases with different normalisation or label "
                "conventions, so their predictions cannot be averaged; use models of one training"
            )
        resampled = target_spacing_mm(card.normalisation) is not None  # then all patients fit
        if not resampled and not same_spacing(card.trained_on, cards[0].trained_on):
            spacings = [spacing_range_text(each.trained_on) for each in (card, cards[0])]
            raise UserError(
                f"segment.models: {path} was trained on voxels of {spacings[0]}, {paths[0]} on voxels of "
                f"{spacings[1]}, so no patient fits both; use models of one training"
            )
    return list(networks), list(cards)


def known_subset_scores(model: Path, card: ModelCard) -> SubsetScores | None:
    """Return what a model scored with subsets of its channels, from its card or from the file beside it.

    Logs a warning about a file that has the scores of another model.

    Args:
        model: file of the model.
        card: its card.

    Returns:
        The scores; None if they are not known.

    Raises:
        UserError: the file beside the model is corrupted.
    """
    path = subset_scores_path(model)
    if card.subset_scores is not None or not path.exists():
        return card.subset_scores
    scores = read_subset_scores(path, sha256(model), card.task)
    if scores is None:
        logger.warning("%s has the scores of another model than %s and is not used; delete it", path, model)
    return scores


def known_held_out_cases(model: Path, card: ModelCard) -> HeldOutCases | None:
    """Return the held-out cases of a model, from the file beside it.

    Logs a warning about a file of another model.

    Args:
        model: file of the model.
        card: its card.

    Returns:
        The cases; None if they are not known.

    Raises:
        UserError: the file is corrupted.
    """
    path = reliability_path(model)
    if not path.exists():
        return None
    held_out = read_held_out_cases(path, sha256(model), card.task)
    if held_out is None:
        logger.warning("%s has the held-out cases of another model than %s and is not used; delete it", path, model)
    return held_out
