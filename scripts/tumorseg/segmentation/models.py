"""The models that segment together."""

from collections.abc import Sequence
from pathlib import Path

from tumorseg.errors import UserError
from tumorseg.network.model import ModelCard, read_model
from tumorseg.network.unet import UNet
from tumorseg.segmentation.unlike import same_spacing, spacing_of


def read_models(paths: Sequence[Path]) -> tuple[list[UNet], list[ModelCard]]:
    """The networks and the cards of all files.

    Raises UserError where a file is no sound model, and where two are not made for the same input and output.
    """
    networks, cards = zip(*(read_model(path) for path in paths), strict=True)
    for path, card in zip(paths, cards, strict=True):
        if (card.normalisation, card.convention) != (cards[0].normalisation, cards[0].convention):
            raise UserError(
                f"segment.models: {path} and {paths[0]} were trained on cases that are normalised or labelled in other "
                "ways, so that there is no mean of both; give models of one training"
            )
        if not same_spacing(card.trained_on, cards[0].trained_on):
            raise UserError(
                f"segment.models: {path} was trained on voxels of {spacing_of(card.trained_on)}, {paths[0]} on voxels "
                f"of {spacing_of(cards[0].trained_on)}, so that no patient suits both; give models of one training"
            )
    return list(networks), list(cards)
