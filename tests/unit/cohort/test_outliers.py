import pytest

from tests.unit.cohort.test_overview import TASK, overview_of, validated
from tumorseg.cohort.outliers import robust_z_scores


def cohort(count=12, **unusual):
    """Return similar cases, then one with other facts."""
    cases = [
        validated(
            f"{number:02d}",
            median=500.0 + number % 5,
            brain_voxels=1_400_000 + 10_000 * (number % 4),
            label_2=20_000 + 1000 * (number % 6),
        )
        for number in range(count - 1)
    ]
    return overview_of(*cases, validated("odd", **{"brain_voxels": 1_400_000, **unusual}))


def unusual_values(overview):
    return {outlier.case.case: [value.measure for value in outlier.values] for outlier in overview.outliers}


def test_similar_cases_are_no_outliers():
    assert unusual_values(cohort()) == {}


def test_a_case_with_other_intensities_is_an_outlier_in_each_image():
    overview = cohort(median=5000.0)
    assert unusual_values(overview) == {"odd": [f"{channel.title}: median" for channel in TASK.channels]}
    value = overview.outliers[0].values[0]
    assert (value.value, value.unit, value.score > 3.5) == (5000, "", True)


def test_a_small_brain_is_an_outlier_in_millilitres():
    (outlier,) = cohort(brain_voxels=600_000).outliers
    (value,) = outlier.values
    assert (value.measure, value.value, value.unit) == ("Brain volume", pytest.approx(600), "ml")
    assert value.score < -3.5
    assert outlier.score == -value.score


def test_tumours_are_compared_by_the_logarithm_of_their_volume():
    found = unusual_values(cohort(label_2=100))["odd"]
    assert "Label 2, oedema" in found
    assert "Whole tumour" in found
    twice = cohort(label_2=2 * 22_000).outliers[0].values[0]
    half = cohort(label_2=22_000 // 2).outliers[0].values[0]
    assert twice.score == pytest.approx(-half.score, rel=0.1)


def test_an_absent_structure_is_not_compared():
    assert unusual_values(cohort(label_4=0)) == {}


def test_few_cases_have_no_outliers():
    assert unusual_values(cohort(count=9, median=5000.0)) == {}


def test_the_most_extreme_case_comes_first():
    medians = [500, 510, 490, 505, 495, 500, 510, 490, 505, 495, 5000, 4000, -3000, 2000]
    overview = overview_of(*(validated(f"{number:02d}", median=float(m)) for number, m in enumerate(medians)))
    assert [outlier.case.case for outlier in overview.outliers] == ["10", "12", "11", "13"]
    assert overview.outliers[1].values[0].score < 0


def test_equal_values_have_no_scores():
    assert robust_z_scores([5.0, 5.0, 5.0, 9.0]) == [0, 0, 0, 0]
