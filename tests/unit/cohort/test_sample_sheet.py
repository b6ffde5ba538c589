"""Sample sheets: valid ones are read, invalid ones are refused with line and remedy."""

import re

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.support.builders import REPOSITORY
from tests.support.case_files import TASK, check_case, image, mask, nifti_content, write_empty_files
from tumorseg.cohort.case_files import case_from_json, case_to_json
from tumorseg.cohort.sample_sheet import (
    patient_source,
    read_sample_sheet,
    read_sheet_patients,
    require_one_patient_source,
)
from tumorseg.errors import UserError
from tumorseg.task import Channel, load_task

SCHEMA = yaml.safe_load((REPOSITORY / "workflow/schemas/samples.schema.yaml").read_text())
HEADER = "case,patient,t1,t1ce,t2,flair,mask"
FILES = "a/1.nii,a/2.nii,a/3.nii,a/4.nii,a/5.nii"
OTHERS = FILES.replace("a/", "b/")
ROLES = ("t1", "t1ce", "t2", "flair", "seg")


def sheet(folder, *lines, name="samples.csv", encoding="utf-8", end="\n"):
    path = folder / name
    path.write_bytes(end.join([*lines, ""]).encode(encoding))
    return path


def read(path, task=TASK):
    return read_sample_sheet(path, task, SCHEMA)


def with_files(folder):
    """Write valid files of the first case."""
    write_empty_files(folder, *FILES.split(","))
    for role, path in zip(ROLES, FILES.split(","), strict=True):
        (folder / path).write_bytes(nifti_content(mask() if role == "seg" else image(role)))


def validated(path):
    """Validate the first case of a sheet."""
    return check_case(path.parent, read(path).cases[0], shape=None, labels="auto")


def test_the_schema_is_valid():
    Draft202012Validator.check_schema(SCHEMA)


def test_the_cases_of_a_sheet_are_usable_with_their_names_there(tmp_path):
    with_files(tmp_path)
    path = sheet(tmp_path, HEADER, f"P 1,Ann,{FILES}")
    (case,) = read(path).cases
    assert (case.case, case.files["seg"], case.folder) == ("P 1", ("a/5.nii",), None)
    assert case_from_json(case_to_json(case)) == case
    result = validated(path)
    assert (result.usable, result.facts["not_understood"]) == (True, [])
    assert read(path).patients == read_sheet_patients(path) == {"P 1": "Ann"}


@pytest.mark.parametrize(
    "written",
    [
        {"name": "s.tsv", "encoding": "utf-8-sig", "end": "\r\n"},
        {"name": "s.csv", "encoding": "utf-8-sig", "end": "\r\n"},
        {"name": "s.txt", "end": "\r"},
    ],
)
def test_byte_order_marks_line_ends_and_separators_of_other_programs_are_read(tmp_path, written):
    lines = [HEADER, f"Bé,,{FILES}", "", f'"B2","p, q",{OTHERS}', ",,,,,,"]
    if written["name"] == "s.tsv":
        lines = [
            HEADER.replace(",", "\t"),
            f"Bé,,{FILES}".replace(",", "\t"),
            "",
            f"B2,p; q,{OTHERS}".replace(",", "\t"),
        ]
    found = read(sheet(tmp_path, *lines, **written))
    assert [case.case for case in found.cases] == ["Bé", "B2"]
    assert list(found.patients) == ["B2"]


def test_columns_may_have_any_order_and_patient_is_optional(tmp_path):
    found = read(sheet(tmp_path, "mask,flair,t2,t1ce,t1,case,,", "m.nii,f.nii,2.nii,c.nii,1.nii,B1,,"))
    assert (found.cases[0].files["t1ce"], dict(found.patients)) == (("c.nii",), {})


