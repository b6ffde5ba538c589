"""Select the cases of a figure by score, and read them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from tumorseg.cli.console import logger
from tumorseg.errors import UserError
from tumorseg.inference.prediction_files import read_prediction
from tumorseg.inference.records import RecordedMask, find_mask, recorded_masks
from tumorseg.io.tables import read_table
from tumorseg.metrics.registry import RANKED_BY, metric
from tumorseg.metrics.scores import TEXT_COLUMNS
from tumorseg.plotting.case_view import CaseView, make_case_view
from tumorseg.plotting.record import Files, Settings
from tumorseg.preprocessing.crop import crop
from tumorseg.preprocessing.store import find_case, read_case
from tumorseg.task import Task

_MAX_LISTED: Final = 20


@dataclass(frozen=True)
class SelectedCase:
    """A case to show.

    rank: 1 is the best of `of`. mean: of `RANKED_BY` over the labels. scores: its rows, by structure, then by column.
    """

    case: str
    rank: int
    ranked_count: int
    mean: float
    scores: dict[str, dict[str, float]]

    @property
    def title(self) -> str:
        """One line that says which case this is and why it is shown."""
        one_label = sum(name.startswith("label_") for name in self.scores) == 1
        ranked_by = metric(RANKED_BY)
        words = ranked_by.title if one_label else f"mean {ranked_by.title} of the labels"
        return f"{self.case}: {self._rank_text}, {words} {ranked_by.text(self.mean)}"

    @property
    def _rank_text(self) -> str:
        if self.ranked_count == 1:
            return "the only case"
        words = {
            (self.ranked_count + 1) // 2: "median",
            1: "best",
            self.ranked_count: "worst",
        }  # of two, the median is the best
        word = words.get(self.rank)
        return f"{word} of {self.ranked_count} cases" if word else f"rank {self.rank} of {self.ranked_count} cases"


def select_cases(scores: pd.DataFrame, requested: int | Sequence[str], task: Task) -> list[SelectedCase]:
    """The cases named by `wanted`, or so many at evenly spaced ranks, best first, by `RANKED_BY` over the labels.

    scores: the rows of results/evaluation/cases.csv. Ties go by case id. One case alone is the median one (of an even
    number, the better of the two in the middle). Raises UserError where there are no scores, or none of a named case.
    """
    if scores.empty:
        raise UserError("no case is scored, so there is none to show: give a fold at least one case to validate on")
    values = scores.pivot(index="case", columns="region", values=RANKED_BY)
    mean = values[list(task.label_structures)].mean(axis="columns")
    ranked_by = metric(RANKED_BY)
    gain = ranked_by.gains(ranked_by.error(mean))
    ranked = sorted(mean.index, key=lambda case: (-gain[case], case))
    places = (
        _evenly_spaced_ranks(len(ranked), requested) if isinstance(requested, int) else _ranks_of(ranked, requested)
    )
    return [
        SelectedCase(
            case=ranked[place],
            rank=place + 1,
            ranked_count=len(ranked),
            mean=float(mean[ranked[place]]),
            scores=_scores_of_case(scores, ranked[place], task),
        )
        for place in places
    ]


def _scores_of_case(scores: pd.DataFrame, case: str, task: Task) -> dict[str, dict[str, float]]:
    rows = scores[scores["case"] == case].set_index("region").drop(columns="case")
    return {
        structure: {str(column): float(rows.at[structure, column]) for column in rows} for structure in task.structures
    }


def _evenly_spaced_ranks(cases: int, count: int) -> list[int]:
    """The places of at most `count` of so many ranked cases, evenly spaced from the first to the last."""
    last, shown = cases - 1, min(count, cases)
    return [last * step // (shown - 1) for step in range(shown)] if shown > 1 else [last // 2]


def _ranks_of(ranked: Sequence[str], names: Sequence[str]) -> list[int]:
    """The places of the named ones among the ranked cases."""
    if unknown := [name for name in names if name not in ranked]:
        scored = ", ".join(sorted(ranked)[:_MAX_LISTED]) + (", …" if len(ranked) > _MAX_LISTED else "")
        raise UserError(f"{', '.join(unknown)}: not scored, so it cannot be shown; name any of {scored}")
    return [ranked.index(name) for name in names]


def load_figure_cases(files: Files, task: Task, settings: Settings) -> list[CaseView]:
    """Choose the cases of a figure, as `choose_cases` does, read them as `read_shown` does, and log which they are.

    files: `scores`, `normalised` and `predictions`. settings: with the key `cases`.
    """
    cases = load_cases(files["scores"][0], settings["cases"], files["normalised"], files["predictions"], task=task)
    logger.info("%s cases shown: %s", len(cases), ", ".join(case.case for case in cases))
    return cases


def load_cases(
    scores: Path, requested: int | Sequence[str], normalised: Sequence[Path], predictions: Sequence[Path], *, task: Task
) -> list[CaseView]:
    """Choose cases from the file `scores`, as `choose_cases` does, and read them as `read_shown` does."""
    chosen = select_cases(read_table(scores, text_columns=TEXT_COLUMNS), requested, task)
    masks = recorded_masks(predictions)
    return [load_case(case, normalised, find_mask(masks, case.case), task=task) for case in chosen]


def load_case(selected: SelectedCase, normalised: Sequence[Path], mask: RecordedMask, *, task: Task) -> CaseView:
    """Read a case from the folders of the batches, and its prediction.

    Raises UserError where the case is missing, and where it or its prediction is damaged, replaced or of another grid.
    """
    case = read_case(find_case(normalised, selected.case))
    origin = case.origin
    prediction = crop(read_prediction(mask, origin.shape, origin.affine), origin)
    return make_case_view(
        origin,
        case.image,
        task=task,
        title=selected.title,
        scores=selected.scores,
        reference=case.mask,
        prediction=prediction,
    )
