"""The image figures from files to PNG, on small synthetic brains."""

import json
from dataclasses import replace
from pathlib import Path

import matplotlib.image
import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

import figure
from tests.support.builders import record_predictions, structure_mask
from tumorseg.preprocessing.crop import network_grid
from tumorseg.preprocessing.normalisation import resample_case
from tumorseg.preprocessing.store import NormalisedCase, Origin, write_case
from tumorseg.task import load_task

TASK = load_task()

SETTINGS = {
    "cases": 3,
    "dpi": 30,
    "opacity": 0.5,
    "colours": {"label_1": "#d55e00", "label_2": "#56b4e9", "label_4": "#f0e442"},
}
MARGIN = 3
LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def ellipsoid(shape: tuple[int, int, int], centre: NDArray[np.float64], radius: float) -> NDArray[np.bool_]:
    """Return voxels within `radius` (fraction of the half-size of each axis) of `centre` (fraction of the size)."""
    grid = np.indices(shape).reshape(3, -1).T
    size = np.array(shape)
    inside = (((grid - centre * size) / (radius * size / 2)) ** 2).sum(axis=1) <= 1
    return inside.reshape(shape)


def nested_tumour(shape: tuple[int, int, int], centre: NDArray[np.float64], radius: float) -> NDArray[np.uint8]:
    """Return a mask of oedema around enhancing tumour around a necrotic core."""
    mask = np.zeros(shape, np.uint8)
    for label, part in ((2, 1.0), (4, 0.65), (1, 0.35)):
        mask[ellipsoid(shape, centre, radius * part)] = label
    return mask


def write_cohort(folder: Path, shape: tuple[int, int, int], errors: list[float], *, target_mm=None) -> None:
    """Write normalised cases, predictions shifted by `errors` (fraction of the size), and their scores.

    target_mm: voxel edges to which the cases are resampled.
    """
    rows = []
    full = tuple(size + 2 * MARGIN for size in shape)
    crop = tuple((MARGIN, MARGIN + size) for size in shape)
    for number, error in enumerate(errors):
        rng = np.random.default_rng(number)
        case = f"BraTS-GLI-{number:05d}-000"
        centre = np.array([0.35, 0.4, 0.5]) + rng.uniform(-0.05, 0.05, 3)
        brain = ellipsoid(shape, np.array([0.5, 0.5, 0.5]), 0.98)
        mask = np.where(brain, nested_tumour(shape, centre, 0.45), 0).astype(np.uint8)
        prediction = np.where(brain, nested_tumour(shape, centre + error, 0.45 - error), 0).astype(np.uint8)
        weights = np.array([[0, -1, -0.5, 1], [0, -1, 0.5, 3], [0, 1.5, 2.5, 1.5], [0, 0.5, 3, 2]])
        lookup = np.array([0, 1, 2, 0, 3])
        texture = [gaussian_filter(rng.normal(size=shape), 2) * 4 for _ in range(4)]
        image = np.stack([texture[m] + weights[m][lookup[mask]] for m in range(4)])
        image = np.where(brain, image, 0).astype(np.float16)
        origin = Origin(case, full, tuple(map(tuple, LPS.tolist())), crop, "brats2023", {}, {})
        origin = replace(origin, resampled=network_grid(origin, target_mm))
        write_case(
            folder / "normalised" / f"batch-{number % 2}" / f"{case}.safetensors",
            resample_case(NormalisedCase(image, mask, origin)),
        )
        whole = np.pad(np.where(prediction == 4, 3, prediction).astype(np.uint8), MARGIN)
        path = folder / "predictions" / "fold-0" / f"{case}.nii.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        nib.save(nib.Nifti1Image(whole, LPS), path)
        rows += [score_row(case, structure, mask, prediction) for structure in TASK.structures]
    record_predictions(folder / "predictions" / "fold-0")
    pd.DataFrame(rows).to_csv(folder / "cases.csv", index=False)


def score_row(case: str, structure: str, mask: NDArray[np.uint8], prediction: NDArray[np.uint8]) -> dict[str, object]:
    reference, predicted = structure_mask(mask, structure), structure_mask(prediction, structure)
    both, r, p = int((reference & predicted).sum()), int(reference.sum()), int(predicted.sum())
    dice = 2 * both / (r + p)
    return {
        "case": case,
        "channels": ",".join(TASK.channel_names),
        "fold": 0,
        "region": structure,
        "dice": dice,
        "iou": both / (r + p - both),
        "f1": dice,
        "precision": both / p if p else 0.0,
        "sensitivity": both / r if r else 0.0,
        "hd95": 1.0,
        "lesionwise_dice": dice,
        "reference_mm3": float(r),
        "predicted_mm3": float(p),
        "reference_voxels": r,
        "predicted_voxels": p,
    }


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cohort")
    write_cohort(folder, (20, 26, 18), [0.0, 0.1, 0.2, 0.3])
    return folder


def draw(name: str, cohort: Path, output: Path, settings: dict[str, object] = SETTINGS) -> Path:
    arguments = ["--normalised", *map(str, sorted((cohort / "normalised").iterdir()))]
    arguments += ["--predictions", str(cohort / "predictions" / "fold-0")]
    arguments += ["--scores", str(cohort / "cases.csv"), "--settings", json.dumps(settings), "--output", str(output)]
    figure.main(["--name", name, *arguments, "--task", "brats-glioma"])
    return output


@pytest.mark.parametrize("name", ["modalities", "ground_truth", "predictions", "overlays", "gallery"])
def test_equal_inputs_give_equal_bytes(name, cohort, tmp_path):
    first = draw(name, cohort, tmp_path / "first.png").read_bytes()
    assert first == draw(name, cohort, tmp_path / "second.png").read_bytes()
    assert matplotlib.image.imread(tmp_path / "first.png").shape[1] == 10 * SETTINGS["dpi"]


@pytest.mark.parametrize("name", ["ground_truth", "predictions", "gallery"])
def test_every_label_has_its_colour(name, cohort, tmp_path):
    pixels = matplotlib.image.imread(draw(name, cohort, tmp_path / "figure.png", {**SETTINGS, "dpi": 100}))[..., :3]
    for colour in SETTINGS["colours"].values():
        assert (np.abs(pixels - to_rgb(colour)).max(axis=-1) < 0.01).sum() > 20


def test_the_largest_error_is_shown_elsewhere_than_the_most_tumour(cohort, tmp_path):
    largest = draw("ground_truth", cohort, tmp_path / "most_tumour.png")
    assert largest.read_bytes() != draw("predictions", cohort, tmp_path / "largest_error.png").read_bytes()


def test_a_single_case_is_drawn(cohort, tmp_path):
    shapes = [
        matplotlib.image.imread(draw("gallery", cohort, tmp_path / f"{cases}.png", {**SETTINGS, "cases": cases})).shape
        for cases in (1, 3)
    ]
    assert shapes[0][0] < shapes[1][0]
