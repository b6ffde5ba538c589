"""The held-out cases of all folds, each with a segmenter of the model that was not trained on it."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tumorseg.cohort.splits import Assignment, held_out
from tumorseg.console import Progress
from tumorseg.inference.segmenter import Segmenter
from tumorseg.network.execution import Execution
from tumorseg.network.model import read_model
from tumorseg.normalise.store import NormalisedCase, find_case, read_case


def segmented_cases(
    models: Sequence[Path],
    normalised: Sequence[Path],
    splits: Sequence[Assignment],
    execution: Execution,
    section: Mapping[str, Any],
) -> Iterator[tuple[int, NormalisedCase, Segmenter]]:
    """Fold, case and segmenter, fold by fold. models: one file a fold. section: `prediction` of the configuration."""
    cases = [(fold, case) for fold in range(len(models)) for case in held_out(splits, fold)]
    progress = Progress(len(cases), "case")
    for fold, model in enumerate(models):
        network, _ = read_model(model)
        segmenter = Segmenter([network], execution, section)
        for name in held_out(splits, fold):
            yield fold, read_case(find_case(normalised, name)), segmenter
            progress.step(name)
