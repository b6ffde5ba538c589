"""What everyone who uses the output of a model must know, if the model was not trained on patients."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class ModelNotice:
    """A notice that all outputs of a model carry.

    Attributes:
        code: code of the warning about each patient, one of `NOTICE_CODES`.
        mark: the notice in at most 79 ASCII characters, for headers of NIfTI files.
        detail: a further sentence, such as the measured scores; may be empty.
    """

    code: str
    mark: str
    detail: str = ""

    @property
    def text(self) -> str:
        """The mark and the detail."""
        return f"{self.mark}. {self.detail}" if self.detail else self.mark


DEMO_MODEL_WARNING: Final = "DEMONSTRATION MODEL: of no use on patients"
STARTER_MODEL_WARNING: Final = "STARTER MODEL: trained on invented tumours only; check every mask"
NOTICE_CODES: Final = ("demonstration_model", "starter_model")


def model_notice(*, demo: bool, starter_scores: str | None) -> ModelNotice | None:
    """Return the notice of a model; None if it was trained on a user's cases.

    Args:
        demo: whether it was trained on the demo cohort.
        starter_scores: for a starter model, a sentence with its measured scores.
    """
    if demo:
        return ModelNotice("demonstration_model", DEMO_MODEL_WARNING)
    if starter_scores is not None:
        return ModelNotice("starter_model", STARTER_MODEL_WARNING, starter_scores)
    return None


def distinct_notices(notices: Iterable[ModelNotice | None]) -> list[ModelNotice]:
    """Return the notices of several models, without duplicates."""
    return list(dict.fromkeys(notice for notice in notices if notice))
