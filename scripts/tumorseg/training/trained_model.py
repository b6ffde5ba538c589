"""The card of a model that is exported from a checkpoint."""

from collections.abc import Mapping, Sequence
from typing import Any

from tumorseg.cohort.validation_result import ValidationResult
from tumorseg.networks.model import ModelCard
from tumorseg.networks.training_facts import training_facts
from tumorseg.preprocessing.resampling import stored_settings, target_spacing_mm
from tumorseg.task import Task
from tumorseg.training.selection import TrainedNetwork


def trained_model_card(
    trained: TrainedNetwork,
    results: Sequence[ValidationResult],
    cases: Sequence[str],
    *,
    task: Task,
    settings: Mapping[str, Any],
    convention: str | None,
    fold: int,
    epoch: int,
    checkpoint: str,
) -> ModelCard:
    """Return the card of the model of a checkpoint.

    Args:
        trained: the network of the checkpoint.
        results: validation results of all cases of the cohort.
        cases: the training cases.
        task: meaning of the network's input and output.
        settings: `normalisation`, `demo` and `input_shape`, from the configuration.
        convention: label convention of the masks of the cohort, as `check_cohort` has found it.
        fold: fold of the training.
        epoch: epoch of the checkpoint.
        checkpoint: SHA-256 of the checkpoint.

    Raises:
        UserError: a training case has no validation result.
    """
    normalisation = stored_settings(settings["normalisation"])
    return ModelCard(
        trained.architecture,
        task,
        normalisation,
        convention=convention,
        fold=fold,
        epoch=epoch,
        checkpoint=checkpoint,
        trained_on=training_facts(
            results,
            cases,
            task=task,
            demo=settings["demo"],
            input_shape=settings["input_shape"],
            earlier_signatures=trained.earlier_signatures,
            target_mm=target_spacing_mm(normalisation),
            channel_dropout=trained.channel_dropout,
            patches=trained.patches,
            synthetic_fraction=trained.synthetic_fraction,
        ),
        split=trained.split,
        start_from=trained.start_from,
    )
