"""Decide whether a new patient who lacks images can be segmented, and say what to expect of the mask."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from tumorseg.cohort.validation_result import Issue, ValidationResult
from tumorseg.errors import Message
from tumorseg.formatting import format_count, format_list
from tumorseg.networks.subset_scores import SubsetScore, format_dice, score_of
from tumorseg.networks.training_facts import TrainingFacts
from tumorseg.task import Task

_OPTIONAL_MISSING: Final = "optional_channel_missing"
_MAX_SETS: Final = 4
"""Largest number of sets of channels that a message lists."""

ModelScores = Sequence[SubsetScore] | None
"""What a model scored with subsets of its channels; None if that is not known."""


@dataclass(frozen=True)
class ChannelCheck:
    """A patient whose channels were compared with those of the training.

    Attributes:
        validation: the validation result. It has a problem if a model was not trained for the channels, and otherwise
            the warning `fewer_channels` if some are missing.
        expected_dice: mean Dice of each structure with these channels; empty if no channel is missing, or if the Dice
            is not known.
    """

    validation: ValidationResult
    expected_dice: dict[str, float]


def check_channels(
    validation: ValidationResult,
    channels: Sequence[str],
    trainings: Sequence[TrainingFacts],
    scores: Sequence[ModelScores],
    task: Task,
) -> ChannelCheck:
    """Compare the channels of a patient with those that models were trained with.

    A patient is refused too if the folder has a file that is not understood, because it may be the missing image.

    Args:
        validation: result of a validation in which all channels are optional.
        channels: channels of which the patient has files, in the network's order.
        trainings: facts about the training of each model.
        scores: scores of each model.
        task: task of the patient.

    Returns:
        The validation result with the problem or the warning, and the Dice to expect.
    """
    missing = tuple(warning for warning in validation.warnings if warning.code == _OPTIONAL_MISSING)
    if not missing and not validation.usable:
        return ChannelCheck(validation, {})  # its files may not even have been listed
    others = tuple(warning for warning in validation.warnings if warning.code != _OPTIONAL_MISSING)
    absent = [name for name in task.channel_names if name not in channels]
    untrained = [training for training in trainings if not training.includes(channels)]
    reason: Message = ""
    if channels and untrained:
        reason = _untrained_reason(untrained[0], channels, task)
    elif channels and missing and validation.facts["not_understood"]:
        reason = f"To segment the patient without {_titles(absent, task)}, remove these files from the folder"
    if reason or not channels:
        problems = (*validation.problems, *_problems(validation.case, missing, reason))
        return ChannelCheck(replace(validation, usable=False, problems=problems, warnings=others), {})
    if not missing or not validation.usable:
        return ChannelCheck(validation, {})
    score, complete = (score_of(names, scores) for names in (channels, task.channel_names))
    warning = Issue("fewer_channels", validation.case, _warning_text(channels, absent, score, complete, task))
    return ChannelCheck(replace(validation, warnings=(warning, *others)), score.dice if score else {})


def _problems(case: str, missing: Sequence[Issue], reason: Message) -> list[Issue]:
    """Return a problem for each missing image; the last one has the reason why the models need them."""
    if not missing:
        return [Issue("untrained_channels", case, reason)]
    *texts, last = [warning.message for warning in missing]
    return [Issue("missing_modality", case, text) for text in (*texts, f"{last}. {reason}" if reason else last)]


def _untrained_reason(training: TrainingFacts, channels: Sequence[str], task: Task) -> Message:
    """Return why a model cannot segment a patient with these channels, and what to do."""
    if not training.channel_sets:
        return (
            "The model is of an earlier version, which did not record whether it can do without: export it again with "
            "`snakemake verify` where it was trained"
        )
    sets = [_titles(known, task) for known in training.channel_sets]
    more: Message = f" or {len(sets) - _MAX_SETS} other sets" if len(sets) > _MAX_SETS else ""
    trained: Message = f"{'; '.join(sets[:_MAX_SETS])}{more}"
    if unseen := [name for name in channels if all(name not in known for known in training.channel_sets)]:
        return f"No training case of the model had {_titles(unseen, task)} (they had {trained}): remove the file"
    return (
        f"The model was trained with {trained} only, not with {_titles(channels, task)} alone. A model that is trained "
        "with `training.channel_dropout` can do without some of its images"
    )


def _warning_text(
    channels: Sequence[str],
    absent: Sequence[str],
    score: SubsetScore | None,
    complete: SubsetScore | None,
    task: Task,
) -> Message:
    """Return what is missing, and the Dice to expect, if it is known."""
    verb = "is" if len(absent) == 1 else "are"
    text: Message = f"{_titles(absent, task)} {verb} missing: the mask is made from {_titles(channels, task)} alone"
    if score is None:
        return f"{text}. What the model scores then is not known: it was not measured (evaluation.leave_out_modalities)"
    text += f". Expected Dice, the mean of {format_count(score.cases, 'case')} with these images: "
    text += format_dice(score, task)
    if complete is None:
        return text
    others: Message = "" if complete.cases == score.cases else f", {format_count(complete.cases, 'case')}"
    return f"{text}; with all images{others}: {format_dice(complete, task)}"


def _titles(channels: Sequence[str], task: Task) -> Message:
    return format_list([task.channel_titles[name] for name in channels])
