"""The records of selection and prediction: which model and which predicted masks belong to a fold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tumorseg.cli.console import logger
from tumorseg.errors import UserError
from tumorseg.io.files import is_transient, read_json, require_regular_file, sha256


def read_selection(path: Path, fold: int) -> dict[str, Any]:
    """The selection of a fold (selection.json). Raises UserError where it is damaged or another fold's."""
    selection = read_json(path)
    if not isinstance(selection, dict) or selection.get("fold") != fold or not isinstance(selection.get("digest"), str):
        raise UserError(f"{path}: this is not the selection of fold {fold}; delete it and run again")
    return selection


def verify_selection(model: Path, selection: Path, fold: int) -> dict[str, Any]:
    """The selection of a fold, whose model is the file `model`. Raises UserError where it is another file."""
    content = read_selection(selection, fold)
    try:
        require_regular_file(model)
        digest = sha256(model)
    except OSError as error:
        remedy = "mend that" if is_transient(error) else "delete it"
        raise UserError(f"{model}: this model cannot be read ({error.strerror}); {remedy} and run again") from None
    if digest != content["digest"]:
        raise UserError(
            f"{model}: this is not the model that {selection} names for fold {fold}: the file was replaced or edited; "
            "delete it and run again"
        )
    return content


RECORD_FORMAT: Final = 3
_MAX_LISTED: Final = 3


@dataclass(frozen=True)
class RecordedMask:
    """A predicted mask on disk.

    fold: the one that holds its case out. digest: XXH3-128 of the file's bytes. written: the value on disk of each
    label, background included.
    """

    path: Path
    fold: int
    digest: str
    written: dict[int, int]


def prediction_record_path(folder: Path) -> Path:
    """Where the record of a folder of predicted masks lies."""
    return folder.with_name(f"{folder.name}.json")


def mask_path(folder: Path, case: str) -> Path:
    """Where the predicted mask of a case lies."""
    return folder / f"{case}.nii.gz"


def read_prediction_record(path: Path, fold: int) -> dict[str, Any]:
    """The record of a fold's predictions. Raises UserError where it is damaged or another fold's."""
    record = read_json(path)
    try:
        if (record["format"], record["fold"]) != (RECORD_FORMAT, fold):
            raise ValueError(f"it has format {record['format']} and fold {record['fold']}")
        texts = [record["model"], record["split"], *(case["digest"] for case in record["cases"].values())]
        if not all(isinstance(text, str) for text in texts):
            raise TypeError("a digest is not text")
        for case in record["cases"].values():
            if not all(0 <= value <= 255 and 0 <= label <= 255 for label, value in _written(case).items()):
                raise ValueError("a label or its value on disk is not from 0 to 255")
        return dict(record)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{path}: this is no record of the predictions of fold {fold} ({error}); delete it and run again"
        ) from None


def recorded_masks(folders: Sequence[Path]) -> dict[str, RecordedMask]:
    """The masks of all cases; the folders are those of fold 0, 1 and so on. Warns of masks that no record names.

    Raises UserError where a record is damaged, or names a mask that is not there.
    """
    masks: dict[str, RecordedMask] = {}
    for fold, folder in enumerate(folders):
        cases = read_prediction_record(prediction_record_path(folder), fold)["cases"]
        masks |= {
            case: RecordedMask(mask_path(folder, case), fold, entry["digest"], _written(entry))
            for case, entry in cases.items()
        }
        _check_folder(folder, set(cases))
    return masks


def _written(case: Mapping[str, Any]) -> dict[int, int]:
    """The value on disk of each label, from the record of a case."""
    return {int(label): int(value) for label, value in case["written"].items()}


def _check_folder(folder: Path, cases: set[str]) -> None:
    """Raise UserError for the missing masks of a folder, and warn of the others that lie in it."""
    there = {path.name for path in folder.glob("*")}
    if missing := sorted(case for case in cases if mask_path(folder, case).name not in there):
        raise UserError(
            f"{folder}: no prediction is there for {_join_names(missing)}, which {prediction_record_path(folder).name} names; "
            f"delete {folder} and run again"
        )
    known = {f"{case}{kind}" for case in cases for kind in (".nii.gz", "-probabilities.nii.gz")}
    if unknown := sorted(name for name in there - known if not name.startswith(".")):
        logger.warning(
            "%s: not made by this workflow and not used: %s; move such files to another folder",
            folder,
            _join_names(unknown),
        )


def find_mask(masks: Mapping[str, RecordedMask], case: str, fold: int | None = None) -> RecordedMask:
    """The mask of a case. fold: the one that should have predicted it. Raises UserError where there is none."""
    mask = masks.get(case)
    if mask is None or fold not in (None, mask.fold):
        where = "" if fold is None else f" of fold {fold}"
        raise UserError(f"{case}: no prediction{where} is there; delete results/predictions and run the workflow again")
    return mask


def _join_names(names: Sequence[str]) -> str:
    rest = f" and {len(names) - _MAX_LISTED} more" if len(names) > _MAX_LISTED else ""
    return ", ".join(names[:_MAX_LISTED]) + rest
