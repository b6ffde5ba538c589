import re
from xml.etree import ElementTree

import numpy as np
import pytest

from tumorseg.metrics.registry import metric
from tumorseg.reporting.shared.paired_plots import case_plot, interval_plot

CASES = ["a", "b", "c"]


def plot(values, name="dice", folders=("one", "two"), cases=CASES):
    return case_plot(np.array(values, float), cases, folders, metric(name), name="a plot")


def case_places(picture: str) -> list[list[float]]:
    """Return the heights of the points of each case; larger is lower on the page."""
    root = ElementTree.fromstring(picture)
    groups = root.findall("g")[0].findall("g")
    return [[float(circle.get("cy")) for circle in group.findall("circle")] for group in groups]


def tick_texts(picture: str) -> list[str]:
    return re.findall(r'text-anchor="end">([^<]+)<', picture)


def test_a_case_is_a_line_with_a_point_for_each_folder_in_order():
    picture = plot([[0.2, 0.8], [0.5, 0.5], [0.9, 0.1]])
    places = case_places(picture)
    assert places[0][0] > places[0][1]
    assert places[1][0] == places[1][1]
    assert places[2][0] < places[2][1]
    assert re.findall(r"<title>(\w)</title>", picture) == CASES
    assert picture.count('class="mean"') == 1


def test_heights_are_proportional_to_the_scores():
    (low, middle, high), *_ = zip(*case_places(plot([[0.2, 0.2], [0.4, 0.4], [0.8, 0.8]])), strict=True)
    assert (low - middle) * 2 == pytest.approx(middle - high, abs=0.3)


def test_the_worst_hd95_is_on_a_line_above_the_others():
    picture = plot([[2, 374], [4, 3], [380 / 100, 5]], "hd95")
    heights = case_places(picture)
    assert heights[0][1] < min(heights[0][0], *heights[1], *heights[2])
    assert tick_texts(picture)[-1] == "374"
    assert 'class="mean"' not in picture  # its place would not be that of its value


@pytest.mark.parametrize("values", [[[350, 374], [20, 3], [1, 0]], [[374, 374], [374, 374], [374, 374]]])
def test_tick_texts_are_in_order_and_do_not_repeat(values):
    ticks = [float(text) for text in tick_texts(plot(values, "hd95"))]
    assert ticks == sorted(set(ticks))


def test_volumes_are_in_the_unit_of_pages():
    texts = tick_texts(plot([[-4000, 2000], [0, 1000], [500, 3000]], "volume_error_mm3"))
    assert texts[0].startswith("−")
    assert max(float(text.replace("−", "-")) for text in texts) <= 5


def test_equal_values_and_a_single_folder_can_be_drawn():
    for values in ([[1, 1]] * 3, [[0.0, 0.0]] * 3):
        ElementTree.fromstring(plot(values))
    alone = plot([[0.5], [0.6], [0.7]], folders=("one",))
    assert len(case_places(alone)) == 3
    assert alone.count('class="mean"') == 1


def test_many_cases_have_lines_only():
    picture = plot(np.full((800, 2), 0.5), cases=[f"c{number}" for number in range(800)])
    assert picture.count("<path d=") == 800
    assert "<circle" not in picture
    assert "<title>" not in picture


def test_names_are_escaped():
    picture = plot([[0.5, 0.6]], folders=("<i>", "b & c"), cases=["<script>"])
    assert {"&lt;i&gt;", "b &amp; c"} <= set(re.findall(r">([^<>]+)</text>", picture))
    assert "<script>" not in picture


def test_an_interval_lies_to_the_side_of_its_sign():
    picture = interval_plot(-0.3, -0.2, -0.1, 0.5, significant=True)
    left, right = map(float, re.search(r'range significant" d="M([\d.]+) 8H([\d.]+)"', picture).groups())
    assert left < right < 80
    assert "significant" not in interval_plot(0.0, 0.0, 0.0, 0.0, significant=False)
