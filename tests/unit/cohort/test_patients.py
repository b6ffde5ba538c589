"""The patient of each case: visits of one patient stay together, and several patients are not merged."""

import re

import pytest

from tumorseg.cohort.patients import assign_patients, patient_from_name, patient_grouping_warnings, patients_from_names
from tumorseg.errors import UserError

ONE_PATIENT = [
    ["BraTS-GLI-00005-000", "BraTS-GLI-00005-001", "brats-gli-00005-002", "BraTS-GLI-00005-001_corrected"],
    ["BraTS-GLI-00005-001", "BraTS-GLI-00005-001 (1)", "reg_BraTS-GLI-00005-000", "BraTS-GLI-00005-000-copy"],
    ["BraTS-MEN-RT-0001-1", "BraTS-MEN-RT-0001-2"],
    ["BraTS2021_00001", "BraTS2021_00001 (1)", "BraTS2021_00001_corrected"],
    ["UPENN-GBM-00001_11", "UPENN-GBM-00001_21", "upenn-gbm-00001_31_edited", "UPENN-GBM-00001"],
    ["Patient-001_week-001", "Patient-001_week-000-1", "patient-001_WEEK-044"],
    ["sub-001_ses-01", "sub-001_ses-02", "sub-001", "sub-001_ses-pre_run-1"],
    ["sub-anna_ses-01", "sub-anna_ses-02"],
    ["00001_time1", "00001_time2", "00001"],
    ["7_visit2", "7_visit3"],
    ["P7_tp2", "P7-TP3", "P7 timepoint 4", "P7_v1", "P7_scan2", "P7"],
    ["P7_baseline", "P7_followup1", "P7_follow-up_2", "P7_FU3"],
    ["P7_pre", "P7_post", "P7_preop", "P7 post-op", "P7_pre_treatment", "P7_visit1_pre"],
    ["Smith_baseline", "Smith_followup", "Smith_visit2", "Smith"],
    ["PatientID_0003_Timepoint_1", "PatientID_0003_Timepoint_6"],
    ["UCSF-PDGM-0429", "UCSF-PDGM-0429_FU001d", "UCSF-PDGM-0429_nifti"],
    ["TCGA-02-0006_1996.08.23", "TCGA-02-0006_1997.01.02"],
    ["Müller 01", "Müller 01_corrected", "Müller 01 - Copy"],
]
SEVERAL_PATIENTS = [
    [f"BraTS2021_{number:05d}" for number in range(3)],
    ["BraTS19_CBICA_AAB_1", "BraTS19_CBICA_AAG_1", "Brats18_CBICA_AAM_1"],
    ["BraTS19_2013_10_1", "BraTS19_2013_11_1", "BraTS19_TCIA01_150_1", "BraTS19_TCIA01_180_1"],
    ["BraTS20_Training_001", "BraTS20_Training_002", "BraTS20_Validation_001"],
    ["BraTS-GoAT-00001", "BraTS-GoAT-00002"],
    ["BraTS-GLI-00005-000", "BraTS-GLI-00006-000", "BraTS-MEN-00005-000", "BraTS2021_00005"],
    ["FeTS2022_01341", "FeTS2022_01342"],
    ["UPENN-GBM-00001_11", "UPENN-GBM-00002_11"],
    ["UCSF-PDGM-0004", "UCSF-PDGM-0005"],
    ["TCGA-02-0006", "TCGA-02-0009", "TCGA-06-0006"],
    ["patient_0", "patient_1", "patient_10"],
    ["patient (1)", "patient (2)"],
    ["case 1", "case 2", "case-3", "case_001", "case_002"],
    ["patient_visit1", "patient_visit2", "hgg_tp1", "hgg_tp2"],
    ["scan_1", "scan_2", "scan1", "scan2", "hgg_scan_001", "hgg_scan_002"],
    ["MU-Glioma-Post_0003", "MU-Glioma-Post_0004"],
    ["BraTS2024_visit_001", "BraTS2024_visit_002"],
    ["sub-001_ses-01", "sub-002_ses-01", "sub-01_ses-01"],
    ["Patient-001_week-001", "Patient-002_week-001"],
    ["00001_time1", "00002_time1", "00011_time1"],
    ["HGG_1", "HGG_2", "LGG_1"],
    ["P01", "P02", "P011"],
    ["-3", "-4", "a b", "a c", "x'y", "case,2", "baseline", "pre", "post", "visit1", "visit2"],
    ["Smith_corrected", "Miller_corrected"],
]


