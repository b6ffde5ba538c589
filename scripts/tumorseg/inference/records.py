"""Records of selections and predictions: which model and which predicted masks belong to a fold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tumorseg.cli.console import logger
from tumorseg.errors import UserError
from tumorseg.io.digests import sha256
from tumorseg.io.files import is_transient, read_json, require_regular_file


def read_selection(path: Path, fold: int) -> dict[str, Any]:
    """Return the selection of a fold (selection.json).

    Raises:
        UserError: the file is corrupted or belongs to another fold.
    """
    selection = read_json(path)
    if not isinstance(selection, dict) or selection.get("fold") != fold or not isinstance(selection.get("digest"), str):
        raise UserError(f"{path}: this is not the selection of fold {fold}; delete it and run again")
    return selection


def verify_selected_model(model: Path, selection: Path, fold: int) -> dict[str, Any]:
    """Check that a model is the one that the selection of a fold names.

    Args:
        model: exported model.
        selection: selection of the fold (selection.json).
        fold: number of the fold.

    Returns:
        The content of the selection.

    Raises:
        UserError: the model cannot be read or is another file.
    """
    content = read_selection(selection, fold)
    try:
        require_regular_file(model)
        digest = sha256(model)
    except OSError as error:
        remedy = "fix that" if is_transient(error) else "delete it"
        raise UserError(f"{model}: this model cannot be read ({error.strerror}); {remedy} and run again") from None
    if digest != content["digest"]:
        raise UserError(
            f"{model}: this is not the model that {selection} names for fold {fold}: the file was replaced or edited; "
            "delete it and run again"
        )
    return content


RECORD_FORMAT: Final = 4
_MAX_LISTED: Final = 3


@dataclass(frozen=True)
class RecordedMask:
    """A predicted mask as the record of its fold names it.

    Attributes:
        path: the file.
        fold: fold that holds out the case.
        digest: XXH3-128 of the bytes of the file.
        written: value on disk of each label, background included.
    """

    path: Path
    fold: int
    digest: str
    written: dict[int, int]


def prediction_record_path(folder: Path) -> Path:
    """Return the path of the record of a folder of predicted masks."""
    return folder.with_name(f"{folder.name}.json")


def mask_path(folder: Path, case: str) -> Path:
    """Return the path of the predicted mask of a case."""
    return folder / f"{case}.nii.gz"


def read_prediction_record(path: Path, fold: int) -> dict[str, Any]:
    """Return the record of the predictions of a fold.

    Raises:
        UserError: the record is corrupted or belongs to another fold.
    """
    record = read_json(path)
    try:
        _check_record(record, fold)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{path}: this is not a record of the predictions of fold {fold} ({error}); delete it and run again"
        ) from None
    return dict(record)


def _check_record(record: Any, fold: int) -> None:
    """Raise AttributeError, KeyError, TypeError or ValueError if the content of a record is invalid."""
    if (record["format"], record["fold"]) != (RECORD_FORMAT, fold):
        raise ValueError(f"it has format {record['format']} and fold {record['fold']}")
    texts = [record["model"], record["split"], *(case["digest"] for case in record["cases"].values())]
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("a digest is not text")
    for case in record["cases"].values():
        if not all(0 <= value <= 255 and 0 <= label <= 255 for label, value in _written(case).items()):
            raise ValueError("a label or its value on disk is not from 0 to 255")


def recorded_masks(folders: Sequence[Path]) -> dict[str, RecordedMask]:
    """Return the predicted masks of all cases, by case. Logs a warning about files that no record names.

    Args:
        folders: folders of predicted masks, in the order of the folds.

    Raises:
        UserError: a record is corrupted or names a missing mask.
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
    """Return the value on disk of each label, from the record of a case."""
    return {int(label): int(value) for label, value in case["written"].items()}


def _check_folder(folder: Path, cases: set[str]) -> None:
    """Raise UserError if masks are missing in a folder, and log a warning about other files in it."""
    present = {path.name for path in folder.glob("*")}
    if missing := sorted(case for case in cases if mask_path(folder, case).name not in present):
        raise UserError(
            f"{folder}: there is no prediction for {_join_names(missing)}, although "
            f"{prediction_record_path(folder).name} names it; delete {folder} and run again"
        )
    known = {f"{case}{ending}" for case in cases for ending in (".nii.gz", "-probabilities.nii.gz")}
    if unknown := sorted(name for name in present - known if not name.startswith(".")):
        logger.warning(
            "%s: not made by this workflow and not used: %s; move these files to another folder",
            folder,
            _join_names(unknown),
        )


def find_mask(masks: Mapping[str, RecordedMask], case: str, fold: int | None = None) -> RecordedMask:
    """Return the predicted mask of a case.

    Args:
        masks: predicted masks by case.
        case: name of the case.
        fold: fold that must have predicted it; None accepts any fold.

    Raises:
        UserError: there is no such mask.
    """
    mask = masks.get(case)
    if mask is None or fold not in (None, mask.fold):
        of_fold = "" if fold is None else f" of fold {fold}"
        raise UserError(
            f"{case}: there is no prediction{of_fold}; delete results/predictions and run the workflow again"
        )
    return mask


def _join_names(names: Sequence[str]) -> str:
    rest = f" and {len(names) - _MAX_LISTED} more" if len(names) > _MAX_LISTED else ""
    return ", ".join(names[:_MAX_LISTED]) + rest
