"""Runs with a sample sheet and with two cohort folders. A changed row reruns only dependent results."""

import pytest

from tests.integration.workflow import Workflow
from tests.support.case_files import SUFFIXES, write_valid_case
from tumorseg.cohort.case_files import shard_of
from tumorseg.cohort.manifest import read_manifest
from tumorseg.cohort.splits import read_splits

pytestmark = pytest.mark.slow

CASES = [f"P{number}" for number in range(6)]
SHARDS = 3
DEPEND_ON_PATIENTS = {"manifest", "cohort_page", "check_cohort", "split"}


def write_sheet(run, **changes):
    """Write a row per case. changes: patient and T1 path of some cases."""
    rows = ["case\tpatient\tt1\tt1ce\tt2\tflair\tmask"]
    for number, case in enumerate(CASES):
        paths = [f"far/{number}/{number}-{suffix}.nii.gz" for suffix in SUFFIXES.values()]
        patient, paths[0] = changes.get(case, ("Ann" if number < 2 else "", paths[0]))
        rows.append("\t".join([case, patient, *paths]))
    (run.folder / "lists/samples.tsv").write_text("\n".join(rows) + "\n")


@pytest.fixture(scope="module")
def finished_sheet(tmp_path_factory):
    run = Workflow(tmp_path_factory.mktemp("sheet") / "run")
    for number in range(len(CASES)):
        write_valid_case(run.folder / "lists/far", str(number), seed=number)
    run.configure({"demo": None, "cohort": {"root": "nowhere", "samples": "lists/samples.tsv", "shards": SHARDS}})
    write_sheet(run)
    run.succeed("split", "normalise", "validate")
    return run


@pytest.fixture
def run(finished_sheet, tmp_path):
    return finished_sheet.copy(tmp_path / "run")


def test_cases_and_patients_match_the_sheet(finished_sheet):
    table = read_manifest(finished_sheet.results / "cohort/manifest.tsv")
    assert table["usable"].all()
    assert list(table["case"]) == CASES
    assert list(table["patient"]) == ["Ann", "Ann", *CASES[2:]]
    assert set(table["channels"]) == {"t1,t1ce,t2,flair"}
    assert sorted(path.stem for path in finished_sheet.results.glob("normalised/*/*.safetensors")) == CASES
    folds = {row.case: row.fold for row in read_splits(finished_sheet.results / "cohort/splits.tsv")}
    assert folds["P0"] == folds["P1"]
    assert not finished_sheet.planned("split", "normalise", "validate")


def test_a_changed_patient_revalidates_nothing(run):
    write_sheet(run, P3=("Bob", "far/3/3-t1n.nii.gz"))
    planned = run.planned("split", "normalise", "validate")
    assert set(planned) == DEPEND_ON_PATIENTS
    run.succeed("split", "normalise", "validate")
    assert "Bob" in list(read_manifest(run.results / "cohort/manifest.tsv")["patient"])


def test_a_changed_path_reruns_its_shard_and_a_missing_file_drops_its_case(run):
    write_sheet(run, P3=("", "far/3/gone.nii.gz"))
    planned = run.planned("split", "normalise", "validate")
    assert planned["validate_batch"] == planned["normalise_batch"] == 1
    run.succeed("validate")
    table = read_manifest(run.results / "cohort/manifest.tsv").set_index("case")
    assert table.loc["P3", "problems"] == "missing_modality"
    assert "far/3/gone.nii.gz" in table.loc["P3", "detail"]
    assert table["usable"].sum() == 5
    (run.folder / "lists/far/3/3-t1n.nii.gz").rename(run.folder / "lists/far/3/gone.nii.gz")
    assert run.planned("validate")["validate_batch"] == 1
    run.succeed("validate")
    assert read_manifest(run.results / "cohort/manifest.tsv")["usable"].all()


def test_the_order_of_rows_changes_nothing_and_a_removed_case_only_its_shard(run):
    path = run.folder / "lists/samples.tsv"
    header, *rows = path.read_text().splitlines()
    path.write_text("\n".join([header, *rows[::-1]]) + "\n")
    assert not run.planned("split", "normalise", "validate")
    path.write_text("\n".join([header, *rows[1:]]) + "\n")
    planned = run.planned("validate")
    assert planned["validate_batch"] == (shard_of("P0", SHARDS) in {shard_of(case, SHARDS) for case in CASES[1:]})


def test_patients_from_both_sheet_and_pattern_are_refused(run):
    run.configure({"demo": None, "cohort": {"samples": "lists/samples.tsv", "patient": "(P).", "shards": SHARDS}})
    output = run.run("validate").stdout
    assert "cohort.patient: (P). and the column patient of lists/samples.tsv" in output


@pytest.mark.parametrize(
    ("cohort", "message"), [({"samples": "s.tsv"}, "demo: null"), ({"root": ["a", "b"]}, "a single folder")]
)
def test_the_demo_refuses_other_cohort_settings(tmp_path, cohort, message):
    run = Workflow(tmp_path / "run")
    run.configure({"cohort": cohort})
    assert message in run.run("validate").stdout


def test_two_folders_are_one_cohort(tmp_path):
    run = Workflow(tmp_path / "run")
    for number in range(4):
        write_valid_case(run.folder / f"data/part{number % 2}", CASES[number], seed=number)
    run.configure({"demo": None, "cohort": {"root": ["data/part0", "data/part1"], "shards": 2}})
    run.succeed("normalise")
    table = read_manifest(run.results / "cohort/manifest.tsv").set_index("case")
    assert (len(table), table["usable"].all()) == (4, True)
    assert table.loc["P1", "mask_file"] == "part1/P1/P1-seg.nii.gz"
    run.configure({"demo": None, "cohort": {"root": ["data/part0", "data/part1", "data"], "shards": 2}})
    assert "would count twice; remove one of the two" in run.run("normalise").stdout
