"""Six patients with three visits each, named in five ways: no patient is held out in two folds."""

from collections import defaultdict

import pytest

from tests.integration.workflow import Workflow
from tests.public_cases import made
from tests.support.case_files import TASK
from tumorseg.cohort.discovery import discover_cases
from tumorseg.cohort.patients import assign_patients, patient_warnings
from tumorseg.cohort.splits import read_splits
from tumorseg.io.files import read_json

PREFIXES = {
    "upenn": len("UPENN-GBM-00001"),
    "lumiere": len("Patient-001"),
    "bids": len("sub-001"),
    "ucsf": len("00001"),
    "brats": len("BraTS-GLI-00001"),
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return made("10", tmp_path_factory.mktemp("visits"))


def split(data, kind, folder, **cohort):
    """Cases with their folds, and what the run said."""
    run = Workflow(folder)
    run.configure({"demo": None, "cohort": {"root": str(data / kind), "shards": 1, "folds": 3, **cohort}})
    said = run.succeed("split")
    return read_splits(run.results / "cohort/splits.tsv"), said, read_json(run.results / "cohort/check.json")


@pytest.mark.parametrize("kind", PREFIXES)
def test_the_visits_are_those_of_six_patients(data, kind):
    patients = assign_patients([case.case for case in discover_cases(data / kind, TASK)])
    assert {case[: PREFIXES[kind]] for case in patients} == set(patients.values())
    assert (len(patients), len(set(patients.values())), patient_warnings(patients)) == (18, 6, [])


@pytest.mark.parametrize(
    "kind", ["upenn", *(pytest.param(kind, marks=pytest.mark.slow) for kind in PREFIXES if kind != "upenn")]
)
def test_no_patient_is_in_two_folds(data, tmp_path, kind):
    splits, said, check = split(data, kind, tmp_path / "run")
    folds = defaultdict(set)
    for row in splits:
        folds[row.case[: PREFIXES[kind]]].add(row.fold)
    assert len(splits) == 18
    assert [len(of_patient) for of_patient in folds.values()] == [1] * 6
    assert (check["patients"], check["doubts"]) == (6, [])
    assert "patients with usable cases: 6" in said


@pytest.mark.slow
def test_a_pattern_of_ones_own_goes_before_the_names(data, tmp_path):
    splits, *_ = split(data, "ucsf", tmp_path / "run", patient=r"\d{4}(\d_time)\d")
    assert sorted({row.patient for row in splits}) == [f"{number}_time" for number in range(1, 7)]
