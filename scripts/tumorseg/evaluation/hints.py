"""Collect the hints for a folder of predictions: wrong orientation, permuted labels. Hints change no score."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tumorseg.cli.console import logger
from tumorseg.errors import Message
from tumorseg.evaluation.label_permutation_hint import (
    LabelPermutation,
    find_case_permutation,
    find_folder_permutation,
    permuted_label_map,
)
from tumorseg.evaluation.masks import read_prediction, read_reference
from tumorseg.evaluation.matching import MaskPair
from tumorseg.evaluation.orientation_hint import can_improve, orientation_hint
from tumorseg.evaluation.prediction_folder import MaskFolders, PairedPredictions, summary_rows


def find_hints(
    paired: PairedPredictions,
    table: pd.DataFrame,
    confusions: Mapping[str, NDArray[np.int64]],
    *,
    several: bool,
    threads: int,
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
        *_orientation_hints(paired, table, threads),
        *_permutation_hints(paired, confusions, several=several),
    ]


def _orientation_hints(paired: PairedPredictions, table: pd.DataFrame, threads: int) -> list[dict[str, Any]]:
    """Only masks whose whole-tumour Dice leaves room for it are read again."""
    dice = table[table["region"] == paired.folders.reference_options.task.whole].set_index("case")["dice"]
    doubtful = [pair for pair in paired.pairs if pair.prediction is not None and can_improve(dice[pair.case])]
    with ThreadPoolExecutor(threads) as pool:
        hints = list(pool.map(partial(_orientation_hint, folders=paired.folders), doubtful))
    said = [(pair.case, pair.prediction or "", hint) for pair, hint in zip(doubtful, hints, strict=True) if hint]
    return _log_hints(paired, said)


def _orientation_hint(pair: MaskPair, *, folders: MaskFolders) -> str | None:
    reference = read_reference(folders.references / pair.reference, pair.case, folders.reference_options)
    prediction = read_prediction(
        folders.predictions / str(pair.prediction), pair.case, reference, folders.prediction_options
    )
    hint = orientation_hint(prediction.labels, reference.labels, reference.affine)
    return hint.message() if hint else None


def _permutation_hints(
    paired: PairedPredictions, confusions: Mapping[str, NDArray[np.int64]], *, several: bool
) -> list[dict[str, Any]]:
    task = paired.folders.prediction_options.task
    scored = {pair.case: pair for pair in paired.pairs if pair.prediction and pair.case not in paired.with_channels}
    tables = {case: confusions[case] for case in scored}
    read = _value_labels(paired)
    if exchange := find_folder_permutation(list(tables.values()), task.label_values):
        label_map = permuted_label_map(read, exchange.mapping)
        said = exchange.message(label_map, several=several)
        logger.warning("%s: %s", paired.folders.predictions, said)
        return [{"hint": said, "label_map": {str(value): label for value, label in label_map.items()}}]
    cases = {case: find_case_permutation(table, task.label_values) for case, table in tables.items()}
    hints = [
        (case, str(scored[case].prediction), _case_message(exchange)) for case, exchange in cases.items() if exchange
    ]
    return _log_hints(paired, hints)


def _value_labels(paired: PairedPredictions) -> dict[int, int]:
    """What each value on disk is read as."""
    task = paired.folders.prediction_options.task
    conventions = paired.conventions or (next(iter(task.conventions)),)
    return {value: label for name in conventions for value, label in task.values(name).items()}


def _case_message(exchange: LabelPermutation) -> Message:
    return f"{exchange.gain_text()}; other masks of the folder are in order, so correct this one if it is written so"


def _log_hints(paired: PairedPredictions, hints: list[tuple[str, str, str]]) -> list[dict[str, Any]]:
    for _, file, said in hints:
        logger.warning("%s: %s", paired.folders.predictions / file, said)
    return summary_rows("hint", hints)
