"""A whole head gets a warning and a brain does not, whatever the values of the air around it."""

import numpy as np
import pytest

from tests.support.case_files import real_data
from tests.unit.cohort.test_background import summarise
from tumorseg.io.volume import read_volume

SHAPE = (64, 72, 60)
X, Y, Z = np.indices(SHAPE)
FAR = np.sqrt(((X - 31.5) / 29) ** 2 + ((Y - 35.5) / 33) ** 2 + ((Z - 29.5) / 27) ** 2)
BRAIN = FAR < 0.8


def brain(level=100.0):
    """Return a brain with thin dark gaps from its surface inwards, like fluid in sulci, and dark ventricles."""
    rng = np.random.default_rng(0)
    folds = (np.sin(X / 2.3) * np.sin(Y / 2.7) * np.sin(Z / 2.1) > 0.55) | (FAR < 0.15)
    return np.where(BRAIN, np.where(folds, 0.2 * level, level) + rng.normal(0, 0.05 * level, SHAPE), 0).clip(0)


def head(level=100.0, scalp=150.0, bone=8.0):
    """Return the brain in a skull of `bone` below a scalp."""
    return np.where(BRAIN, brain(level), np.where(FAR < 0.9, bone, np.where(FAR < 1, scalp, 0)))


def codes(voxels, spacing=(1.0, 1.0, 1.0)):
    return [issue.code for issue in summarise(voxels, spacing).warnings]


HEADS = {
    "air of exactly 0": head(),
    "air of exactly 0, int16": head().astype(np.int16),
    "dull scalp": head(scalp=70.0),
    "bright scalp": head(scalp=600.0),
    "noise in the air": np.where(FAR < 1, head(), np.random.default_rng(1).rayleigh(6, SHAPE)),
    "faint noise in the air": np.where(FAR < 1, head(), np.random.default_rng(1).rayleigh(0.3, SHAPE)),
    "z-score of the volume": (head() - head().mean()) / head().std(),
    "padded": np.where(FAR < 1, head(), -1000),
    "cut off at the neck": head()[:, :, 14:],
    "noise in part of the grid": np.where(
        np.maximum(abs(X - 31), abs(Y - 35)) < 31, head() + np.random.default_rng(1).rayleigh(4, SHAPE), 0
    ),
}


@pytest.mark.parametrize("kind", HEADS)
def test_a_head_gets_a_warning(kind):
    assert "not_skull_stripped" in codes(HEADS[kind].astype(np.float32))


BRAINS = {
    "folds": brain(),
    "folds of twice the fluid": np.where(brain() > 60, brain(), brain() / 10),
    "bright rim": np.where(BRAIN & (FAR > 0.74), 180, brain()),
    "dark rim": np.where(BRAIN & (FAR > 0.74), 25, brain()),
    "tumour": np.where((X - 40) ** 2 + (Y - 50) ** 2 + (Z - 30) ** 2 < 90, 400, brain()),
    "cut off below": brain()[:, :, 14:],
    "z-score of the brain": np.where(BRAIN, (brain() - 90) / 30, 0),
    "noise only": np.where(BRAIN, np.random.default_rng(2).uniform(100, 1000, SHAPE), 0),
    "one value": np.where(BRAIN, 100, 0),
    "two values": np.where(BRAIN, np.where(FAR < 0.4, 100, 30), 0),
}


@pytest.mark.parametrize("kind", BRAINS)
def test_a_brain_gets_no_warning(kind):
    assert "not_skull_stripped" not in codes(BRAINS[kind].astype(np.float32))


def test_a_foreground_larger_than_any_brain_is_a_head():
    assert codes(brain(), (2.0, 2.0, 2.0)) == []
    assert codes(brain(), (4.0, 4.0, 4.0)) == ["not_skull_stripped"]


@pytest.mark.parametrize("edge", [1e-9, 1e-3, 300.0])
def test_absurd_voxel_sizes_raise_no_error(edge):
    assert codes(brain(), (edge, edge, edge)) == (["not_skull_stripped"] if edge > 1 else [])


@pytest.mark.parametrize("name", ["t1", "t1c", "t2", "fla"])
def test_a_real_head_gets_a_warning_and_its_brain_does_not(name):
    folder = real_data().parent / "raw/TCGA-FG-6692"
    if not folder.is_dir():
        pytest.skip("the real head is not beside the real cases")
    volume = read_volume(folder / f"{name}.nii.gz")
    assert "not_skull_stripped" in codes(volume.array, volume.spacing_mm)
    mask = read_volume(folder / "brain_mask_of_t1c_by_another_tool.nii.gz")
    if mask.shape == volume.shape:
        assert codes(np.where(mask.array > 0, volume.array, 0), volume.spacing_mm) == []


def test_differences_below_the_precision_of_float64_are_no_sign_of_a_head():
    voxels = np.zeros((3, 3, 3), np.uint64)
    voxels[1, 1] = (3, 2**64 - 5, 2**64 - 4)
    assert "not_skull_stripped" not in codes(voxels)
