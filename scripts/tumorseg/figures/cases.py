"""Which cases a figure shows, chosen by score and not by hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from tumorseg.errors import UserError
from tumorseg.figures.shown import ShownCase, show
from tumorseg.inference.prediction import read_prediction
from tumorseg.labels import LABEL_STRUCTURES, STRUCTURES
from tumorseg.normalise.crop import crop
from tumorseg.normalise.store import find_case, read_case


@dataclass(frozen=True)
class ChosenCase:
    """A case to show. rank: 1 is the best of `of`. dice: by structure. mean_dice: over the three labels."""

    case: str
    rank: int
    of: int
    mean_dice: float
    dice: dict[str, float]

    @property
    def title(self) -> str:
        """One line that says which case this is and why it is shown."""
        return f"{self.case}: {self._place}, mean Dice of the labels {self.mean_dice:.3f}"

    @property
    def _place(self) -> str:
        if self.of == 1:
            return "the only case"
        words = {(self.of + 1) // 2: "median", 1: "best", self.of: "worst"}  # of two, the median is the best
        word = words.get(self.rank)
        return f"{word} of {self.of} cases" if word else f"rank {self.rank} of {self.of} cases"


def choose_cases(scores: pd.DataFrame, count: int) -> list[ChosenCase]:
    """At most `count` cases at evenly spaced ranks of the mean Dice over the labels, best first; ties by case id.

    scores: the rows of results/evaluation/cases.csv. One case alone is the median one (of an even number, the better
    of the two in the middle). Raises UserError where there are no scores.
    """
    if scores.empty:
        raise UserError("no case is scored, so there is none to show: give a fold at least one case to validate on")
    dice = scores.pivot(index="case", columns="region", values="dice")
    mean = dice[list(LABEL_STRUCTURES)].mean(axis="columns")
    ranked = sorted(mean.index, key=lambda case: (-mean[case], case))
    last = len(ranked) - 1
    shown = min(count, len(ranked))
    places = [last * step // (shown - 1) for step in range(shown)] if shown > 1 else [last // 2]
    return [
        ChosenCase(
            case=ranked[place],
            rank=place + 1,
            of=len(ranked),
            mean_dice=float(mean[ranked[place]]),
            dice={structure: float(dice.loc[ranked[place], structure]) for structure in STRUCTURES},
        )
        for place in places
    ]


def show_cases(
    scores: Path, count: int, normalised: Sequence[Path], predictions: Sequence[Path] | None
) -> list[ShownCase]:
    """Choose `count` cases from the file `scores` and read them from the folders of the batches and of the folds.

    Raises UserError where a case or a prediction is missing, damaged or of another grid.
    """
    shown = []
    for chosen in choose_cases(pd.read_csv(scores, dtype={"case": str}), count):
        case = read_case(find_case(normalised, chosen.case))
        prediction = None
        if predictions is not None:
            origin = case.origin
            prediction = crop(read_prediction(predictions, origin.case, origin.shape, origin.affine), origin)
        shown.append(
            show(
                case.origin,
                case.image,
                title=chosen.title,
                dice=chosen.dice,
                reference=case.mask,
                prediction=prediction,
            )
        )
    return shown
