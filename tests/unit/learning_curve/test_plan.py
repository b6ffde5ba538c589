from tumorseg.learning_curve.plan import CurvePoint, curve_points


def test_without_a_start_model_there_is_a_point_for_each_size_and_seed():
    points = curve_points([5, 2], [1, 3], has_start_model=False)
    assert points == [CurvePoint("random", size, seed) for size in (2, 5) for seed in (1, 3)]
    assert points[0].folder == "random/cases-2/seed-1"


def test_with_a_start_model_every_training_has_both_starts_and_0_cases_is_one_point():
    points = curve_points([0, 2], [1, 2], has_start_model=True)
    assert points[0] == CurvePoint("model", 0, 0)
    assert [(point.start, point.cases) for point in points[1:]] == 2 * [("random", 2)] + 2 * [("model", 2)]
