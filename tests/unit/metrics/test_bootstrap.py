import numpy as np
import pytest
from hypothesis import given

from tests.support.builders import hypothesis_settings
from tests.support.random_masks import seeds
from tumorseg.metrics.bootstrap import Bootstrap, Bootstraps

TWO_PATIENTS = ["BraTS-GLI-00007-000", *(f"BraTS-GLI-00005-{time:03d}" for time in range(9))]
ONE_CASE_PER_PATIENT = [f"BraTS2021_{number:05d}" for number in range(12)]


def describe(cases, values, *, confidence=0.95, samples=500, seed=1):
    return Bootstrap(cases, confidence=confidence, samples=samples, seed=seed).describe(np.asarray(values, float))


def random_values(cases, seed=0):
    return np.random.default_rng(seed).normal(size=len(cases))


def test_statistics_equal_those_of_numpy():
    values = random_values(ONE_CASE_PER_PATIENT)
    found = describe(ONE_CASE_PER_PATIENT, values)
    assert found["n"] == 12
    assert [found[name] for name in ("mean", "median")] == pytest.approx([np.mean(values), np.median(values)])
    assert [found["q1"], found["q3"]] == pytest.approx(np.percentile(values, [25, 75]))


@hypothesis_settings(50)
@given(seed=seeds)
def test_the_interval_contains_the_mean(seed):
    found = describe(ONE_CASE_PER_PATIENT, random_values(ONE_CASE_PER_PATIENT, seed))
    assert found["low"] <= found["mean"] <= found["high"]


def test_the_result_is_reproducible():
    values = random_values(ONE_CASE_PER_PATIENT)
    assert describe(ONE_CASE_PER_PATIENT, values) == describe(ONE_CASE_PER_PATIENT, values)


def test_another_seed_changes_the_interval_only():
    values = random_values(ONE_CASE_PER_PATIENT)
    first, second = describe(ONE_CASE_PER_PATIENT, values, seed=1), describe(ONE_CASE_PER_PATIENT, values, seed=2)
    moved = {name for name in first if first[name] != second[name]}
    assert moved == {"low", "high"}


def test_a_higher_confidence_gives_a_wider_interval():
    narrow, wide = (
        describe(ONE_CASE_PER_PATIENT, random_values(ONE_CASE_PER_PATIENT), confidence=confidence)
        for confidence in (0.5, 0.99)
    )
    assert wide["low"] < narrow["low"] < narrow["high"] < wide["high"]


@pytest.mark.parametrize("cases", [TWO_PATIENTS, ONE_CASE_PER_PATIENT, [*TWO_PATIENTS, *ONE_CASE_PER_PATIENT]])
def test_the_cases_of_a_patient_are_drawn_together(cases):
    values, patients = random_values(cases), [case[:15] for case in cases]
    names = sorted(set(patients))
    means = []
    for draw in np.random.default_rng(5).integers(len(names), size=(300, len(names))):
        drawn = [value for number in draw for value, of in zip(values, patients, strict=True) if of == names[number]]
        means.append(np.mean(drawn))
    found = describe(cases, values, confidence=0.9, samples=300, seed=5)
    assert [found["low"], found["high"]] == pytest.approx(np.quantile(means, [0.05, 0.95]))


def test_the_interval_of_a_single_patient_is_the_mean():
    cases = TWO_PATIENTS[1:]
    found = describe(cases, random_values(cases))
    assert [found["low"], found["high"]] == pytest.approx([found["mean"]] * 2)


def test_cases_of_one_patient_widen_the_interval():
    values = np.repeat([0.0, 1.0, 0.2, 0.7], 3)
    together = [f"BraTS-GLI-{patient:05d}-{time:03d}" for patient in range(4) for time in range(3)]
    widths = [
        found["high"] - found["low"]
        for found in (describe(cases, values) for cases in (together, ONE_CASE_PER_PATIENT))
    ]
    assert widths[0] > 1.3 * widths[1]


def test_all_statistics_of_a_single_case_are_its_value():
    found = describe(ONE_CASE_PER_PATIENT[:1], [0.7])
    assert set(found.values()) == {1, 0.7}


def test_numbers_are_plain_python_types():
    assert {
        type(number) for number in describe(ONE_CASE_PER_PATIENT, random_values(ONE_CASE_PER_PATIENT)).values()
    } == {int, float}


def test_means_of_all_draws_equal_those_of_a_loop():
    bootstrap = Bootstrap(TWO_PATIENTS, confidence=0.9, samples=600, seed=3)
    values = np.random.default_rng(1).normal(size=(10, 2))
    drawn = np.random.default_rng(3).integers(2, size=(600, 2))
    cases_of = [np.arange(1, 10), np.array([0])]  # patients sorted by name: 00005, then 00007
    expected = [np.concatenate([values[cases_of[patient]] for patient in draw]).mean(axis=0) for draw in drawn]
    assert bootstrap.resampled_means(values) == pytest.approx(np.array(expected))


def test_bootstraps_of_the_same_cases_are_drawn_once():
    bootstraps = Bootstraps(ONE_CASE_PER_PATIENT, confidence=0.9, samples=10, seed=1)
    counted = np.arange(12) < 5
    assert bootstraps.of(counted) is bootstraps.of(counted.copy())
    values = random_values(ONE_CASE_PER_PATIENT[:5])
    alone = Bootstrap(ONE_CASE_PER_PATIENT[:5], confidence=0.9, samples=10, seed=1)
    assert bootstraps.of(counted).describe(values) == alone.describe(values)
    assert bootstraps.patients == 12
