"""Signs that predictions mean something else than they are read as: another orientation, another order of labels."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tumorseg.console import logger
from tumorseg.errors import Message
from tumorseg.scoring.exchange_hint import Exchange, exchange_of_case, exchange_of_folder, exchanged_map
from tumorseg.scoring.folder import Folders, Sorted, as_rows
from tumorseg.scoring.masks import read_mask, read_prediction
from tumorseg.scoring.match import Pair
from tumorseg.scoring.orientation_hint import may_have_a_hint, orientation_hint


def find_hints(
    found: Sorted, table: pd.DataFrame, confusions: Mapping[str, NDArray[np.int64]], *, several: bool, threads: int
) -> list[dict[str, Any]]:
    """Find what would raise the scores of a folder a lot. Each hint is logged, and changes nothing.

    Args:
        found: what was scored.
        table: the scores of its pairs.
        confusions: their label pairs, by case.
        several: whether other folders are scored beside it.
        threads: files that are read at a time.

    Returns:
        Rows for summary.json. A hint for one file has `case`, `file` and `hint`; one for the folder has `hint` and
        `label_map`, the `score.label_map` to set.
    """
    return [
        *_orientation_hints(found, table, threads),
        *_exchange_hints(found, confusions, several=several),
    ]


def _orientation_hints(found: Sorted, table: pd.DataFrame, threads: int) -> list[dict[str, Any]]:
    """Only masks whose whole-tumour Dice leaves room for it are read again."""
    dice = table[table["region"] == found.folders.of_references.task.whole].set_index("case")["dice"]
    doubtful = [pair for pair in found.pairs if pair.prediction is not None and may_have_a_hint(dice[pair.case])]
    with ThreadPoolExecutor(threads) as pool:
        hints = list(pool.map(partial(_orientation_hint, folders=found.folders), doubtful))
    said = [(pair.case, pair.prediction or "", hint) for pair, hint in zip(doubtful, hints, strict=True) if hint]
    return _logged(found, said)


def _orientation_hint(pair: Pair, *, folders: Folders) -> str | None:
    reference = read_mask(folders.references / pair.reference, pair.case, folders.of_references)
    prediction = read_prediction(
        folders.predictions / str(pair.prediction), pair.case, reference, folders.of_predictions
    )
    hint = orientation_hint(prediction.labels, reference.labels, reference.affine)
    return hint.message() if hint else None


def _exchange_hints(
    found: Sorted, confusions: Mapping[str, NDArray[np.int64]], *, several: bool
) -> list[dict[str, Any]]:
    task = found.folders.of_predictions.task
    scored = {pair.case: pair for pair in found.pairs if pair.prediction and pair.case not in found.with_channels}
    tables = {case: confusions[case] for case in scored}
    read = _read_values(found)
    if exchange := exchange_of_folder(list(tables.values()), task.label_values):
        label_map = exchanged_map(read, exchange.moved)
        said = exchange.message(label_map, several=several)
        logger.warning("%s: %s", found.folders.predictions, said)
        return [{"hint": said, "label_map": {str(value): label for value, label in label_map.items()}}]
    cases = {case: exchange_of_case(table, task.label_values) for case, table in tables.items()}
    hints = [(case, str(scored[case].prediction), _of_case(exchange)) for case, exchange in cases.items() if exchange]
    return _logged(found, hints)


def _read_values(found: Sorted) -> dict[int, int]:
    """What each value on disk is read as."""
    task = found.folders.of_predictions.task
    conventions = found.conventions or (next(iter(task.conventions)),)
    return {value: label for name in conventions for value, label in task.values(name).items()}


def _of_case(exchange: Exchange) -> Message:
    return f"{exchange.gain()}; other masks of the folder are in order, so correct this one if it is written so"


def _logged(found: Sorted, hints: list[tuple[str, str, str]]) -> list[dict[str, Any]]:
    for _, file, said in hints:
        logger.warning("%s: %s", found.folders.predictions / file, said)
    return as_rows("hint", hints)
