"""Read the models of the learning curve."""

from collections.abc import Collection
from pathlib import Path

from tumorseg.errors import UserError
from tumorseg.inference.records import verify_selected_model
from tumorseg.networks.base import Network
from tumorseg.networks.model import ModelCard, read_model


def read_curve_model(
    model: Path, record: Path, fold: int, held_out_cases: Collection[str]
) -> tuple[Network, ModelCard, str]:
    """Read the model of a point of the learning curve.

    Args:
        model: file of the model.
        record: record of its training, from `write_training_record`.
        fold: number of the fold.
        held_out_cases: the cases to segment.

    Returns:
        The network, the model's card, and the SHA-256 of the file.

    Raises:
        UserError: the record does not name this file, or the model was trained on one of the cases.
    """
    content = verify_selected_model(model, record, fold)
    if seen := sorted(set(content["training_cases"]) & set(held_out_cases)):
        raise UserError(
            f"{model}: this model was trained on {seen[0]}, which fold {fold} holds out; delete {model.parent} and run "
            "again"
        )
    network, card = read_model(model)
    return network, card, str(content["digest"])
