"""The training results of each fold: its history, the selected epoch, and the refused checkpoints."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from tumorseg.errors import UserError
from tumorseg.io.files import cache_locations, read_json
from tumorseg.io.tables import read_table


@dataclass(frozen=True)
class RefusedCheckpoint:
    """A checkpoint that was not sound. codes, messages: one of each for every problem found. places: what to delete."""

    epoch: int
    file: str
    codes: tuple[str, ...]
    messages: tuple[str, ...]
    cache_locations: tuple[Path, ...]


@dataclass(frozen=True)
class FoldResult:
    """One fold. history: a row per epoch. chosen: the epoch of the model. choose: the rule, `last` or `best`.

    execution: on what it was trained, such as "cuda fp16". digest: SHA-256 of the file `model`.
    """

    fold: int
    history: pd.DataFrame
    chosen: int
    choose: str
    refused: tuple[RefusedCheckpoint, ...]
    execution: str
    model: str
    digest: str

    @classmethod
    def from_dict(cls, history: pd.DataFrame, selection: dict[str, Any]) -> "FoldResult":
        """From a fold's history.csv and selection.json."""
        refused = tuple(
            RefusedCheckpoint(
                epoch=entry["epoch"],
                file=entry["file"],
                codes=tuple(problem["code"] for problem in entry["problems"]),
                messages=tuple(problem["message"] for problem in entry["problems"]),
                cache_locations=tuple(cache_locations(Path(entry["file"]))),
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


def read_fold_results(histories: Sequence[Path], selections: Sequence[Path]) -> list[FoldResult]:
    """Read the folds, in order; `histories` and `selections` name the same folds in the same order.

    Raises UserError where there are more of one than of the other.
    """
    if len(histories) != len(selections):
        raise UserError(
            f"{len(histories)} histories but {len(selections)} selections are given: name both of every fold"
        )
    folds = [
        FoldResult.from_dict(read_table(history, text_columns=()), read_json(selection))
        for history, selection in zip(histories, selections, strict=True)
    ]
    return sorted(folds, key=lambda fold: fold.fold)
