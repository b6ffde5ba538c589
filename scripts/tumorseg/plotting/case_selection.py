"""Select the cases of a figure by score, and read them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from tumorseg.cli.console import logger
from tumorseg.errors import UserError
from tumorseg.inference.prediction_files import read_recorded_prediction
from tumorseg.inference.records import RecordedMask, find_mask, recorded_masks
from tumorseg.io.tables import read_table
from tumorseg.metrics.registry import RANKED_BY, metric
from tumorseg.metrics.structure_scores import TEXT_COLUMNS
from tumorseg.plotting.case_view import CaseView, make_case_view
from tumorseg.plotting.figure_record import Files, Settings
from tumorseg.preprocessing.crop import crop
from tumorseg.preprocessing.store import find_case, read_case
from tumorseg.task import Task

_MAX_LISTED: Final = 20


@dataclass(frozen=True)
class SelectedCase:
    """A case selected for a figure.

    Attributes:
        case: the case id.
        rank: its rank; 1 is the best.
        ranked_count: the number of ranked cases.
        mean: the mean over the labels of the metric `RANKED_BY`.
        scores: its scores, by structure, then by column of results/evaluation/cases.csv.
    """

    case: str
    rank: int
    ranked_count: int
    mean: float
    scores: dict[str, dict[str, float]]

    @property
    def title(self) -> str:
        """The case id, its rank, and the score that it is ranked by."""
        one_label = sum(name.startswith("label_") for name in self.scores) == 1
        ranked_by = metric(RANKED_BY)
        score_name = ranked_by.title if one_label else f"mean {ranked_by.title} of the labels"
        return f"{self.case}: {self._rank_text}, {score_name} {ranked_by.text(self.mean)}"

    @property
    def _rank_text(self) -> str:
        if self.ranked_count == 1:
            return "the only case"
        name_by_rank = {
            (self.ranked_count + 1) // 2: "median",
            1: "best",
            self.ranked_count: "worst",
        }  # of two cases, the better one is the best, not the median
        name = name_by_rank.get(self.rank)
        return f"{name} of {self.ranked_count} cases" if name else f"rank {self.rank} of {self.ranked_count} cases"


def select_cases(scores: pd.DataFrame, requested: int | Sequence[str], task: Task) -> list[SelectedCase]:
    """Select cases by name, or at evenly spaced ranks from best to worst.

    Cases are ranked by the mean of the metric `RANKED_BY` over the labels, ties by case id. A single requested case is
    the median one; of an even number of cases, the better of the two in the middle.

    Args:
        scores: the rows of results/evaluation/cases.csv.
        requested: the number of cases at most, or case ids.
        task: defines the channels, labels and regions.

    Returns:
        The selected cases: ids in the order given, ranks from best to worst.

    Raises:
        UserError: there are no scores, or none of a requested case.
    """
    if scores.empty:
        raise UserError("there are no scores, so no case can be shown: give a fold at least one validation case")
    values = scores.pivot(index="case", columns="region", values=RANKED_BY)
    mean = values[list(task.label_structures)].mean(axis="columns")
    ranked_by = metric(RANKED_BY)
    gain = ranked_by.gains(ranked_by.error(mean))
    ranked = sorted(mean.index, key=lambda case: (-gain[case], case))
    positions = (
        _evenly_spaced_positions(len(ranked), requested)
        if isinstance(requested, int)
        else _positions_of(ranked, requested)
    )
    return [
        SelectedCase(
            case=ranked[position],
            rank=position + 1,
            ranked_count=len(ranked),
            mean=float(mean[ranked[position]]),
            scores=_scores_of_case(scores, ranked[position], task),
        )
        for position in positions
    ]


def _scores_of_case(scores: pd.DataFrame, case: str, task: Task) -> dict[str, dict[str, float]]:
    rows = scores[scores["case"] == case].set_index("region")
    columns = [str(column) for column in rows if column not in TEXT_COLUMNS]
    return {
        structure: {column: float(rows.at[structure, column]) for column in columns} for structure in task.structures
    }


def _evenly_spaced_positions(cases: int, count: int) -> list[int]:
    """Return at most `count` positions of ranked cases, evenly spaced from the first to the last."""
    last, shown = cases - 1, min(count, cases)
    return [last * step // (shown - 1) for step in range(shown)] if shown > 1 else [last // 2]


def _positions_of(ranked: Sequence[str], names: Sequence[str]) -> list[int]:
    """Return the positions of named cases among the ranked ones."""
    if unknown := [name for name in names if name not in ranked]:
        scored = ", ".join(sorted(ranked)[:_MAX_LISTED]) + (", …" if len(ranked) > _MAX_LISTED else "")
        raise UserError(f"no scores for {', '.join(unknown)}, which are not held-out cases; choose from {scored}")
    return [ranked.index(name) for name in names]


def load_figure_cases(files: Files, task: Task, settings: Settings) -> list[CaseView]:
    """Select the cases of a figure, read them, and log their ids.

    Args:
        files: the files of the needs `scores`, `normalised` and `predictions`.
        task: defines the channels, labels and regions.
        settings: settings with the key `cases`: a number of cases, or case ids.

    Returns:
        The cases in the order of `select_cases`.

    Raises:
        UserError: see `load_cases`.
    """
    cases = load_cases(files["scores"][0], settings["cases"], files["normalised"], files["predictions"], task=task)
    logger.info("%s cases shown: %s", len(cases), ", ".join(case.case for case in cases))
    return cases


def load_cases(
    scores: Path, requested: int | Sequence[str], normalised: Sequence[Path], predictions: Sequence[Path], *, task: Task
) -> list[CaseView]:
    """Select cases by score, and read them.

    Args:
        scores: results/evaluation/cases.csv.
        requested: number of cases, or case ids, see `select_cases`.
        normalised: folders of normalised cases.
        predictions: folders of predicted masks, one per fold.
        task: defines the channels, labels and regions.

    Returns:
        The cases in the order of `select_cases`.

    Raises:
        UserError: a requested case has no scores, or a file of a case is missing or invalid (see `load_case`).
    """
    selected = select_cases(read_table(scores, text_columns=TEXT_COLUMNS), requested, task)
    masks = recorded_masks(predictions)
    return [load_case(case, normalised, find_mask(masks, case.case), task=task) for case in selected]


def load_case(selected: SelectedCase, normalised: Sequence[Path], mask: RecordedMask, *, task: Task) -> CaseView:
    """Read a normalised case on its cropped grid, and its prediction.

    Args:
        selected: the case to read.
        normalised: the folders of normalised cases, one of which contains it.
        mask: its predicted mask.
        task: defines the channels, labels and regions.

    Returns:
        The case with its volumes in display orientation.

    Raises:
        UserError: the case is missing, or the case or its prediction is corrupted, was replaced, or has another grid.
    """
    case = read_case(find_case(normalised, selected.case), with_cropped=True).on_cropped_grid()
    origin = case.origin
    prediction = crop(read_recorded_prediction(mask, origin.shape, origin.affine), origin)
    return make_case_view(
        origin,
        case.image,
        task=task,
        title=selected.title,
        scores=selected.scores,
        reference=case.mask,
        prediction=prediction,
    )
