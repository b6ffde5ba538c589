"""Segment a normalised case and write its mask."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorseg.inference.postprocessing import postprocess
from tumorseg.inference.prediction_files import write_prediction, write_probabilities
from tumorseg.inference.predictor import NonFiniteOutputError, Prediction, PredictionSettings, Predictor
from tumorseg.metrics.mask_quality import MaskQuality, mask_quality
from tumorseg.networks.base import Network
from tumorseg.networks.devices import Execution
from tumorseg.networks.memory import DeviceMemoryError
from tumorseg.preprocessing.crop import cropped_start
from tumorseg.preprocessing.resampling import restore_probabilities
from tumorseg.preprocessing.store import Origin
from tumorseg.task import Task
from tumorseg.task.conventions import label_values_on_disk


@dataclass(frozen=True, eq=False)
class Segmentation:
    """The segmentation of a case.

    Attributes:
        mask: canonical labels on the cropped grid, uint8 (x, y, z).
        windowed: whether sliding windows were used.
        changed: number of voxels that each post-processing step changed.
        written: value on disk of each label.
        quality: what each network says about its mask, by structure.
    """

    mask: NDArray[np.uint8]
    windowed: bool
    changed: dict[str, int]
    written: dict[int, int]
    quality: list[dict[str, MaskQuality]]

    def record(self) -> dict[str, Any]:
        """Return how the mask was made, as plain JSON types."""
        written = {str(label): value for label, value in self.written.items()}
        quality = [{name: value.to_json() for name, value in network.items()} for network in self.quality]
        return {"windowed": self.windowed, "changed": self.changed, "written": written, "quality": quality}


class Segmenter:
    """Segments cases with the networks of one task.

    Attributes:
        task: task of the networks.
        section: `prediction` section of the configuration.
    """

    def __init__(
        self, networks: Sequence[Network], execution: Execution, section: Mapping[str, Any], *, task: Task
    ) -> None:
        """Prepare the networks.

        Args:
            networks: networks whose probabilities are averaged.
            execution: device and precision.
            section: `prediction` section of the configuration.
            task: task of the networks.
        """
        self.task = task
        self.section = section
        self._settings = PredictionSettings.from_config(section)
        self._predictor = Predictor(networks, execution, self._settings, task.unused_classes)

    def segment(
        self, folder: Path, image: NDArray[np.float16], origin: Origin, cohort_convention: str | None, mark: str = ""
    ) -> Segmentation:
        """Segment a normalised image. Write its mask, and its probabilities if the settings say so.

        Args:
            folder: folder for the files, see `write_prediction` and `write_probabilities`.
            image: float16 (channels, x, y, z), on the network's grid.
            origin: the case and its grids.
            cohort_convention: see `label_values_on_disk`.
            mark: description in the header of the files, see `ModelCard.mark`.

        Returns:
            The mask and how it was made.

        Raises:
            NonFiniteOutputError: see `predict`; raised before any file is written.
            DeviceMemoryError: likewise.
        """
        prediction = self.predict(image, origin)
        mask, changed = self.mask_of(prediction, origin)
        written = label_values_on_disk(self.task, origin.convention, cohort_convention)
        write_prediction(folder, mask, origin, written, mark)
        if self._settings.probabilities:
            write_probabilities(folder, prediction.probabilities, origin, self.task.label_values, mark)
        quality = mask_quality(prediction.outputs, self.task, network_voxel_mm3(origin))
        return Segmentation(mask, prediction.windowed, changed, written, quality)

    def predict(self, image: NDArray[np.float16], origin: Origin) -> Prediction:
        """Return the prediction for a normalised image, on the cropped grid of the case.

        Args:
            image: float16 (channels, x, y, z), on the network's grid.
            origin: the case and its grids.

        Raises:
            NonFiniteOutputError: the output is NaN or infinite in some voxels. The message names the case.
            DeviceMemoryError: see `Predictor.predict`. The message names the case.
        """
        try:
            prediction = self._predictor.predict(image, cropped_start(origin))
        except (NonFiniteOutputError, DeviceMemoryError) as error:
            raise type(error)(f"{origin.case}: {error}") from None
        return replace(prediction, probabilities=restore_probabilities(prediction.probabilities, origin.resampled))

    def mask_of(self, prediction: Prediction, origin: Origin) -> tuple[NDArray[np.uint8], dict[str, int]]:
        """Return the mask after post-processing, and the number of voxels that each step changed."""
        return postprocess(prediction.mask, origin.voxel_mm3, self.section, self.task)


def network_voxel_mm3(origin: Origin) -> float:
    """Return the volume of a voxel of the network's grid in mm³."""
    return origin.voxel_mm3 * (math.prod(origin.resampled.step) if origin.resampled else 1)