@pytest.mark.parametrize("cases", ONE_PATIENT, ids=lambda cases: cases[0])
def test_visits_and_copies_belong_to_one_patient(cases):
    assert len(set(patients_from_names(cases).values())) == 1


@pytest.mark.parametrize("cases", SEVERAL_PATIENTS, ids=lambda cases: cases[0])
def test_several_patients_are_not_merged(cases):
    patients = [patient.casefold() for patient in patients_from_names(cases).values()]
    assert len(set(patients)) == len(cases)


def test_names_stand_for_their_patients_as_they_are_written():
    assert patient_from_name("BraTS-GLI-00005-001") == "BraTS-GLI-00005"
    assert patient_from_name("BraTS2021_00006") == "BraTS2021_00006"


@pytest.mark.parametrize(
    "cases",
    [
        ["P01_1", "P01_2", "P02_1", "P02_2"],
        ["RHUH-0001_0", "RHUH-0001_1", "RHUH-0002_0"],
        ["P01_20190304", "P01_2020-03-04", "P02_20190101"],
        ["100101A", "100101B", "100102A"],
        ["Smith_1", "Smith_2", "Jones_1", "Jones_2"],
        ["visit1_P01", "visit2_P01", "visit1_P02"],
        ["P01_first", "P01_second", "P02_first"],
        ["P01_3m", "P01_12m", "P02_3m"],
        ["P01-2weeks", "P01-6weeks", "P02-2weeks"],
        ["P01_1st", "P01_2nd", "P02_1st"],
        ["P01visit1", "P01visit2", "P02visit1"],
        ["Smith_pre1", "Smith_post1", "Jones_pre1", "Jones_post1"],
    ],
    ids=lambda cases: cases[0],
)
def test_names_that_look_like_visits_get_a_warning_with_an_example(cases):
    patients = patients_from_names(cases)
    assert len(set(patients.values())) == len(cases)
    (warning,) = patient_grouping_warnings(patients)
    assert "look like visits of one patient" in warning
    assert sum(case in warning for case in cases) >= 2
    pattern = re.search(r"set cohort\.patient to a pattern such as '(.+?)',", warning)[1]
    assert len(set(assign_patients(cases, pattern=pattern, required_cases=cases).values())) == 2


@pytest.mark.parametrize(
    "cases",
    [
        *(cases for cases in ONE_PATIENT),
        *(cases for cases in SEVERAL_PATIENTS if cases[0] not in ("patient_visit1", "-3", "case 1", "P01", "scan_1")),
        [f"HGG_{number}" for number in range(20)] + [f"LGG_{number}" for number in range(20)],
        [f"BraTS19_CBICA_{name}_1" for name in ("AAB", "AAG", "AAL", "AAP")],
        ["gbm_001d", "gbm_002d", "gbm_003d"],
        ["one", "two"],
        [],
    ],
    ids=str,
)
def test_other_names_get_no_warning(cases):
    others = {f"BraTS2021_{number:05d}": f"BraTS2021_{number:05d}" for number in range(30)}
    assert patient_grouping_warnings(patients_from_names(cases) | others) == []


def test_a_patient_with_most_cases_gets_a_warning():
    cases = [f"site1_visit{number}" for number in range(8)]
    (warning,) = patient_grouping_warnings(patients_from_names(cases))
    assert warning.startswith(
        "8 of 8 cases, for example site1_visit0 and site1_visit1, count as visits of one patient, site1"
    )


