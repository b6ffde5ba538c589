"""The training of each fold as figures and report tell it: its epochs, the one that was chosen, those refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from tumorseg.errors import UserError
from tumorseg.files import read_json
from tumorseg.places import places
from tumorseg.tables import read_table


@dataclass(frozen=True)
class Refused:
    """A checkpoint that was not sound. codes, messages: one of each for every problem found. places: what to delete."""

    epoch: int
    file: str
    codes: tuple[str, ...]
    messages: tuple[str, ...]
    places: tuple[Path, ...]


@dataclass(frozen=True)
class Fold:
    """One fold. history: a row per epoch. chosen: the epoch of the model. choose: the rule, `last` or `best`.

    execution: on what it was trained, such as "cuda fp16". digest: SHA-256 of the file `model`.
    """

    fold: int
    history: pd.DataFrame
    chosen: int
    choose: str
    refused: tuple[Refused, ...]
    execution: str
    model: str
    digest: str

    @classmethod
    def from_dict(cls, history: pd.DataFrame, selection: dict[str, Any]) -> "Fold":
        """From a fold's history.csv and selection.json."""
        refused = tuple(
            Refused(
                epoch=entry["epoch"],
                file=entry["file"],
                codes=tuple(problem["code"] for problem in entry["problems"]),
                messages=tuple(problem["message"] for problem in entry["problems"]),
                places=tuple(places(Path(entry["file"]))),
            )
            for entry in selection["refused"]
        )
        return cls(
            selection["fold"],
            history,
            selection["epoch"],
            selection["choose"],
            refused,
            selection["execution"],
            selection["model"],
            selection["digest"],
        )


def read_folds(histories: Sequence[Path], selections: Sequence[Path]) -> list[Fold]:
    """Read the folds, in order; `histories` and `selections` name the same folds in the same order.

    Raises UserError where there are more of one than of the other.
    """
    if len(histories) != len(selections):
        raise UserError(
            f"{len(histories)} histories but {len(selections)} selections are given: name both of every fold"
        )
    folds = [
        Fold.from_dict(read_table(history, text=()), read_json(selection))
        for history, selection in zip(histories, selections, strict=True)
    ]
    return sorted(folds, key=lambda fold: fold.fold)
