import base64
import gzip

import nibabel as nib
import numpy as np
import pytest

from tumorseg.evaluation.disagreements import CaseMasks, Disagreement
from tumorseg.plotting.viewer_volumes import MARKED, encoded_bytes
from tumorseg.reporting.scores_page.mask_viewer import PairCollector, encode_pairs

SPACING = (1.0, 2.0, 4.0)
AFFINE = np.array([[-1.0, 0, 0, 50], [0, -2, 0, 60], [0, 0, -4, 70], [0, 0, 0, 1]])


@pytest.fixture
def masks():
    """A reference with one voxel, a prediction with another one, and a folder without a mask."""
    reference, prediction = np.zeros((2, 60, 50, 40), np.uint8)
    reference[30, 25, 20] = 4
    prediction[33, 25, 21] = 2
    return CaseMasks("case-1", reference, {"one": prediction, "two": None}, SPACING, AFFINE)


def read(encoded, name):
    image = nib.Nifti1Image.from_bytes(gzip.decompress(base64.b64decode(encoded["volumes"][name])))
    return np.asarray(image.dataobj), image.affine


def place_mm(volume, affine):
    (voxel,) = np.argwhere(volume)
    return (affine @ [*voxel, 1])[:3]


def test_each_valid_prediction_is_shown_with_the_reference_the_worst_first(masks):
    masks.predictions["three"] = masks.reference
    collector = PairCollector()
    collector.add(Disagreement("case-1", True, {"one": 0.5, "three": 0.25}), masks)
    assert [pair["case"] for pair in collector.pairs] == ["case-1, three", "case-1, one"]
    assert collector.texts == ["Mean Dice over the labels: 0.250.", "Mean Dice over the labels: 0.500."]


def test_a_mask_without_room_is_left_out_and_counted(masks):
    masks.predictions["three"] = masks.reference
    found = Disagreement("case-1", True, {"one": 0.5, "three": 0.25})
    (pair,) = encode_pairs(masks, ["three"])
    collector = PairCollector(max_bytes=encoded_bytes(pair))
    collector.add(found, masks)
    assert [pair["case"] for pair in collector.pairs] == ["case-1, three"]
    assert collector.left_out == 1


def test_the_cut_masks_stay_where_they_were(masks):
    (pair,) = encode_pairs(masks, ["one"])
    reference, affine = read(pair, "reference")
    assert reference.shape == (24, 21, 22)  # 10 voxels of 1 mm on each side
    np.testing.assert_allclose(place_mm(reference == 4, affine), (AFFINE @ [30, 25, 20, 1])[:3])
    np.testing.assert_allclose(place_mm(read(pair, "prediction")[0] == 2, affine), (AFFINE @ [33, 25, 21, 1])[:3])


def test_grey_values_are_the_share_of_masks_with_a_label(masks):
    masks.predictions["three"] = masks.reference
    pair = next(encode_pairs(masks, ["one"]))
    marked = read(pair, MARKED)[0]
    assert sorted(marked[marked > 0] / 255) == pytest.approx([0.5 / 3, 0.5 * 2 / 3], abs=0.01)


def test_empty_masks_are_shown_whole(masks):
    masks.reference[:], masks.predictions["one"][:] = 0, 0
    (pair,) = encode_pairs(masks, ["one"])
    assert read(pair, "reference")[0].shape == masks.reference.shape
