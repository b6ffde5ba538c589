"""Which cases a figure shows, chosen by score and not by hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from tumorseg.console import logger
from tumorseg.errors import UserError
from tumorseg.figures.record import Files, Settings
from tumorseg.figures.shown import ShownCase, show
from tumorseg.inference.prediction import read_prediction
from tumorseg.inference.recorded import RecordedMask, find_mask, recorded_masks
from tumorseg.metrics.registry import RANKED_BY, metric
from tumorseg.metrics.scores import TEXT_COLUMNS
from tumorseg.normalise.crop import crop
from tumorseg.normalise.store import find_case, read_case
from tumorseg.tables import read_table
from tumorseg.task import Task

_LISTED: Final = 20


@dataclass(frozen=True)
class ChosenCase:
    """A case to show.

    rank: 1 is the best of `of`. mean: of `RANKED_BY` over the labels. scores: its rows, by structure, then by column.
    """

    case: str
    rank: int
    of: int
    mean: float
    scores: dict[str, dict[str, float]]

    @property
    def title(self) -> str:
        """One line that says which case this is and why it is shown."""
        one_label = sum(name.startswith("label_") for name in self.scores) == 1
        ranked_by = metric(RANKED_BY)
        words = ranked_by.title if one_label else f"mean {ranked_by.title} of the labels"
        return f"{self.case}: {self._place}, {words} {ranked_by.text(self.mean)}"

    @property
    def _place(self) -> str:
        if self.of == 1:
            return "the only case"
        words = {(self.of + 1) // 2: "median", 1: "best", self.of: "worst"}  # of two, the median is the best
        word = words.get(self.rank)
        return f"{word} of {self.of} cases" if word else f"rank {self.rank} of {self.of} cases"


def choose_cases(scores: pd.DataFrame, wanted: int | Sequence[str], task: Task) -> list[ChosenCase]:
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
    places = _spaced(len(ranked), wanted) if isinstance(wanted, int) else _named(ranked, wanted)
    return [
        ChosenCase(
            case=ranked[place],
            rank=place + 1,
            of=len(ranked),
            mean=float(mean[ranked[place]]),
            scores=_rows_of(scores, ranked[place], task),
        )
        for place in places
    ]


def _rows_of(scores: pd.DataFrame, case: str, task: Task) -> dict[str, dict[str, float]]:
    rows = scores[scores["case"] == case].set_index("region").drop(columns="case")
    return {
        structure: {str(column): float(rows.at[structure, column]) for column in rows} for structure in task.structures
    }


def _spaced(cases: int, count: int) -> list[int]:
    """The places of at most `count` of so many ranked cases, evenly spaced from the first to the last."""
    last, shown = cases - 1, min(count, cases)
    return [last * step // (shown - 1) for step in range(shown)] if shown > 1 else [last // 2]


def _named(ranked: Sequence[str], names: Sequence[str]) -> list[int]:
    """The places of the named ones among the ranked cases."""
    if unknown := [name for name in names if name not in ranked]:
        scored = ", ".join(sorted(ranked)[:_LISTED]) + (", …" if len(ranked) > _LISTED else "")
        raise UserError(f"{', '.join(unknown)}: not scored, so it cannot be shown; name any of {scored}")
    return [ranked.index(name) for name in names]


def shown_cases(files: Files, task: Task, settings: Settings) -> list[ShownCase]:
    """Choose the cases of a figure, as `choose_cases` does, read them as `read_shown` does, and log which they are.

    files: `scores`, `normalised` and `predictions`. settings: with the key `cases`.
    """
    cases = show_cases(files["scores"][0], settings["cases"], files["normalised"], files["predictions"], task=task)
    logger.info("%s cases shown: %s", len(cases), ", ".join(case.case for case in cases))
    return cases


def show_cases(
    scores: Path, wanted: int | Sequence[str], normalised: Sequence[Path], predictions: Sequence[Path], *, task: Task
) -> list[ShownCase]:
    """Choose cases from the file `scores`, as `choose_cases` does, and read them as `read_shown` does."""
    chosen = choose_cases(read_table(scores, text=TEXT_COLUMNS), wanted, task)
    masks = recorded_masks(predictions)
    return [read_shown(case, normalised, find_mask(masks, case.case), task=task) for case in chosen]


def read_shown(chosen: ChosenCase, normalised: Sequence[Path], mask: RecordedMask, *, task: Task) -> ShownCase:
    """Read a case from the folders of the batches, and its prediction.

    Raises UserError where the case is missing, and where it or its prediction is damaged, replaced or of another grid.
    """
    case = read_case(find_case(normalised, chosen.case))
    origin = case.origin
    prediction = crop(read_prediction(mask, origin.shape, origin.affine), origin)
    return show(
        origin,
        case.image,
        task=task,
        title=chosen.title,
        scores=chosen.scores,
        reference=case.mask,
        prediction=prediction,
    )
