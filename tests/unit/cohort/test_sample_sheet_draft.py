"""The draft of a sample sheet: cases that discovery finds, guesses for the others, and every unused file listed."""

import re
from pathlib import Path

import pytest
import yaml

import write_samples
from tests.support.builders import REPOSITORY
from tests.support.case_files import TASK, write_empty_files
from tumorseg.cohort.sample_sheet import read_sample_sheet
from tumorseg.cohort.sample_sheet_draft import write_draft_sheet
from tumorseg.errors import UserError
from tumorseg.task import load_task

SCHEMA = yaml.safe_load((REPOSITORY / "workflow/schemas/samples.schema.yaml").read_text())
ROLES = ("t1", "t1ce", "t2", "flair", "seg")


def written(folder, task=TASK, name="samples.tsv"):
    """Return the drafted sheet, and its cases as read again from the file."""
    output = folder / name
    sheet = write_draft_sheet(folder / "data", output, task)
    return sheet, {case.case: case.files for case in read_sample_sheet(output, task, SCHEMA).cases}


def test_cases_that_discovery_finds_are_in_the_sheet(tmp_path):
    write_empty_files(
        tmp_path / "data", *(f"P_{n}/Timepoint_{v}/x_{role}.nii.gz" for n in (1, 2) for v in (1, 2) for role in ROLES)
    )
    sheet, cases = written(tmp_path)
    assert list(cases) == [f"P_{n}_Timepoint_{v}" for n in (1, 2) for v in (1, 2)]
    assert cases["P_1_Timepoint_1"]["t1ce"] == ("data/P_1/Timepoint_1/x_t1ce.nii.gz",)
    assert list(sheet.table["patient"]) == ["P_1", "P_1", "P_2", "P_2"]
    assert (sheet.unused_files, sheet.missing_cells(), sheet.layout_error) == ((), [], None)


@pytest.mark.parametrize(
    ("folder", "names"),
    [
        ("P1", ("T1_bias", "T1ce_bias", "T2_bias", "FLAIR_bias", "tumour")),
        ("P1", ("P1-T1-reg", "P1-CT1-reg", "P1-T2-reg", "P1-FLAIR-reg", "P1-mask")),
        ("P1", ("1_t1_brain", "2_t1_gd_brain", "3_t2_brain", "4_flair_brain", "GT")),
    ],
)
def test_other_names_are_guessed(tmp_path, folder, names):
    write_empty_files(tmp_path / "data", *(f"{folder}/{name}.nii.gz" for name in names))
    sheet, cases = written(tmp_path)
    expected = {role: (f"data/{folder}/{name}.nii.gz",) for role, name in zip(ROLES, names, strict=True)}
    assert cases == {"P1": dict(sorted(expected.items()))}
    assert (sheet.unused_files, sheet.missing_cells()) == ((), [])


def test_images_in_a_folder_for_each_channel_are_guessed(tmp_path):
    folders = ("T1", "T1CE", "T2", "FLAIR", "labels")
    write_empty_files(tmp_path / "data", *(f"{folder}/case {n}.nii.gz" for folder in folders for n in (1, 2)))
    sheet, cases = written(tmp_path)
    assert list(cases) == ["case 1", "case 2"]
    assert cases["case 2"]["seg"] == ("data/labels/case 2.nii.gz",)
    assert sheet.missing_cells() == []


def test_mixed_layouts_are_drafted_too(tmp_path):
    write_empty_files(
        tmp_path / "data", *(f"B1/B1_{role}.nii.gz" for role in ROLES), *(f"HGG/B2/B2_{role}.nii.gz" for role in ROLES)
    )
    sheet, cases = written(tmp_path)
    assert "mixes layouts" in sheet.layout_error
    assert [len(files) for files in cases.values()] == [5, 5]


