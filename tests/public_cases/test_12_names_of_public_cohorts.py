"""Sound cases under the names of other cohorts: usable, or a message names the files that take no part."""

import pytest

from tests.cohort_cases import TASK
from tests.public_cases import made
from tumorseg.cohort.check import examine_case
from tumorseg.cohort.discover import discover
from tumorseg.errors import UserError

TAKE_NO_PART = {
    "brats20": ["W39_1998.09.19_Segm.nii"],
    "upenn": ["UPENN-GBM-00002_11_T1GD.nii.gz", "UPENN-GBM-00002_11_segm.nii.gz"],
    "ucsf": ["UCSF-PDGM-0004_tumor_segmentation.nii.gz"],
    "tcga": ["TCGA-02-0006_1996.08.23_t1Gd.nii.gz", "TCGA-02-0006_1996.08.23_GlistrBoost_ManuallyCorrected.nii.gz"],
    "bids": [],
    "fets": [],
    "goat": [],
    "kit": [f"patient 3/{name}.nii.gz" for name in ("fla", "seg", "t1", "t1c", "t2")],
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return made("12", tmp_path_factory.mktemp("names"))


@pytest.mark.parametrize("kind", TAKE_NO_PART)
def test_it_is_usable_or_the_files_that_take_no_part_are_named(data, kind):
    try:
        (case,) = discover(data / kind, TASK)
        verdict, _ = examine_case(data / kind, case, task=TASK, shape=None, labels="auto")
        told, usable = " ".join(verdict.reasons()), verdict.usable
    except UserError as error:
        told, usable = str(error), False
    assert usable == (not TAKE_NO_PART[kind])
    assert ("ound, but not understood: " in told) == (not usable)
    assert [name for name in TAKE_NO_PART[kind] if name not in told] == []
