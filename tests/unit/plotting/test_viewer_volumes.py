"""The volumes of the viewer, read back with nibabel."""

import base64
import gzip
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from nibabel.orientations import axcodes2ornt, inv_ornt_aff

from tumorseg.plotting.case_view import CaseView, make_case_view
from tumorseg.plotting.slices import grey_values
from tumorseg.plotting.viewer_volumes import MAX_CASE_BYTES, encode_case, max_bytes_per_case
from tumorseg.preprocessing.crop import crop
from tumorseg.preprocessing.store import Origin
from tumorseg.task import load_task

TASK = load_task()
WHOLE = (30, 34, 28)
MARGIN = ((3, 27), (4, 30), (2, 25))
SPACING = (1.0, 1.5, 2.0)


def affine_of(axes: str) -> np.ndarray:
    """Return the affine of a grid with the shape WHOLE, SPACING and the given axes, away from the origin."""
    turn = inv_ornt_aff(axcodes2ornt(axes), WHOLE)
    return np.array([[1, 0, 0, -20.0], [0, 1, 0, 7.5], [0, 0, 1, 31.0], [0, 0, 0, 1]]) @ turn @ np.diag([*SPACING, 1])


def case_of(axes: str = "LPS", marked: tuple[int, int, int] = (12, 15, 9)) -> CaseView:
    """Return a brain of noise with one enhancing voxel at `marked`, and a predicted voxel next to it."""
    affine = affine_of(axes)
    origin = Origin("a", WHOLE, tuple(map(tuple, affine.tolist())), MARGIN, "brats2023", {}, {})
    image = np.random.default_rng(5).normal(size=(4, *WHOLE)).astype(np.float16)
    image[:, :6] = 0
    image[:, 6:][image[:, 6:] == 0] = 1
    reference, prediction = np.zeros((2, *WHOLE), np.uint8)
    reference[marked] = 4
    prediction[marked[0], marked[1] + 1, marked[2]] = 2
    return make_case_view(
        origin,
        np.stack([crop(modality, origin) for modality in image]),
        task=TASK,
        title="a: the only case",
        scores={"WT": {"dice": 0.5}},
        reference=crop(reference, origin),
        prediction=crop(prediction, origin),
    )


def read(encoded: dict[str, Any], name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return values and affine of a volume."""
    image = nib.Nifti1Image.from_bytes(gzip.decompress(base64.b64decode(encoded["volumes"][name])))
    assert image.get_data_dtype() == np.uint8
    return np.asarray(image.dataobj), image.affine


def position_mm(mask: np.ndarray, affine: np.ndarray, label: int) -> np.ndarray:
    """Return the position of the only voxel with a label."""
    (voxel,) = np.argwhere(mask == label)
    return (affine @ [*voxel, 1])[:3]


@pytest.mark.parametrize("axes", ["LPS", "RAS", "SAR", "PIL"])
def test_a_voxel_keeps_its_position_for_any_axes_of_the_raw_file(axes):
    marked = (12, 15, 9)
    encoded = encode_case(case_of(axes, marked), TASK)
    expected = (affine_of(axes) @ [*marked, 1])[:3]
    np.testing.assert_allclose(position_mm(*read(encoded, "reference"), 4), expected, atol=1e-4)
    beside = (affine_of(axes) @ [marked[0], marked[1] + 1, marked[2], 1])[:3]
    np.testing.assert_allclose(position_mm(*read(encoded, "prediction"), 2), beside, atol=1e-4)


@pytest.mark.parametrize("axes", ["LPS", "SAR"])
def test_both_forms_of_the_affine_agree(axes):
    content = gzip.decompress(base64.b64decode(encode_case(case_of(axes), TASK)["volumes"]["t1"]))
    header = nib.Nifti1Image.from_bytes(content).header
    np.testing.assert_allclose(header.get_qform(), header.get_sform(), atol=1e-4)


def test_all_volumes_are_on_one_grid():
    encoded = encode_case(case_of(), TASK)
    grids = [read(encoded, name) for name in (*TASK.channel_names, "reference", "prediction")]
    assert {values.shape for values, _ in grids} == {grids[0][0].shape}
    assert all((affine == grids[0][1]).all() for _, affine in grids)


def test_grey_values_equal_those_of_the_figures_within_half_a_level():
    case = case_of()
    encoded = encode_case(case, TASK)
    for name, modality in zip(TASK.channel_names, case.image, strict=True):
        values, _ = read(encoded, name)
        assert (
            np.abs(values / 255 - grey_values(modality, case.brain)).max() <= 0.5 / (encoded["levels"] - 1) + 0.5 / 255
        )
        assert len(np.unique(values)) <= encoded["levels"]


def test_only_the_background_is_black():
    case = case_of()
    assert (~case.brain).any()
    for name in TASK.channel_names:
        assert ((read(encode_case(case, TASK), name)[0] == 0) == ~case.brain).all()


def test_the_start_is_where_the_slices_with_the_most_tumour_meet():
    case = case_of("SAR", marked=(20, 8, 11))
    np.testing.assert_allclose(encode_case(case, TASK)["start"], (affine_of("SAR") @ [20, 8, 11, 1])[:3])


def test_equal_cases_give_equal_content():
    assert encode_case(case_of(), TASK) == encode_case(case_of(), TASK)


def test_a_small_case_has_all_grey_levels_and_voxels():
    encoded = encode_case(case_of(), TASK)
    assert (encoded["levels"], encoded["strides"]) == (64, (1, 1, 1))
    assert sum(map(len, encoded["volumes"].values())) < MAX_CASE_BYTES


def size(encoded: dict[str, Any]) -> int:
    return sum(map(len, encoded["volumes"].values()))


def test_a_smaller_limit_drops_grey_levels_before_voxels():
    whole = encode_case(case_of(), TASK)
    fewer = encode_case(case_of(), TASK, max_bytes=size(whole) - 1)
    assert (fewer["levels"], fewer["strides"]) == (48, (1, 1, 1))
    assert size(fewer) < size(whole)


def test_a_tiny_limit_drops_voxels_along_the_finest_axes_first():
    case = case_of(marked=(13, 16, 10))
    max_bytes = size(encode_case(case, TASK)) // 3
    encoded = encode_case(case, TASK, max_bytes=max_bytes)
    assert size(encoded) <= max_bytes
    strides = encoded["strides"]
    assert case.spacing_mm == SPACING
    assert strides[0] > 1
    assert strides[0] >= strides[1] >= strides[2]
    values, affine = read(encoded, "reference")
    kept = case.reference[tuple(slice(None, None, stride) for stride in strides)]
    assert (values == kept).all()
    np.testing.assert_allclose(affine[:3, 3], case.affine[:3, 3], atol=1e-4)  # the first voxel is kept
    corner, last = np.array(values.shape) - 1, (np.array(values.shape) - 1) * strides
    np.testing.assert_allclose(affine @ [*corner, 1], case.affine @ [*last, 1], atol=1e-3)


def test_many_cases_take_no_more_space_than_three():
    assert [max_bytes_per_case(cases) for cases in (1, 3)] == [MAX_CASE_BYTES, MAX_CASE_BYTES]
    assert 12 * max_bytes_per_case(12) <= 3 * MAX_CASE_BYTES
