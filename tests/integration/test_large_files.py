"""Raw files above 1 MB, as most volumes are: compared by content with a profile, by time without one."""

from collections import Counter
from pathlib import Path

import pytest
import yaml

from tests.cohort_cases import AFFINE, SUFFIXES, image, mask, path_of
from tests.helpers import REPOSITORY
from tests.integration.workflow import Workflow
from tumorseg.nifti import write_nifti

PROFILES = REPOSITORY / "workflow/profiles"
SHAPE = (96, 96, 96)
CASES = ("BraTS-GLI-00001-000", "BraTS-GLI-00002-000")
TARGETS = ("validate", "normalise")
BATCH = Counter(("validate_batch", "normalise_batch", "manifest", "cohort_page", "check_cohort"))


WORKSTATION = ("--workflow-profile", str(PROFILES / "workstation"))


def touched(folder: Path, *options: str) -> Workflow:
    """Two cases in batches of their own, validated and normalised; afterwards a file of one was touched."""
    workflow = Workflow(folder)
    for number, case in enumerate(CASES):
        for role in SUFFIXES:
            volume = mask(shape=SHAPE) if role == "seg" else image(role, number, SHAPE)
            write_nifti(path_of(folder / "cohort", role, case), volume, AFFINE)
    workflow.configure({"cohort": {"root": "cohort", "batches": 2}, "demo": None})
    completed = workflow.run(*TARGETS, options=options)
    assert completed.returncode == 0, completed.stdout[-8000:]
    path = path_of(folder / "cohort", "t2", CASES[0])
    assert path.stat().st_size > 1_000_000
    path.touch()
    return workflow


@pytest.fixture(scope="module")
def by_profile(tmp_path_factory):
    return touched(tmp_path_factory.mktemp("by a profile") / "run", *WORKSTATION)


def test_with_the_profile_of_a_workstation_a_touched_file_reruns_nothing(by_profile):
    assert by_profile.planned(*TARGETS, options=WORKSTATION) == Counter()


def test_the_profile_of_slurm_compares_files_as_large(by_profile):
    """Its setting alone: its executor is a package of its own."""
    size = yaml.safe_load((PROFILES / "slurm/config.yaml").read_text())["max-checksum-file-size"]
    assert by_profile.planned(*TARGETS, options=("--max-checksum-file-size", str(size))) == Counter()


def test_without_a_profile_its_batch_is_done_again(by_profile):
    assert by_profile.planned(*TARGETS) == BATCH


def test_what_was_made_without_one_holds_nothing_to_compare_with(tmp_path):
    assert touched(tmp_path / "run").planned(*TARGETS, options=WORKSTATION) == BATCH
