import itertools

import numpy as np
import pytest

from tumorseg.plotting.panels import border_edges, border_loops, deepest_points, pixel_outlines

SHAPES = {"pixel": (["#"], 4), "pair": (["##"], 6), "corner": (["#.", "##"], 8), "ring": (["###", "#.#", "###"], 16)}


@pytest.mark.parametrize(("rows", "edges"), SHAPES.values(), ids=SHAPES)
def test_the_border_is_as_long_as_the_perimeter(rows, edges):
    region = np.array([[letter == "#" for letter in row] for row in rows])
    assert len(border_edges(region)) == edges


def test_the_border_of_a_pixel_runs_along_its_edges():
    region = np.zeros((3, 4), bool)
    region[1, 2] = True
    found = {tuple(map(tuple, segment)) for segment in border_edges(region)}
    assert found == {((2, 1), (3, 1)), ((2, 2), (3, 2)), ((2, 1), (2, 2)), ((3, 1), (3, 2))}


@pytest.mark.parametrize("rows", [["##."], ["###", "#.#", "###"], ["#.", ".#"], [".#", "#."], ["##.", "#.#", "###"]])
def test_the_border_is_closed_lines_over_the_same_edges(rows):
    region = np.array([[letter == "#" for letter in row] for row in rows])
    loops = border_loops(region)
    assert all((loop[0] == loop[-1]).all() for loop in loops)
    steps = [sorted(map(tuple, step)) for loop in loops for step in itertools.pairwise(loop)]
    assert sorted(steps) == sorted(sorted(map(tuple, edge)) for edge in border_edges(region))


@pytest.mark.parametrize("rows", [["#.", ".#"], [".#", "#."]])
def test_pixels_that_share_a_corner_have_separate_lines(rows):
    region = np.array([[letter == "#" for letter in row] for row in rows])
    assert [len(loop) for loop in border_loops(region)] == [5, 5]


def test_each_pixel_is_one_closed_square():
    region = np.zeros((3, 4), bool)
    region[1, 2] = True
    assert pixel_outlines(region).tolist() == [[[2, 1], [3, 1], [3, 2], [2, 2], [2, 1]]]


def test_each_component_is_deepest_in_its_middle():
    region = np.zeros((5, 9), bool)
    region[:, :5], region[4, 6:] = True, True
    (large, depth), (_, small_depth) = deepest_points(region, (1.0, 1.0))
    assert (large.tolist(), depth, small_depth) == ([2.5, 2.5], 3.0, 1.0)


def test_the_depth_is_in_the_unit_of_the_pixels():
    region = np.ones((3, 5), bool)
    assert deepest_points(region, (10.0, 1.0))[0][1] == 3.0
    assert deepest_points(region, (0.5, 1.0))[0][1] == 1.0


def test_an_empty_region_has_neither_borders_nor_points():
    empty = np.zeros((2, 2), bool)
    assert len(border_edges(empty)) == len(pixel_outlines(empty)) == len(deepest_points(empty, (1.0, 1.0))) == 0
    assert border_loops(empty) == []
