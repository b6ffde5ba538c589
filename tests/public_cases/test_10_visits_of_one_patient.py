"""Case 10: six patients with three visits each, in five naming schemes. All visits of a patient are in one fold."""

from collections import defaultdict

import pytest

from tests.integration.workflow import Workflow
from tests.public_cases import generate_case
from tests.support.case_files import TASK
from tumorseg.cohort.discovery import discover_cases
from tumorseg.cohort.patients import assign_patients, patient_grouping_warnings
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
    return generate_case("10", tmp_path_factory.mktemp("visits"))


def split(data, kind, folder, **cohort):
    """Run `split`, and return the folds, the output and the cohort check."""
    run = Workflow(folder)
    run.configure({"demo": None, "cohort": {"root": str(data / kind), "shards": 1, "folds": 3, **cohort}})
    output = run.succeed("split")
    return read_splits(run.results / "cohort/splits.tsv"), output, read_json(run.results / "cohort/check.json")


@pytest.mark.parametrize("kind", PREFIXES)
def test_the_visits_belong_to_six_patients(data, kind):
    patients = assign_patients([case.case for case in discover_cases(data / kind, TASK)])
    assert {case[: PREFIXES[kind]] for case in patients} == set(patients.values())
    assert (len(patients), len(set(patients.values())), patient_grouping_warnings(patients)) == (18, 6, [])


@pytest.mark.parametrize(
    "kind", ["upenn", *(pytest.param(kind, marks=pytest.mark.release) for kind in PREFIXES if kind != "upenn")]
)
def test_no_patient_is_in_two_folds(data, tmp_path, kind):
    splits, output, check = split(data, kind, tmp_path / "run")
    folds = defaultdict(set)
    for row in splits:
        folds[row.case[: PREFIXES[kind]]].add(row.fold)
    assert len(splits) == 18
    assert [len(patient_folds) for patient_folds in folds.values()] == [1] * 6
    assert (check["patients"], check["doubts"]) == (6, [])
    assert "patients with usable cases: 6" in output


@pytest.mark.release
def test_a_configured_pattern_overrides_the_names(data, tmp_path):
    splits, *_ = split(data, "ucsf", tmp_path / "run", patient=r"\d{4}(\d_time)\d")
    assert sorted({row.patient for row in splits}) == [f"{number}_time" for number in range(1, 7)]
