"""The models that segment together."""

from collections.abc import Sequence
from pathlib import Path

from tumorseg.errors import UserError
from tumorseg.network.model import ModelCard, read_model
from tumorseg.network.unet import UNet


def read_models(paths: Sequence[Path]) -> tuple[list[UNet], ModelCard]:
    """The networks of all files, and the card of the first.

    Raises UserError where a file is no sound model, and where two are not made for the same input and output.
    """
    networks, cards = zip(*(read_model(path) for path in paths), strict=True)
    for path, card in zip(paths, cards, strict=True):
        if (card.normalisation, card.convention) != (cards[0].normalisation, cards[0].convention):
            raise UserError(
                f"segment.models: {path} and {paths[0]} were trained on cases that are normalised or labelled in other "
                "ways, so that there is no mean of both; give models of one training"
            )
    return list(networks), cards[0]
