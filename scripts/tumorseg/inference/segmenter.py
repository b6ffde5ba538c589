"""From a normalised case to its mask on disk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorseg.inference.postprocessing import postprocess
from tumorseg.inference.prediction import write_prediction, write_probabilities
from tumorseg.inference.predictor import NotFinite, Prediction, Predictor
from tumorseg.inference.settings import PostprocessingSettings, PredictionSettings
from tumorseg.network.execution import Execution
from tumorseg.network.unet import UNet
from tumorseg.normalise.crop import cropped_start
from tumorseg.normalise.store import Origin


@dataclass(frozen=True, eq=False)
class Segmentation:
    """mask: uint8 (x, y, z), inside labels, on the cropped grid. windowed: whether it is made of windows.

    changed: voxels that each step of the post-processing changed.
    """

    mask: NDArray[np.uint8]
    windowed: bool
    changed: dict[str, int]

    def record(self) -> dict[str, Any]:
        """How the mask came about, as plain JSON types."""
        return {"windowed": self.windowed, "changed": self.changed}


class Segmenter:
    """Segments cases as the section `prediction` of the configuration says."""

    def __init__(self, networks: Sequence[UNet], execution: Execution, section: Mapping[str, Any]) -> None:
        self._settings = PredictionSettings.of(section)
        self._postprocessing = PostprocessingSettings.of(section)
        self._predictor = Predictor(networks, execution, self._settings)

    def segment(
        self, folder: Path, image: NDArray[np.float16], origin: Origin, cohort_convention: str | None, mark: str = ""
    ) -> Segmentation:
        """Segment a normalised image (4, x, y, z) and write its mask, and its probabilities if asked, into `folder`.

        mark: what the header of the files says of the model, see `ModelCard.mark`. See `write_prediction` and
        `write_probabilities`. Raises `NotFinite`, before anything is written, as `Predictor.predict` does.
        """
        prediction = self.predict(image, origin)
        mask, changed = self.mask_of(prediction, origin)
        write_prediction(folder, mask, origin, cohort_convention, mark)
        if self._settings.probabilities:
            write_probabilities(folder, prediction.probabilities, origin, mark)
        return Segmentation(mask, prediction.windowed, changed)

    def predict(self, image: NDArray[np.float16], origin: Origin) -> Prediction:
        """What the networks say of a normalised image (4, x, y, z). Raises `NotFinite` with the name of the case."""
        try:
            return self._predictor.predict(image, cropped_start(origin))
        except NotFinite as error:
            raise NotFinite(f"{origin.case}: {error}") from None

    def mask_of(self, prediction: Prediction, origin: Origin) -> tuple[NDArray[np.uint8], dict[str, int]]:
        """The mask after post-processing, and the voxels that each step of it changed; see `postprocess`."""
        return postprocess(prediction.mask, origin.voxel_mm3, self._postprocessing)
