"""A model that segments new patients, with what is known about it."""

from dataclasses import dataclass

from tumorseg.networks.held_out_quality import HeldOutCases
from tumorseg.networks.model import ModelCard
from tumorseg.networks.subset_scores import SubsetScores
from tumorseg.networks.training_facts import TrainingFacts


@dataclass(frozen=True)
class UsedModel:
    """A model that segments new patients.

    Attributes:
        file: its file as the user named it, or `starter`.
        card: its card.
        scores: its scores with subsets of its channels; None if they are not known.
        held_out: its held-out cases; None if they are not known.
    """

    file: str
    card: ModelCard
    scores: SubsetScores | None = None
    held_out: HeldOutCases | None = None

    @property
    def trained_on(self) -> TrainingFacts:
        """What the model was trained on."""
        return self.card.trained_on

    @property
    def is_starter(self) -> bool:
        """Whether it is a starter model, whose scores its users cannot measure in a run."""
        return self.card.starter_scores is not None
