"""The held-out cases of a model in numbers: the file beside the model from which `segment` derives how far to trust it.

The file contains the SHA-256 of its model and the settings of the prediction, but neither names of cases nor images, so
that it can be handed on with the model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from tumorseg.errors import UserError
from tumorseg.io.files import read_json, write_json
from tumorseg.metrics.held_out import Estimate, HeldOut
from tumorseg.metrics.mask_quality import MaskQuality
from tumorseg.networks.subset_scores import channels_check, settings_that_differ
from tumorseg.networks.value_checks import ExpectedValue, ListOf, ValueCheck, integer, is_finite_number, value_problems
from tumorseg.task import Task

_FORMAT: Final = 1
_MAX_CASES: Final = 10**6


@dataclass(frozen=True)
class HeldOutCase:
    """A held-out case.

    Attributes:
        patient: number of the patient among those that the model holds out.
        channels: names of the images that the case has, in the network's order.
        structures: what the model said about each structure, and the truth. Their `patient` is the same number.
    """

    patient: int
    channels: tuple[str, ...]
    structures: dict[str, HeldOut]

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return the case from validated plain JSON types."""
        patient = content["patient"]
        structures = {name: _structure_from_json(patient, values) for name, values in content["structures"].items()}
        return cls(patient, tuple(content["channels"]), structures)

    def to_json(self) -> dict[str, Any]:
        """Return the case as plain JSON types."""
        structures = {name: _structure_to_json(structure) for name, structure in self.structures.items()}
        return {"patient": self.patient, "channels": list(self.channels), "structures": structures}


@dataclass(frozen=True)
class HeldOutCases:
    """The held-out cases of a model.

    Attributes:
        cases: the cases.
        prediction: `prediction` section of the configuration that made their masks.
    """

    cases: tuple[HeldOutCase, ...]
    prediction: dict[str, Any]

    def other_settings(self, prediction: Mapping[str, Any]) -> list[str]:
        """Return the keys of a section `prediction` that change masks and have other values than for these cases."""
        return settings_that_differ(self.prediction, prediction)


def reliability_path(model: Path) -> Path:
    """Return the file beside a model that has its held-out cases."""
    return model.with_suffix(".reliability.json")


def write_held_out_cases(path: Path, digest: str, held_out: HeldOutCases) -> None:
    """Write the held-out cases of a model.

    Args:
        path: see `reliability_path`.
        digest: SHA-256 of the model.
        held_out: the cases.
    """
    cases = [case.to_json() for case in held_out.cases]
    write_json(path, {"format": _FORMAT, "model": digest, "prediction": held_out.prediction, "cases": cases})


def read_held_out_cases(path: Path, digest: str, task: Task) -> HeldOutCases | None:
    """Return the cases that `write_held_out_cases` wrote.

    Args:
        path: see `reliability_path`.
        digest: SHA-256 of the model.
        task: the model's task.

    Returns:
        The cases; None if the file is of another model.

    Raises:
        UserError: the file is missing or corrupted.
    """
    content = read_json(path)
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise UserError(f"{path}: these are not the held-out cases of a model; delete the file")
    if content.get("model") != digest:
        return None
    found = {key: content.get(key) for key in ("prediction", "cases")}
    if wrong := list(value_problems(found, _expected(task), "")):
        raise UserError(f"{path}: the held-out cases are corrupted ({wrong[0]}); delete the file")
    return HeldOutCases(tuple(map(HeldOutCase.from_json, content["cases"])), content["prediction"])


def cases_of_structure(
    models: Sequence[tuple[str, HeldOutCases]], structure: str, channels: Sequence[str]
) -> list[list[HeldOut]]:
    """Return a structure of the held-out cases of each model that have the same images as a new case.

    Two models of one split hold out the same patients, who count once. Patients that models of different splits have in
    common are not recognised.

    Args:
        models: digest of the split and held-out cases of each model.
        structure: name of the structure.
        channels: images of the new case.
    """
    return [
        [
            HeldOut((split, case.patient), found.estimate, found.reference_mm3, found.dice)
            for case in held_out.cases
            if case.channels == tuple(channels)
            for found in [case.structures[structure]]
        ]
        for split, held_out in models
    ]


def _structure_to_json(structure: HeldOut) -> dict[str, float]:
    return {
        "dice": structure.dice,
        "reference_mm3": structure.reference_mm3,
        "predicted_mm3": structure.estimate.mm3,
        **structure.estimate.quality.to_json(),
    }


def _structure_from_json(patient: int, content: Mapping[str, float]) -> HeldOut:
    quality = MaskQuality(content["soft_dice"], content["expected_mm3"], content["mask_mm3"])
    return HeldOut(patient, Estimate(content["predicted_mm3"], quality), content["reference_mm3"], content["dice"])


def _expected(task: Task) -> ExpectedValue:
    """Return which content of the file is allowed, besides format and model."""
    share = ValueCheck("a number from 0 to 1", lambda value: is_finite_number(value) and 0 <= value <= 1)
    volume = ValueCheck("a number of at least 0", lambda value: is_finite_number(value) and value >= 0)
    volumes = dict.fromkeys(("reference_mm3", "predicted_mm3", "expected_mm3", "mask_mm3"), volume)
    structure = {"dice": share, "soft_dice": share, **volumes}
    case = {
        "patient": integer(0, _MAX_CASES),
        "channels": channels_check(task),
        "structures": dict.fromkeys(task.structures, structure),
    }
    return {
        "prediction": ValueCheck("a section of settings", lambda value: isinstance(value, dict)),
        "cases": ListOf(case, _MAX_CASES),
    }
