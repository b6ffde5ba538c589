"""All that the model card tells of a run, as read from the files that the run wrote."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from tumorseg.cohort.manifest import read_manifest
from tumorseg.cohort.splits import Assignment, read_splits
from tumorseg.files import read_json
from tumorseg.inference.selected import check_selected


@dataclass(frozen=True)
class Model:
    """The file of a fold's model, its bytes, and the selection that it came from, as in selection.json."""

    file: str
    size: int
    selection: dict[str, Any]


@dataclass(frozen=True)
class Results:
    """What a run wrote. manifest: a row per case folder. check: the facts of the cohort. models: by fold."""

    manifest: pd.DataFrame
    check: dict[str, Any]
    splits: list[Assignment]
    summary: dict[str, Any]
    models: list[Model]


def read_results(
    *, manifest: Path, check: Path, splits: Path, summary: Path, selections: Sequence[Path], models: Sequence[Path]
) -> Results:
    """Read the results of a run; `selections` and `models` are those of fold 0, 1 and so on.

    Raises UserError where a model is not the one that its selection names.
    """
    return Results(
        manifest=read_manifest(manifest),
        check=read_json(check),
        splits=read_splits(splits),
        summary=read_json(summary),
        models=[
            _model(path, selection, fold) for fold, (path, selection) in enumerate(zip(models, selections, strict=True))
        ],
    )


def _model(path: Path, selection: Path, fold: int) -> Model:
    content = check_selected(path, selection, fold)
    return Model(path.name, path.stat().st_size, content)
