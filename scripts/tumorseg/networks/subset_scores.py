"""What a model scored with each subset of its channels: the file beside the model, and the expected Dice of a patient.

The file contains the SHA-256 of its model. A starter model has the same scores in its card instead, because it is
copied without other files.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

from tumorseg.errors import Message, UserError
from tumorseg.io.files import read_json, write_json
from tumorseg.networks.value_checks import ExpectedValue, ListOf, ValueCheck, integer, is_finite_number, value_problems
from tumorseg.task import Task

MAX_SUBSET_CHANNELS: Final = 6
"""Largest number of channels of a task whose subsets can be scored: 6 channels have 63 subsets."""
_FORMAT: Final = 2
_MAX_CASES: Final = 10**7
_WITHOUT_EFFECT_ON_MASKS: Final = ("probabilities",)
"""Settings of `prediction` that do not change a mask."""


@dataclass(frozen=True)
class SubsetScore:
    """The scores of a model that sees only some of its channels.

    Attributes:
        channels: names of the channels that the model saw, in its order.
        cases: number of cases; of several models, the sum over the models.
        dice: mean Dice of each structure over these cases.
    """

    channels: tuple[str, ...]
    cases: int
    dice: dict[str, float]

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return the scores from validated plain JSON types."""
        return cls(tuple(content["channels"]), content["cases"], dict(content["dice"]))


@dataclass(frozen=True)
class SubsetScores:
    """What a model scored with subsets of its channels.

    Attributes:
        subsets: the scores with each subset.
        prediction: `prediction` section of the configuration that made the masks.
    """

    subsets: tuple[SubsetScore, ...]
    prediction: dict[str, Any]

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return the scores from validated plain JSON types."""
        return cls(tuple(map(SubsetScore.from_json, content["subsets"])), dict(content["prediction"]))

    def other_settings(self, prediction: Mapping[str, Any]) -> list[str]:
        """Return the keys of a section `prediction` that change masks and have other values than in the measurement."""
        return settings_that_differ(self.prediction, prediction)


def settings_that_differ(measured: Mapping[str, Any], prediction: Mapping[str, Any]) -> list[str]:
    """Return the keys of a section `prediction` that change masks and have other values than in a measurement.

    Args:
        measured: the section during the measurement.
        prediction: the section to compare.
    """
    return [
        key
        for key, value in prediction.items()
        if key not in _WITHOUT_EFFECT_ON_MASKS and (key not in measured or measured[key] != value)
    ]


def subset_scores_path(model: Path) -> Path:
    """Return the file beside a model that has its scores."""
    return model.with_suffix(".subsets.json")


def write_subset_scores(path: Path, digest: str, scores: SubsetScores) -> None:
    """Write the scores of a model.

    Args:
        path: see `subset_scores_path`.
        digest: SHA-256 of the model.
        scores: scores with each subset.
    """
    write_json(path, {"format": _FORMAT, "model": digest, "scores": asdict(scores)})


def read_subset_scores(path: Path, digest: str, task: Task) -> SubsetScores | None:
    """Return the scores that `write_subset_scores` wrote.

    Args:
        path: see `subset_scores_path`.
        digest: SHA-256 of the model.
        task: the model's task.

    Returns:
        The scores; None if the file has those of another model.

    Raises:
        UserError: the file is missing or corrupted.
    """
    content = read_json(path)
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise UserError(f"{path}: these are not the scores of a model by channels; delete the file")
    if content.get("model") != digest:
        return None
    if wrong := list(value_problems(content.get("scores"), expected_subset_scores(task), "scores")):
        raise UserError(f"{path}: the scores are corrupted ({wrong[0]}); delete the file")
    return SubsetScores.from_json(content["scores"])


def channels_check(task: Task) -> ValueCheck:
    """Allow a list of at least one channel of a task, in the network's order."""
    return ValueCheck(
        f"some of the channels {', '.join(task.channel_names)}, in this order",
        lambda value: isinstance(value, list) and bool(value) and list(task.channels_among(value)) == value,
    )


def expected_subset_scores(task: Task) -> ExpectedValue:
    """Return which `SubsetScores` are allowed, as plain JSON types."""
    dice = ValueCheck("a number from 0 to 1", lambda value: is_finite_number(value) and 0 <= value <= 1)
    score = {
        "channels": channels_check(task),
        "cases": integer(1, _MAX_CASES),
        "dice": dict.fromkeys(task.structures, dice),
    }
    return {
        "subsets": ListOf(score, 2**MAX_SUBSET_CHANNELS - 1),
        "prediction": ValueCheck("a section of settings", lambda value: isinstance(value, dict)),
    }


def score_of(channels: Sequence[str], models: Sequence[SubsetScores | None]) -> SubsetScore | None:
    """Return what models score with these channels, each on its own held-out cases.

    Args:
        channels: names of the channels, in the models' order.
        models: scores of each model; None if they are not known.

    Returns:
        The mean over the cases of all models; None if the scores of a model are not known.
    """
    found = [score for scores in models if scores for score in scores.subsets if score.channels == tuple(channels)]
    if not found or len(found) < len(models):
        return None
    cases = sum(score.cases for score in found)
    dice = {name: sum(score.cases * score.dice[name] for score in found) / cases for name in found[0].dice}
    return SubsetScore(tuple(channels), cases, dice)


def format_dice(score: SubsetScore, task: Task) -> Message:
    """Return the Dice of the regions, such as `WT 0.861, TC 0.812, ET 0.790`."""
    return ", ".join(f"{name} {score.dice[name]:.3f}" for name in task.region_labels)