def test_a_pattern_names_the_patient_by_its_group():
    cases = ["P01_a", "P01_b", "P02_a"]
    for pattern in (r"(P\d+)_\w", r"(?P<patient>P\d+)_.", r"(P\d{2})", r"x(\d)|(P\d+)_\w"):
        assert assign_patients(cases, pattern=pattern, required_cases=cases) == {
            "P01_a": "P01",
            "P01_b": "P01",
            "P02_a": "P02",
        }
    by_second = assign_patients(["a_P1", "b_P1"], pattern=r"(\w)_(?P<patient>P\d)", required_cases=[])
    assert by_second == {"a_P1": "P1", "b_P1": "P1"}


def test_a_pattern_ignores_letter_case_of_patients():
    cases = ["P01_a", "p01_b", "P02_a"]
    assert assign_patients(cases, pattern=r"(?i)(P\d+)_\w", required_cases=cases) == {
        "P01_a": "P01",
        "p01_b": "P01",
        "P02_a": "P02",
    }


def test_a_pattern_takes_precedence_over_the_name():
    cases = ["00001_time1", "00001_time2"]
    assert assign_patients(cases, pattern="(.+)", required_cases=cases) == {case: case for case in cases}


@pytest.mark.parametrize("pattern", ["(P", "P01", "*"])
def test_a_pattern_without_a_group_is_refused(pattern):
    with pytest.raises(UserError, match=r"cohort\.patient: .*such as \(P"):
        assign_patients(["P01"], pattern=pattern, required_cases=[])


def test_a_pattern_must_fit_usable_cases_only():
    with pytest.raises(UserError, match=r"cohort\.patient: the pattern .* does not fit: Q1, Q2; extend it"):
        assign_patients(["P01", "Q1", "Q2"], pattern=r"(P\d+)", required_cases=["P01", "Q1", "Q2"])
    assert assign_patients(["P01", "Q1"], pattern=r"(P\d+)", required_cases=["P01"]) == {"P01": "P01", "Q1": "Q1"}


@pytest.fixture
def table(tmp_path):
    def write(text):
        (tmp_path / "own.tsv").write_text(text, encoding="utf-8")
        return tmp_path / "own.tsv"

    return write


CASES = ["a", "b", "NA", "-3"]


@pytest.mark.parametrize("separator", ["\t", ","])
def test_a_table_names_the_patient_of_each_case(table, separator):
    rows = [["age", "case", "patient"], ["7", "a", "007"], ["8", " b ", "007"], ["9", "NA", "nan"], ["1", "-3", "=x"]]
    path = table("\n".join(separator.join(row) for row in rows))
    assert assign_patients(CASES, table=path, required_cases=CASES) == {"a": "007", "b": "007", "NA": "nan", "-3": "=x"}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("case\tpatient\na\t1\na\t2\nb\t1\nNA\t2\n-3\t1\n", "more than one row for a case: a; keep one row each"),
        ("case\tpatient\na\t1\nb\t1\nNA\t2\n-3\t1\nbb\t1\n", r"no such case in the cohort: bb \(did you mean b\?\)"),
        ("case\tpatient\na\t1\nb\t\nNA\t2\n-3\t1\n", "no patient for a case: b; fill it in"),
        ("case\tpatient\na\t1\nb\t1\n", "no row for a usable case: NA, -3; add a row each"),
        ("case\tperson\na\t1\n", "the header, case, person, needs a column patient"),
        ("", "the header, empty, needs a column case"),
    ],
)
def test_a_table_is_read_strictly(table, rows, message):
    with pytest.raises(UserError, match=f"own.tsv: {message}"):
        assign_patients(CASES, table=table(rows), required_cases=CASES)


def test_masks_of_other_cohorts_need_not_be_in_the_table(table):
    path = table("case\tpatient\na\t1\nelse\t2\n")
    assert assign_patients(["a", "7_visit1"], table=path) == {"a": "1", "7_visit1": "7"}