def test_paths_may_be_absolute_or_below_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (case,) = read(sheet(tmp_path, HEADER, "B1,,/far/1.nii,~/2.nii,./x//3.nii,4.nii,5.nii")).cases
    assert [case.files[role][0] for role in ("t1", "t1ce", "t2")] == ["/far/1.nii", f"{tmp_path}/home/2.nii", "x/3.nii"]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([], "line 1: the header is empty; name the columns case, patient, t1, t1ce, t2, flair, mask"),
        ([HEADER], "there are no cases"),
        ([HEADER.replace(",", ";"), f"B1;;{FILES}"], "separated by semicolons; name the columns"),
        ([HEADER.replace("t1ce", "T1Gd"), f"B1,,{FILES}"], "line 1: there is no column T1Gd; did you mean t1ce?"),
        ([HEADER.replace("mask", "seg"), f"B1,,{FILES}"], "there is no column seg; did you mean mask?"),
        ([f"{HEADER},age", f"B1,,{FILES},5"], "there is no column age; With the task brats-glioma the columns are"),
        (["case,t1,t1ce,t2,mask", "B1,1,2,3,4"], "add the column flair"),
        (["case,t1,t1ce,t2,flair", "B1,1,2,3,4"], "add the column mask"),
        ([f"{HEADER},mask", f"B1,,{FILES},x"], "the column mask is there 2 times"),
        ([HEADER, f"B1,,{FILES}", "", f"B2,,{OTHERS}", f"b1,,{FILES}"], "line 5: the case b1 is in line 2 already"),
        ([HEADER, f"caf\u00e9,,{FILES}", f"cafe\u0301,,{OTHERS}"], "line 3: the case cafe\u0301 is in line 2 already"),
        (
            [HEADER, f"{'脑' * 67},,{FILES}"],
            "has 201 bytes in UTF-8, too many for the names of its files; shorten it to 200",
        ),
        ([HEADER, f"B1,,{FILES}", f"B2,,{FILES}"], "line 3: a/1.nii is the t1, but also the t1 of line 2"),
        ([HEADER, "B1,,1.nii,./1.nii,3.nii,4.nii,5.nii"], "line 2: ./1.nii is the t1ce, but also the t1 of line 2"),
        ([HEADER, f"B1,{FILES}"], "line 2: there are 6 cells, but the header has 7"),
        ([HEADER, f"B1,,{FILES},more"], "line 2: there are 8 cells, but the header has 7"),
        ([HEADER, f"a/b,,{FILES}"], "line 2: the case 'a/b' is not allowed"),
        ([HEADER, f"..,,{FILES}"], "line 2: the case '..' is not allowed"),
        ([HEADER, f",,{FILES}"], "line 2: the case '' is not allowed"),
        ([HEADER, f"a{{b}},,{FILES}"], "line 2: the case 'a{b}' is not allowed"),
        ([HEADER, f'"a\nb",,{FILES}', f".x,,{OTHERS}"], "line 4: the case '.x' is not allowed"),
        ([HEADER, f"a\x07,,{FILES}"], "line 2: the case 'a\\x07' is not allowed"),
        ([HEADER, FILES.replace("a/1.nii", r"B1,,a\1.nii")], "with / between folders"),
        ([HEADER, f'B1,,"{FILES}'], "line 2: unexpected end of data"),
    ],
)
def test_a_mistake_is_reported_with_its_line_and_remedy(tmp_path, lines, words):
    path = sheet(tmp_path, *lines)
    with pytest.raises(UserError, match=re.escape(words)) as error:
        read(path)
    assert str(path) in str(error.value)


def test_another_encoding_is_refused(tmp_path):
    with pytest.raises(UserError, match="save it as TSV or CSV in UTF-8"):
        read(sheet(tmp_path, HEADER, f"Bé,,{FILES}", encoding="utf-16"))


def test_the_first_mistakes_are_listed_and_the_others_counted(tmp_path):
    rows = [f"{number}/x,,,,,," for number in range(8)]
    with pytest.raises(UserError) as error:
        read(sheet(tmp_path, HEADER, *rows))
    assert len(str(error.value).splitlines()) == 6
    assert "and 3 more mistakes" in str(error.value)


