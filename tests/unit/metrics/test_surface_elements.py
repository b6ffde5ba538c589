import numpy as np
import pytest
from surface_distance import lookup_tables

from tests.support.random_masks import SPACINGS, blob_pair
from tumorseg.metrics.surface_elements import cell_areas, cell_codes

CODES = np.arange(256)
CELLS = (CODES[:, None] >> np.arange(8) & 1).reshape(256, 2, 2, 2).astype(bool)
"""The voxels of each code."""


@pytest.mark.parametrize("spacing_mm", [*SPACINGS, (3.0, 1.0, 0.2), (0.1, 5.0, 5.0)])
def test_areas_equal_deepminds_package(spacing_mm):
    areas = lookup_tables.create_table_neighbour_code_to_surface_area(spacing_mm)
    expected_codes = (CELLS * lookup_tables.ENCODE_NEIGHBOURHOOD_3D_KERNEL).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(cell_areas(spacing_mm), areas[expected_codes], rtol=1e-12, atol=0)


@pytest.mark.parametrize("spacing_mm", SPACINGS)
def test_inside_and_outside_have_the_same_surface(spacing_mm):
    np.testing.assert_array_equal(cell_areas(spacing_mm), cell_areas(spacing_mm)[255 - CODES])


def test_only_uniform_cells_have_no_surface():
    assert np.flatnonzero(cell_areas((1.0, 1.0, 1.0)) == 0).tolist() == [0, 255]


def test_the_cached_areas_are_read_only():
    with pytest.raises(ValueError, match="read-only"):
        cell_areas((1.0, 1.0, 1.0))[1] = 0


def test_each_code_matches_its_voxels():
    for code in CODES:
        assert cell_codes(CELLS[code])[1, 1, 1] == code


def test_the_grid_is_surrounded_by_background():
    codes = cell_codes(np.ones((1, 1, 1), bool))
    assert sorted(codes.ravel().tolist()) == [1, 2, 4, 8, 16, 32, 64, 128]


@pytest.mark.parametrize("seed", range(10))
def test_every_voxel_corner_has_a_code(seed):
    mask, _ = blob_pair(seed)
    padded = np.pad(mask, 1)
    codes = cell_codes(mask)
    assert codes.shape == tuple(side + 1 for side in mask.shape)
    for x, y, z in np.ndindex(codes.shape):
        np.testing.assert_array_equal(CELLS[codes[x, y, z]], padded[x : x + 2, y : y + 2, z : z + 2])


def test_a_single_voxel_is_an_octahedron():
    areas = cell_areas((1.0, 1.0, 1.0))[cell_codes(np.ones((1, 1, 1), bool))]
    assert areas.sum() == pytest.approx(np.sqrt(3))
