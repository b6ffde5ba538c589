import numpy as np
import pytest

from tumorseg.demo.anatomy import cohort_grid, load_template
from tumorseg.synthetic.heads import random_positions, sample_anatomy

SPACING_MM = 6.0


@pytest.fixture(scope="session")
def template():
    return load_template(SPACING_MM)


@pytest.fixture(scope="session")
def anatomy(template):
    positions, _ = random_positions(cohort_grid(template, SPACING_MM), np.random.default_rng(1))
    return sample_anatomy(template, positions)
