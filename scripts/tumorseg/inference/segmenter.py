"""From a normalised case to its mask on disk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorseg.inference.postprocessing import postprocess
from tumorseg.inference.prediction_files import label_values_on_disk, write_prediction, write_probabilities
from tumorseg.inference.predictor import NonFiniteOutputError, Prediction, PredictionSettings, Predictor
from tumorseg.networks.base import Network
from tumorseg.networks.devices import Execution
from tumorseg.preprocessing.crop import cropped_start
from tumorseg.preprocessing.store import Origin
from tumorseg.task import Task


@dataclass(frozen=True, eq=False)
class Segmentation:
    """mask: uint8 (x, y, z), labels of the task, on the cropped grid. windowed: whether it is made of windows.

    changed: voxels that each step of the post-processing changed. written: the value on disk of each label.
    """

    mask: NDArray[np.uint8]
    windowed: bool
    changed: dict[str, int]
    written: dict[int, int]

    def record(self) -> dict[str, Any]:
        """How the mask came about, as plain JSON types."""
        written = {str(label): value for label, value in self.written.items()}
        return {"windowed": self.windowed, "changed": self.changed, "written": written}


class Segmenter:
    """Segments cases as the section `prediction` of the configuration says. task: that of the networks."""

    def __init__(
        self, networks: Sequence[Network], execution: Execution, section: Mapping[str, Any], *, task: Task
    ) -> None:
        self.task = task
        self._section = section
        self._settings = PredictionSettings.from_config(section)
        self._predictor = Predictor(networks, execution, self._settings, task.unused_classes)

    def segment(
        self, folder: Path, image: NDArray[np.float16], origin: Origin, cohort_convention: str | None, mark: str = ""
    ) -> Segmentation:
        """Segment a normalised image (channels, x, y, z). Write its mask, and probabilities if asked, into `folder`.

        cohort_convention: see `written_values`. mark: what the header of the files says of the model, see
        `ModelCard.mark`. See `write_prediction` and `write_probabilities`. Raises `NotFinite`, before anything is
        written, as `Predictor.predict` does.
        """
        prediction = self.predict(image, origin)
        mask, changed = self.mask_of(prediction, origin)
        written = label_values_on_disk(self.task, origin.convention, cohort_convention)
        write_prediction(folder, mask, origin, written, mark)
        if self._settings.probabilities:
            write_probabilities(folder, prediction.probabilities, origin, self.task.label_values, mark)
        return Segmentation(mask, prediction.windowed, changed, written)

    def predict(self, image: NDArray[np.float16], origin: Origin) -> Prediction:
        """Probabilities of a normalised image (channels, x, y, z). Raises `NotFinite` with the name of the case."""
        try:
            return self._predictor.predict(image, cropped_start(origin))
        except NonFiniteOutputError as error:
            raise NonFiniteOutputError(f"{origin.case}: {error}") from None

    def mask_of(self, prediction: Prediction, origin: Origin) -> tuple[NDArray[np.uint8], dict[str, int]]:
        """The mask after post-processing, and the voxels that each step of it changed; see `postprocess`."""
        return postprocess(prediction.mask, origin.voxel_mm3, self._section, self.task)