def test_ambiguous_cells_are_empty_and_unused_files_listed(tmp_path):
    write_empty_files(
        tmp_path / "data", *(f"B1/B1_{role}.nii.gz" for role in ROLES[:3]), "B1/B1_flair_1.nii.gz", "B1/B1_flair_2.nii"
    )
    write_empty_files(
        tmp_path / "data",
        "B1/B1_brain_mask.nii.gz",
        "B1/T1.mha",
        "a{b}/x_t1.nii.gz",
        "deep/er/unknown.nii",
        "notes.txt",
    )
    sheet, cases = written(tmp_path)
    assert sorted(cases["B1"]) == ["t1", "t1ce", "t2"]
    assert sheet.missing_cells() == ["B1: flair, mask"]
    left = ["B1/B1_brain_mask.nii.gz", "B1/B1_flair_1.nii.gz", "B1/B1_flair_2.nii", "B1/T1.mha", "a{b}/x_t1.nii.gz"]
    assert sheet.unused_files == (*left, "deep/er/unknown.nii")


def test_a_file_with_all_channels_is_in_each_column(tmp_path):
    write_empty_files(tmp_path / "data", "imagesTr/BRATS_001.nii.gz", "labelsTr/BRATS_001.nii.gz")
    _, cases = written(tmp_path, load_task("decathlon-brain-tumour"))
    assert cases["BRATS_001"]["t2"] == ("data/imagesTr/BRATS_001.nii.gz",)


def test_paths_are_absolute_if_the_sheet_is_elsewhere(tmp_path):
    write_empty_files(tmp_path / "data", *(f"B1/B1_{role}.nii.gz" for role in ROLES))
    (tmp_path / "lists").mkdir()
    _, cases = written(tmp_path, name="lists/samples.csv")
    assert cases["B1"]["t1"] == (f"{tmp_path}/data/B1/B1_t1.nii.gz",)


def test_a_sheet_is_never_overwritten(tmp_path):
    write_empty_files(tmp_path / "data", *(f"B1/B1_{role}.nii.gz" for role in ROLES))
    (tmp_path / "samples.tsv").write_text("mine")
    with pytest.raises(UserError, match="exists already and is not overwritten"):
        written(tmp_path)
    assert (tmp_path / "samples.tsv").read_text() == "mine"


def test_a_folder_without_images_is_refused(tmp_path):
    write_empty_files(tmp_path / "data", "notes.txt")
    with pytest.raises(UserError, match=r"no image .* was found here"):
        written(tmp_path)


def test_the_command_lists_empty_cells_and_unused_files(tmp_path, capsys):
    write_empty_files(tmp_path / "data", *(f"B1/B1_{role}.nii.gz" for role in ROLES[:4]), "B1/what.nii")
    write_samples.main([str(tmp_path / "data"), "--output", str(tmp_path / "s.tsv"), "--task", "brats-glioma"])
    log = capsys.readouterr().err
    assert re.search(r"1 case in .*s\.tsv", log)
    assert "fill in: B1: mask" in log
    assert "not understood, and in no cell: B1/what.nii" in log


def test_images_behind_links_are_found_once_and_circular_links_end(tmp_path):
    write_empty_files(
        tmp_path / "store", *(f"P1/{name}_bias.nii.gz" for name in ("T1", "T1ce", "T2", "FLAIR")), "P1/tumour.nii.gz"
    )
    (tmp_path / "data").mkdir()
    (tmp_path / "data/P1").symlink_to(tmp_path / "store/P1")
    (tmp_path / "data/P2").symlink_to(tmp_path / "store/P1")
    (tmp_path / "store/P1/back").symlink_to(tmp_path / "data")
    sheet, cases = written(tmp_path)
    assert [len(files) for files in cases.values()] == [5]
    assert sheet.unused_files == ()


@pytest.mark.parametrize("folder", ["../B1", "."])
def test_the_folder_of_one_case_gives_only_that_case(tmp_path, monkeypatch, folder):
    write_empty_files(tmp_path / "data", *(f"{case}/{case}_{role}.nii.gz" for case in ("B1", "B2") for role in ROLES))
    monkeypatch.chdir(tmp_path / "data/B1")
    sheet = write_draft_sheet(Path(folder), tmp_path / "samples.tsv", TASK)
    assert list(sheet.table["t1"]) == ["data/B1/B1_t1.nii.gz"]
