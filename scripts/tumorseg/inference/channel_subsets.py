"""Dice of a model that sees only some of the channels of a case."""

from collections.abc import Iterable, Iterator, Sequence

import pandas as pd

from tumorseg.inference.segmenter import Segmenter
from tumorseg.metrics.overlap import overlaps
from tumorseg.networks.subset_scores import SubsetScore
from tumorseg.networks.training_facts import TrainingFacts
from tumorseg.preprocessing.store import NormalisedCase
from tumorseg.task import Task


def case_subset_dice(case: NormalisedCase, segmenter: Segmenter) -> Iterator[tuple[tuple[str, ...], dict[str, float]]]:
    """Segment a case with each subset of its channels, and compare the masks with the reference.

    A channel that is left out becomes 0, as if it had not been scanned: 0 is the value of background and the mean of
    the brain. The crop and the grid of the case stay those of all its channels.

    Args:
        case: a case with its volumes on the cropped grid.
        segmenter: segmenter with the model.

    Yields:
        The names of the channels, and the Dice of each structure within the box around the brain. The first subset has
        all channels of the case; subsets with a channel that the case lacks are left out.
    """
    task, reference = segmenter.task, case.on_cropped_grid().mask
    for subset in task.channel_subsets:
        if not set(subset) <= case.origin.intensities.keys():
            continue
        image = case.image.copy()
        image[[name not in subset for name in task.channel_names]] = 0
        mask, _ = segmenter.mask_of(segmenter.predict(image, case.origin), case.origin)
        yield subset, {name: overlap.dice for name, overlap in overlaps(reference, mask, task).items()}


def mean_subset_dice(rows: pd.DataFrame, task: Task) -> list[SubsetScore]:
    """Return the mean Dice of each subset over the cases that have its channels.

    Args:
        rows: a row for each case, subset and structure, with the columns `case`, `channels` (names, separated by
            commas), `region` and `dice`.
        task: defines the channels and structures.

    Returns:
        The subsets that occur, the largest first.
    """
    found = dict(tuple(rows.groupby("channels")))
    return [
        _mean_score(subset, found[text], task) for subset in task.channel_subsets if (text := ",".join(subset)) in found
    ]


def subset_table(scores: Iterable[SubsetScore], trainings: Sequence[TrainingFacts]) -> pd.DataFrame:
    """Return the table of the mean Dice with each subset.

    Args:
        scores: the scores, one for each row.
        trainings: what is known about the training of each model.

    Returns:
        The columns `channels`, `trained` (`true` if all models were trained with the subset, else `false`), `cases` and
        `dice_…` of each structure.
    """
    return pd.DataFrame(
        {
            "channels": ",".join(score.channels),
            "trained": "true" if all(training.includes(score.channels) for training in trainings) else "false",
            "cases": score.cases,
            **{f"dice_{name}": value for name, value in score.dice.items()},
        }
        for score in scores
    )


def _mean_score(subset: tuple[str, ...], rows: pd.DataFrame, task: Task) -> SubsetScore:
    means = rows.groupby("region")["dice"].mean()
    return SubsetScore(subset, rows["case"].nunique(), {name: float(means[name]) for name in task.structures})
