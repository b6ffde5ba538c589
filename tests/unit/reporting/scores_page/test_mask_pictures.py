import re

import numpy as np
import pytest

from tumorseg.reporting.scores_page.mask_pictures import common_window, mask_picture

COLOURS = {1: "#D55E00", 2: "#56B4E9"}


def drawn_pixels(picture: str, colour: str) -> set[tuple[int, int]]:
    """Return the pixels (row, column) that the path of a colour fills."""
    paths = re.findall(rf'fill="{colour}" d="([^"]+)"', picture)
    runs = re.findall(r"M(\d+) (\d+)h(\d+)v1H\d+z", "".join(paths))
    return {(int(row), int(left) + step) for left, row, length in runs for step in range(int(length))}


def border_length(picture: str) -> int:
    path = re.search(r'class="border" d="([^"]*)"', picture)[1]
    return sum(map(int, re.findall(r"[hv](\d+)", path)))


@pytest.fixture
def mask():
    mask = np.zeros((80, 90), np.uint8)
    mask[30:40, 40:52] = 2
    mask[33:36, 42:47] = 1
    mask[31, 43] = 0
    return mask


def picture_of(mask, outlined, pixel_mm=(1.0, 1.0)):
    return mask_picture(mask, common_window([mask, outlined], pixel_mm), COLOURS, outlined=outlined, name="a mask")


def test_each_label_fills_its_pixels(mask):
    window = common_window([mask], (1.0, 1.0))
    picture = picture_of(mask, mask)
    for label, colour in COLOURS.items():
        expected = {(row - window.top, column - window.left) for row, column in np.argwhere(mask == label)}
        assert drawn_pixels(picture, colour) == expected


def test_lines_are_the_edges_between_labels(mask):
    across = np.count_nonzero(np.diff(np.pad(mask, 1).astype(int), axis=0))
    down = np.count_nonzero(np.diff(np.pad(mask, 1).astype(int), axis=1))
    assert border_length(picture_of(np.zeros_like(mask), mask)) == across + down


def test_all_pictures_of_a_case_show_the_same_part_with_a_margin(mask):
    window = common_window([mask, np.roll(mask, 5, axis=1)], (1.0, 1.0))
    assert window.left <= 40 - 8
    assert window.right >= 57 + 8
    assert window.cut(mask).shape == (window.bottom - window.top, window.right - window.left)


@pytest.mark.parametrize("pixel_mm", [(1.0, 1.0), (0.5, 2.0)])
def test_a_small_mask_is_not_blown_up_and_pixels_keep_their_proportions(pixel_mm):
    mask = np.zeros((200, 200), np.uint8)
    mask[100, 100] = 1
    width_mm, height_mm = common_window([mask], pixel_mm).size_mm
    assert 60 <= width_mm <= 64
    assert 60 <= height_mm <= 64


def test_a_window_ends_at_the_image_and_empty_masks_have_one():
    mask = np.zeros((20, 30), np.uint8)
    window = common_window([mask], (1.0, 1.0))
    assert (window.top, window.bottom, window.left, window.right) == (0, 20, 0, 30)
    assert drawn_pixels(picture_of(mask, mask), COLOURS[1]) == set()


def test_the_name_is_escaped(mask):
    picture = mask_picture(mask, common_window([mask], (1.0, 1.0)), COLOURS, outlined=mask, name='<b> & "x"')
    assert 'aria-label="&lt;b> &amp; &quot;x&quot;"' in picture
