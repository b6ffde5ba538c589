import numpy as np
from matplotlib.colors import to_rgb

from tumorseg.figures.comparison import AGREEMENT, FALSE, MISSED, OTHER_LABEL, OUTCOMES, compare


def test_every_voxel_has_its_outcome():
    reference = np.array([0, 1, 2, 4, 0], np.uint8)
    prediction = np.array([0, 1, 4, 0, 2], np.uint8)
    expected = [0, AGREEMENT.code, OTHER_LABEL.code, MISSED.code, FALSE.code]
    assert compare(reference, prediction).tolist() == expected


def test_outcomes_differ_without_colour():
    assert len({outcome.hatch for outcome in OUTCOMES}) == len(OUTCOMES)
    assert len({to_rgb(outcome.colour) for outcome in OUTCOMES}) == len(OUTCOMES)
