"""Find hints on a folder of predictions: a wrong orientation or permuted labels. Hints do not change scores."""

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
from tumorseg.evaluation.masks import read_predicted_mask, read_reference
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
    """Return and log changes to the masks of a folder that would raise its scores a lot. The masks stay as they are.

    Args:
        paired: the pairs that were scored.
        table: their scores.
        confusions: their confusion matrices by case.
        several: whether more than one folder of predictions is scored.
        threads: number of files to read in parallel.

    Returns:
        Rows for summary.json. A hint on a file has `case`, `file` and `hint`. A hint on the folder has `hint` and
        `label_map`, the `score.label_map` to set.
    """
    return [
        *_orientation_hints(paired, table, threads),
        *_permutation_hints(paired, confusions, several=several),
    ]


def _orientation_hints(paired: PairedPredictions, table: pd.DataFrame, threads: int) -> list[dict[str, Any]]:
    """Return hints on masks with a wrong orientation. Masks whose whole-tumour Dice is high are not read again."""
    dice = table[table["region"] == paired.folders.reference_options.task.whole_tumour].set_index("case")["dice"]
    pairs = [pair for pair in paired.pairs if pair.prediction is not None and can_improve(dice[pair.case])]
    with ThreadPoolExecutor(threads) as pool:
        hints = list(pool.map(partial(_orientation_hint, folders=paired.folders), pairs))
    rows = [(pair.case, pair.prediction or "", hint) for pair, hint in zip(pairs, hints, strict=True) if hint]
    return _log_hints(paired, rows)


def _orientation_hint(pair: MaskPair, *, folders: MaskFolders) -> str | None:
    reference = read_reference(folders.references / pair.reference, pair.case, folders.reference_options)
    prediction = read_predicted_mask(
        folders.predictions / str(pair.prediction), pair.case, reference, folders.prediction_options
    )
    hint = orientation_hint(reference.labels, prediction.labels, reference.affine)
    return hint.message() if hint else None


def _permutation_hints(
    paired: PairedPredictions, confusions: Mapping[str, NDArray[np.int64]], *, several: bool
) -> list[dict[str, Any]]:
    task = paired.folders.prediction_options.task
    pairs = {pair.case: pair for pair in paired.pairs if pair.prediction and pair.case not in paired.with_channels}
    if permutation := find_folder_permutation([confusions[case] for case in pairs], task.label_values):
        label_map = permuted_label_map(_value_labels(paired), permutation.mapping)
        hint = permutation.message(label_map, several=several)
        logger.warning("%s: %s", paired.folders.predictions, hint)
        return [{"hint": hint, "label_map": {str(value): label for value, label in label_map.items()}}]
    rows = [
        (case, str(pair.prediction), _case_message(permutation))
        for case, pair in pairs.items()
        if (permutation := find_case_permutation(confusions[case], task.label_values))
    ]
    return _log_hints(paired, rows)


def _value_labels(paired: PairedPredictions) -> dict[int, int]:
    """Return the label that each value on disk is read as."""
    task = paired.folders.prediction_options.task
    conventions = paired.conventions or (next(iter(task.conventions)),)
    return {value: label for name in conventions for value, label in task.labels_by_value(name).items()}


def _case_message(permutation: LabelPermutation) -> Message:
    return f"{permutation.gain_text()}; the other masks of the folder fit as they are, so check the labels of this one"


def _log_hints(paired: PairedPredictions, rows: list[tuple[str, str, str]]) -> list[dict[str, Any]]:
    for _, file, hint in rows:
        logger.warning("%s: %s", paired.folders.predictions / file, hint)
    return summary_rows("hint", rows)