@pytest.mark.parametrize(
    ("before", "after", "code", "words"),
    [
        ("a/2.nii", "", "missing_modality", "T1CE is missing: its cell in the sample sheet is empty"),
        ("a/2.nii", "gone/2.nii", "missing_modality", "T1CE is missing: the file gone/2.nii in the sample sheet"),
        ("a/5.nii", "", "missing_mask", "its cell in the sample sheet is empty"),
        ("a/5.nii", "a/5.nii/x", "missing_mask", "the file a/5.nii/x in the sample sheet does not exist"),
        ("a/2.nii", "a", "unreadable", "a folder"),
    ],
)
def test_a_missing_file_is_a_problem_of_its_case(tmp_path, before, after, code, words):
    with_files(tmp_path)
    (problem,) = validated(sheet(tmp_path, HEADER, f"B1,,{FILES.replace(before, after)}")).problems
    assert problem.code == code
    assert words in problem.message


def optional_t2():
    channels = tuple(
        Channel(**{**vars(channel), "optional": True}) if channel.name == "t2" else channel for channel in TASK.channels
    )
    return TASK._with(channels=channels)


def test_an_optional_channel_may_lack_its_column(tmp_path):
    (case,) = read(sheet(tmp_path, "case,t1,t1ce,flair,mask", "B1,1,2,3,4"), optional_t2()).cases
    assert sorted(case.files) == ["flair", "seg", "t1", "t1ce"]


DECATHLON = load_task("decathlon-brain-tumour")
COLUMNS_4D = "case,flair,t1,t1ce,t2,mask"


def test_with_one_file_for_all_channels_each_column_names_it(tmp_path):
    (case,) = read(sheet(tmp_path, COLUMNS_4D, "B1,i.nii,i.nii,i.nii,i.nii,m.nii"), DECATHLON).cases
    assert case.paths() == ["i.nii", "m.nii"]
    with pytest.raises(UserError, match=r"line 2: i\.nii and j.nii are given for one case"):
        read(sheet(tmp_path, COLUMNS_4D, "B1,i.nii,j.nii,i.nii,i.nii,m.nii"), DECATHLON)
    with pytest.raises(UserError, match=r"line 2: i\.nii is the mask, but also the flair of line 2"):
        read(sheet(tmp_path, COLUMNS_4D, "B1,i.nii,i.nii,i.nii,i.nii,i.nii"), DECATHLON)


def test_patients_in_a_sheet_and_a_pattern_are_refused(tmp_path):
    path = sheet(tmp_path, HEADER, f"P 1,Ann,{FILES}")
    with pytest.raises(
        UserError, match=r"cohort\.patient: \(P\\d\) and the column patient of .* both name the patients"
    ):
        require_one_patient_source(read(path), path, r"(P\d)")


@pytest.mark.parametrize(("patient", "pattern"), [("Ann", None), ("", "(P 1)")])
def test_patients_from_one_source_are_accepted(tmp_path, patient, pattern):
    path = sheet(tmp_path, HEADER, f"P 1,{patient},{FILES}")
    require_one_patient_source(read(path), path, pattern)


@pytest.mark.parametrize(("other", "source"), [("Bea", "samples.csv"), ("", None)])
def test_a_sheet_is_the_source_of_patients_if_every_case_has_one(tmp_path, other, source):
    path = sheet(tmp_path, HEADER, f"P 1,Ann,{FILES}", f"P 2,{other},{OTHERS}")
    assert patient_source(read(path), "samples.csv", None) == source


def test_without_patients_in_a_sheet_the_configuration_is_their_source(tmp_path):
    path = sheet(tmp_path, HEADER, f"P 1,,{FILES}")
    assert patient_source(read(path), "samples.csv", "(P 1)") == patient_source(None, None, "(P 1)") == "(P 1)"
