import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tumorseg.cohort.discovery import discover_cases
from tumorseg.demo.plan import demo_facts, plan_cases
from tumorseg.errors import UserError
from tumorseg.task import built_in_tasks, load_task

TASK = load_task()
SETTINGS = {"cases": 14, "spacing_mm": 2.5, "seed": 7}


def test_the_number_of_cases_is_that_of_the_settings_and_names_are_unique():
    assert len({case.case for case in plan_cases(SETTINGS, TASK)}) == 14


def test_only_the_first_patient_has_two_time_points():
    cases = plan_cases(SETTINGS, TASK)
    assert [case.case for case in cases[:3]] == ["BraTS-GLI-90001-000", "BraTS-GLI-90001-001", "BraTS-GLI-90002-000"]
    assert cases[0].patient_seed == cases[1].patient_seed
    assert cases[0].seed != cases[1].seed
    assert len({case.patient for case in cases}) == 13


def test_files_have_the_names_of_brats_2023():
    assert plan_cases(SETTINGS, TASK)[0].files == {
        "t1": "BraTS-GLI-90001-000/BraTS-GLI-90001-000-t1n.nii.gz",
        "t1ce": "BraTS-GLI-90001-000/BraTS-GLI-90001-000-t1c.nii.gz",
        "t2": "BraTS-GLI-90001-000/BraTS-GLI-90001-000-t2w.nii.gz",
        "flair": "BraTS-GLI-90001-000/BraTS-GLI-90001-000-t2f.nii.gz",
        "seg": "BraTS-GLI-90001-000/BraTS-GLI-90001-000-seg.nii.gz",
    }


@pytest.mark.parametrize("cases", [6, 14])
def test_the_last_three_cases_are_corrupted_each_in_another_way(cases):
    corruptions = [case.corruption for case in plan_cases({**SETTINGS, "cases": cases}, TASK)]
    assert corruptions == [None] * (cases - 3) + ["truncated", "missing_modality", "mask_shape"]


def test_only_the_missing_modality_is_not_among_the_files():
    missing = {
        case.corruption: {"t1", "t1ce", "t2", "flair", "seg"} - set(case.files) for case in plan_cases(SETTINGS, TASK)
    }
    assert missing == {None: set(), "truncated": set(), "missing_modality": {"t1ce"}, "mask_shape": set()}


def test_some_valid_cases_have_two_foci_and_some_no_enhancement():
    valid = [case for case in plan_cases(SETTINGS, TASK) if case.corruption is None]
    assert sum(case.foci == 2 for case in valid) == 3
    assert sum(not case.enhancing for case in valid) == 2


def test_too_few_cases_are_refused():
    with pytest.raises(UserError, match="set it to 6 or more"):
        plan_cases({**SETTINGS, "cases": 5}, TASK)


def test_planning_imports_neither_numpy_nor_nilearn():
    code = "import sys, tumorseg.demo.plan; print({'numpy', 'nilearn', 'nibabel'} & set(sys.modules))"
    scripts = Path(__file__).parents[3] / "scripts"
    process = subprocess.run([sys.executable, "-c", code], cwd=scripts, capture_output=True, text=True, check=True)
    assert process.stdout.strip() == "set()"


@pytest.mark.parametrize("name", built_in_tasks())
def test_names_match_the_case_names_of_the_task(name):
    task = load_task(name)
    cases = plan_cases({**SETTINGS, "cases": 99}, task)
    assert len({case.case for case in cases}) == 99
    assert all(re.fullmatch(task.case_names, case.case) for case in cases)


@pytest.mark.parametrize("name", built_in_tasks())
def test_discovery_finds_the_planned_files_and_roles(name, tmp_path):
    task = load_task(name)
    cases = plan_cases(SETTINGS, task)
    for path in {path for case in cases for path in case.files.values()}:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    found = {case.case: {role: path for role, (path,) in case.files.items()} for case in discover_cases(tmp_path, task)}
    assert found == {case.case: case.files for case in cases}


def test_channels_of_one_file_share_it():
    files = plan_cases(SETTINGS, load_task("decathlon-brain-tumour"))[0].files
    assert files == {
        **dict.fromkeys(("flair", "t1", "t1ce", "t2"), "imagesTr/BRATS_901.nii.gz"),
        "seg": "labelsTr/BRATS_901.nii.gz",
    }


def test_colours_and_titles_do_not_change_the_facts_that_the_cohort_depends_on():
    task = load_task()
    recoloured = tuple(replace(label, colour="#000000", title="x") for label in task.labels)
    assert demo_facts(replace(task, labels=recoloured)) == demo_facts(task)
    assert demo_facts(load_task("brats-africa")) != demo_facts(task)
