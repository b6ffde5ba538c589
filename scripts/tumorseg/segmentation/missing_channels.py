"""Decide whether a new patient who lacks images can be segmented, and say what to expect of the mask."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import floor
from typing import Any, Final

from tumorseg.cohort.layouts.listing import abbreviate
from tumorseg.cohort.validation_result import Issue, ValidationResult
from tumorseg.errors import Message
from tumorseg.formatting import format_count, format_list
from tumorseg.networks.subset_scores import SubsetScore, format_dice, score_of
from tumorseg.networks.training_facts import MIN_EXPECTED_PATCHES
from tumorseg.segmentation.used_model import UsedModel
from tumorseg.task import Task

_OPTIONAL_MISSING: Final = "optional_channel_missing"
_MAX_SETS: Final = 4
"""Largest number of sets of channels that a message lists."""


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
    models: Sequence[UsedModel],
    prediction: Mapping[str, Any],
    task: Task,
) -> ChannelCheck:
    """Compare the channels of a patient with those that models were trained with.

    A patient is refused too if the folder has a file that is not understood, because it may be the missing image.

    Args:
        validation: result of a validation in which all channels are optional.
        channels: channels of which the patient has files, in the network's order.
        models: the models that would segment the patient.
        prediction: `prediction` section of the configuration.
        task: task of the patient.

    Returns:
        The validation result with the problem or the warning, and the Dice to expect.
    """
    missing = tuple(warning for warning in validation.warnings if warning.code == _OPTIONAL_MISSING)
    if not missing and not validation.usable:
        return ChannelCheck(validation, {})  # its files may not even have been listed
    others = tuple(warning for warning in validation.warnings if warning.code != _OPTIONAL_MISSING)
    absent = [name for name in task.channel_names if name not in channels]
    untrained = [model for model in models if not model.trained_on.includes(channels)]
    unclear = validation.facts["not_understood"]
    reason: Message = ""
    if channels and untrained:
        paths = {role: file["path"] for role, file in validation.facts["files"].items()}
        reason = _untrained_reason(untrained, channels, paths, task)
    elif channels and missing and unclear:
        reason = f"To segment the patient without {_titles(absent, task)}, remove {abbreviate(unclear)} from the folder"
    if reason or not channels:
        problems = (*validation.problems, *_problems(validation.case, missing, reason))
        return ChannelCheck(replace(validation, usable=False, problems=problems, warnings=others), {})
    if not missing or not validation.usable:
        return ChannelCheck(validation, {})
    score = score_of(channels, [model.scores for model in models])
    verb = "is" if len(absent) == 1 else "are"
    text: Message = f"{_titles(absent, task)} {verb} missing: the mask is made from {_titles(channels, task)} alone. "
    text += _dice_text(score, models, prediction, task) if score else _unknown_dice_text(channels, models)
    warning = Issue("fewer_channels", validation.case, text)
    return ChannelCheck(replace(validation, warnings=(warning, *others)), score.dice if score else {})


def _problems(case: str, missing: Sequence[Issue], reason: Message) -> list[Issue]:
    """Return a problem for each missing image; the last one has the reason why the models need them."""
    if not missing:
        return [Issue("untrained_channels", case, reason)]
    *texts, last = [warning.message for warning in missing]
    return [Issue("missing_modality", case, text) for text in (*texts, f"{last}. {reason}" if reason else last)]


def _untrained_reason(
    untrained: Sequence[UsedModel], channels: Sequence[str], paths: Mapping[str, str], task: Task
) -> Message:
    """Return why the first of several models cannot segment a patient with these channels, and what to do."""
    first, *more = untrained
    text = _untrained_text(first, channels, paths, task)
    if not more:
        return text
    models: Message = format_count(len(more), "other model")
    return f"{text}. {models} {'was' if len(more) == 1 else 'were'} not trained for these images either"


def _untrained_text(model: UsedModel, channels: Sequence[str], paths: Mapping[str, str], task: Task) -> Message:
    """Return why a model cannot segment a patient with these channels; `paths` has the file of each role."""
    training = model.trained_on
    name: Message = f"The model {model.file}"
    if not training.channel_sets:
        return (
            f"{name} is of an earlier version, which did not record whether it can do without: export it again with "
            "`snakemake verify` where it was trained"
        )
    sets = [_titles(known, task) for known in training.channel_sets]
    others: Message = f" or {len(sets) - _MAX_SETS} other sets" if len(sets) > _MAX_SETS else ""
    trained: Message = f"{'; '.join(sets[:_MAX_SETS])}{others}"
    if unseen := [name for name in channels if all(name not in known for known in training.channel_sets)]:
        files = format_list(list(dict.fromkeys(paths[name] for name in unseen if name in paths)))
        return (
            f"No training case of the model {model.file} had {_titles(unseen, task)} (they had {trained}): remove "
            f"{files or 'the file'}"
        )
    if expected := training.expected_patches(channels):
        return (
            f"{name} was trained with too few patches that show {_titles(channels, task)} alone: "
            f"{floor(10 * expected) / 10} are expected, {MIN_EXPECTED_PATCHES} are needed. Train it for longer, or "
            "with a larger `training.channel_dropout`"
        )
    return (
        f"{name} was trained with {trained} only, not with {_titles(channels, task)} alone. A model that is trained "
        "with `training.channel_dropout` can do without some of its images"
    )


def _dice_text(score: SubsetScore, models: Sequence[UsedModel], prediction: Mapping[str, Any], task: Task) -> Message:
    """Return the Dice to expect, what it is a mean of, and the Dice with all images if it is known."""
    several = len(models) > 1
    what: Message = "score" if several else "case"  # models may have held-out cases in common
    note: Message = f" of {len(models)} models, each on its held-out cases" if several else ""
    text: Message = f"Expected Dice, the mean of {format_count(score.cases, what)}{note} with these images: "
    text += format_dice(score, task)
    complete = score_of(task.channel_names, [model.scores for model in models])
    if complete is not None:
        others: Message = "" if complete.cases == score.cases else f", {format_count(complete.cases, what)}"
        text += f"; with all images{others}: {format_dice(complete, task)}"
    other = {key: None for model in models if model.scores for key in model.scores.other_settings(prediction)}
    if other:
        text += f". It was measured with other settings of `prediction` than this mask is made with: {', '.join(other)}"
    return text


def _unknown_dice_text(channels: Sequence[str], models: Sequence[UsedModel]) -> Message:
    """Return that the Dice to expect is not known, and how to measure it if that is possible."""
    unmeasured = [model for model in models if score_of(channels, [model.scores]) is None]
    setting: Message = "" if all(model.is_starter for model in unmeasured) else " (evaluation.leave_out_modalities)"
    if len(models) == 1:
        return f"What the model scores then is not known: it was not measured{setting}"
    files: Message = format_list([model.file for model in unmeasured])
    return f"What the models score then is not known for all models: it was not measured{setting} for {files}"


def _titles(channels: Sequence[str], task: Task) -> Message:
    return format_list([task.channel_titles[name] for name in channels])
