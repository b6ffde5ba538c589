import json
import math

import pytest

from tests.gpu_check.check import Figure, Result, Verdict
from tests.gpu_check.scale import Scale, full_scale, reduced_scale


def test_a_claim_held_if_there_are_no_problems():
    assert Result.judged([], []).verdict is Verdict.HELD
    failed = Result.judged([], ["one", "two"])
    assert (failed.verdict, failed.reason) == (Verdict.FAILED, "one; two")


@pytest.mark.parametrize(
    ("value", "text"), [(0.123456, "0.1235 s"), (math.nan, "not finite s"), (math.inf, "not finite s")]
)
def test_a_figure_has_four_digits(value, text):
    assert Figure("time", value, "s").text() == text


def test_a_result_is_the_same_after_writing_and_reading():
    result = Result(Verdict.HELD, "fine", (Figure("a", 1.5, "s"), Figure("b", 2)), 3.0)
    assert Result.from_json(json.loads(json.dumps(result.to_json(), allow_nan=False))) == result


def test_a_value_that_is_not_finite_stays_so():
    content = json.loads(json.dumps(Result.judged([Figure("a", math.inf)], []).to_json(), allow_nan=False))
    assert math.isnan(Result.from_json(content).figures[0].value)


@pytest.mark.parametrize("scale", [full_scale(), reduced_scale("cpu")])
def test_a_scale_is_the_same_after_writing_and_reading(scale):
    assert Scale.from_json(json.loads(json.dumps(scale.to_json()))) == scale
