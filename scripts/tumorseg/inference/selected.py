"""The model of a fold: the file that the fold's selection names, and no other in its place."""

from pathlib import Path
from typing import Any

from tumorseg.errors import UserError
from tumorseg.files import is_passing, read_json, require_regular_file, sha256


def read_selection(path: Path, fold: int) -> dict[str, Any]:
    """The selection of a fold (selection.json). Raises UserError where it is damaged or another fold's."""
    selection = read_json(path)
    if not isinstance(selection, dict) or selection.get("fold") != fold or not isinstance(selection.get("digest"), str):
        raise UserError(f"{path}: this is not the selection of fold {fold}; delete it and run again")
    return selection


def check_selected(model: Path, selection: Path, fold: int) -> dict[str, Any]:
    """The selection of a fold, whose model is the file `model`. Raises UserError where it is another file."""
    content = read_selection(selection, fold)
    try:
        require_regular_file(model)
        digest = sha256(model)
    except OSError as error:
        remedy = "mend that" if is_passing(error) else "delete it"
        raise UserError(f"{model}: this model cannot be read ({error.strerror}); {remedy} and run again") from None
    if digest != content["digest"]:
        raise UserError(
            f"{model}: this is not the model that {selection} names for fold {fold}: the file was replaced or edited; "
            "delete it and run again"
        )
    return content
