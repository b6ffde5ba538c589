"""Case 12: valid cases with the file names of other public cohorts are recognised without renaming."""

import pytest

from tests.public_cases import generate_case
from tests.support.case_files import TASK
from tumorseg.cohort.case_validation import validate_case
from tumorseg.cohort.discovery import discover_cases, locate_cohort_folder

KINDS = {
    "brats20": ("t1ce", "W39_1998.09.19_Segm.nii"),
    "upenn": ("T1GD", "UPENN-GBM-00002_11_segm.nii.gz"),
    "ucsf": ("T1c", "UCSF-PDGM-0004_tumor_segmentation.nii.gz"),
    "tcga": ("t1Gd", "TCGA-02-0006_1996.08.23_GlistrBoost_ManuallyCorrected.nii.gz"),
    "bids": ("ce-gd_T1w", "sub-001_dseg.nii.gz"),
    "fets": ("t1ce", "FeTS2022_01341_seg.nii.gz"),
    "goat": ("t1c", "BraTS-GoAT-00001-seg.nii.gz"),
    "kit": ("t1c", "seg.nii.gz"),
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return generate_case("12", tmp_path_factory.mktemp("names"))


@pytest.mark.parametrize("kind", KINDS)
def test_the_case_is_usable_and_each_file_has_its_role(data, kind):
    t1ce, mask = KINDS[kind]
    root, note = locate_cohort_folder(data / kind, TASK)
    assert (root, note) == (data / kind, None)
    (case,) = discover_cases(root, TASK)
    result, _ = validate_case(root, case, task=TASK, shape=None, labels="auto")
    assert (result.usable, result.reasons(), result.facts["not_understood"]) == (True, [], [])
    assert result.facts["files"]["t1ce"]["path"].endswith(f"{t1ce}.nii.gz")
    assert result.facts["files"]["seg"]["path"].endswith(mask)
    assert sorted(result.facts["files"]) == sorted(["t1", "t1ce", "t2", "flair", "seg"])
