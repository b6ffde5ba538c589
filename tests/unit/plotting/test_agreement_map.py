import numpy as np
from matplotlib.colors import to_rgb

from tumorseg.plotting.agreement_map import AGREEMENT, FALSE_TUMOUR, MISSED_TUMOUR, OUTCOMES, WRONG_LABEL, outcome_map


def test_every_voxel_has_an_outcome():
    reference = np.array([0, 1, 2, 4, 0], np.uint8)
    prediction = np.array([0, 1, 4, 0, 2], np.uint8)
    expected = [0, AGREEMENT.code, WRONG_LABEL.code, MISSED_TUMOUR.code, FALSE_TUMOUR.code]
    assert outcome_map(reference, prediction).tolist() == expected


def test_outcomes_differ_without_colour():
    assert len({outcome.hatch for outcome in OUTCOMES}) == len(OUTCOMES)
    assert len({to_rgb(outcome.colour) for outcome in OUTCOMES}) == len(OUTCOMES)
