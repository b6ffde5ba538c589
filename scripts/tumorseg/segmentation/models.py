"""The models that segment together."""

from collections.abc import Sequence
from pathlib import Path

from tumorseg.errors import UserError
from tumorseg.network.model import ModelCard, read_model
from tumorseg.network.protocol import Network
from tumorseg.segmentation.unlike import same_spacing, spacing_of
from tumorseg.task import Task
from tumorseg.task.difference import other_task, require_task


def read_models(paths: Sequence[Path], task: Task) -> tuple[list[Network], list[ModelCard]]:
    """The networks and the cards of all files.

    Raises UserError where a file is no sound model or is of another task, and where two are not made for the same input
    and output.
    """
    networks, cards = zip(*(read_model(path) for path in paths), strict=True)
    for path, card in zip(paths, cards, strict=True):
        require_task(path, card.task, task)
        if card.task.facts() != cards[0].task.facts():
            difference = other_task(card.task.name, card.task.facts(), cards[0].task)
            raise UserError(
                f"segment.models: {path} is of {difference}, of which {paths[0]} is; give models of one task"
            )
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
