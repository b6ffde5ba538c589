import re

import pytest

from tumorseg.metrics.registry import metric
from tumorseg.reporting.shared.few_cases import axis_limits, case_points


@pytest.mark.parametrize(
    ("name", "values", "limits"),
    [
        ("dice", [0.2, 0.4], (0, 1)),
        ("hd95", [3, 374], (0, 374)),
        ("hd95", [0, 0], (0, 1)),
        ("volume_error_mm3", [-500, 200], (-500, 500)),
    ],
)
def test_an_axis_has_the_range_of_its_score(name, values, limits):
    assert axis_limits(metric(name), values) == limits


def test_each_case_is_a_point_at_its_score():
    svg = case_points([-1500.0, 3000.0], metric("volume_error_mm3"), (-3000, 3000))
    assert [float(x) for x in re.findall(r'cx="([^"]+)"', svg)] == [26.5, 91.0]
    assert "<title>−1.50, 3.00</title>" in svg
