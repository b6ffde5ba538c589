"""The training results of each fold: history, selected epoch and refused checkpoints."""

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
    """An invalid checkpoint.

    Attributes:
        epoch: epoch of the checkpoint.
        file: path of the checkpoint.
        codes: code of each problem found.
        messages: message of each problem found.
        cache_locations: files of Snakemake's shared cache to delete along with the checkpoint.
    """

    epoch: int
    file: str
    codes: tuple[str, ...]
    messages: tuple[str, ...]
    cache_locations: tuple[Path, ...]


@dataclass(frozen=True)
class FoldResult:
    """The training result of one fold.

    Attributes:
        fold: number of the fold.
        history: one row per epoch.
        chosen: the selected epoch.
        selected_by: how it was selected, `last` or `best`.
        refused: the invalid checkpoints.
        execution: device and precision of the training, such as "cuda fp16".
        model: path of the exported model.
        digest: SHA-256 of the exported model.
    """

    fold: int
    history: pd.DataFrame
    chosen: int
    selected_by: str
    refused: tuple[RefusedCheckpoint, ...]
    execution: str
    model: str
    digest: str

    @classmethod
    def from_dict(cls, history: pd.DataFrame, selection: dict[str, Any]) -> "FoldResult":
        """Return the result from the contents of a fold's history.csv and selection.json."""
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
            selection["select"],
            refused,
            selection["execution"],
            selection["model"],
            selection["digest"],
        )


def read_fold_results(histories: Sequence[Path], selections: Sequence[Path]) -> list[FoldResult]:
    """Read the results of all folds.

    Args:
        histories: the history.csv of each fold.
        selections: the selection.json of each fold, in the same order.

    Returns:
        The results, sorted by fold.

    Raises:
        UserError: the numbers of histories and selections differ.
    """
    if len(histories) != len(selections):
        raise UserError(
            f"got {len(histories)} histories and {len(selections)} selections: pass one history and "
            "one selection per fold"
        )
    folds = [
        FoldResult.from_dict(read_table(history, text_columns=()), read_json(selection))
        for history, selection in zip(histories, selections, strict=True)
    ]
    return sorted(folds, key=lambda fold: fold.fold)
