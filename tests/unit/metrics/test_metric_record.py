"""Contradictory records of metrics are refused. Intermediate results are shared."""

import pytest

from tests.unit.metrics.test_registry import FOUND, MISSED
from tumorseg.metrics import registry
from tumorseg.metrics.metric_record import Metric
from tumorseg.metrics.overlap import Overlap
from tumorseg.metrics.pair import StructurePair


def test_a_name_that_is_in_use_is_refused():
    for name in ("dice", "reference_mm3", "case"):
        with pytest.raises(ValueError, match="already have a column with this name"):
            registry.register(Metric(**{**vars(FOUND), "name": name}))


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match="there is no metric dise; metrics are dice, iou"):
        registry.metric("dise")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"better": "lower", "places": ()}, "lower is better, but best is 1 and worst 0"),
        ({"better": "higher", "best": 0, "worst": 374, "places": ()}, "higher is better, but best is 0 and worst 374"),
        ({"better": "nearer_zero", "places": ()}, "best must be 0 if better is nearer_zero"),
        ({"better": "larger"}, "better must be higher or lower or nearer_zero, not larger"),
        ({"places": ("report", "apge")}, "there is no place apge"),
        ({"worst": None, "places": ()}, "counts_empty must be true"),
        ({"needs": "neither"}, "needs cannot be neither if counts_empty is false"),
        ({"best": 2}, "shows scores with worst 0 and best 1 only"),
        ({"definition": ""}, "needs a title and a definition"),
        ({"name": "Share found"}, "lower-case letters"),
    ],
)
def test_a_record_that_contradicts_itself_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        Metric(**{**vars(FOUND), **changes})


def test_a_score_that_is_not_finite_is_refused():
    metric = Metric(**{**vars(FOUND), "value": lambda pair: float("nan") * pair.overlap.true_positives})
    with pytest.raises(ValueError, match="metric found_share: nan is not a finite number"):
        metric.score(StructurePair(Overlap(1, 0, 0, 0)))


def test_a_metric_of_masks_cannot_be_computed_from_counts():
    with pytest.raises(ValueError, match="needs masks"):
        MISSED.score(StructurePair(Overlap(1, 0, 0, 0)))


def test_a_shared_result_is_computed_once():
    calls = []
    pair = StructurePair(Overlap(1, 0, 0, 0))

    def compute(of):
        calls.append(of)
        return "shared"

    assert [pair.compute_once(compute), pair.compute_once(compute)] == ["shared", "shared"]
    assert calls == [pair]
