"""A cohort of the size of BraTS 2023 with 264 invalid cases: each gets the right problem code."""

from collections import Counter

import pandas as pd
import pytest

from tests.integration.workflow import Workflow
from tests.support.large_cohort import (
    CASES,
    INVALID_CASES,
    PROBLEM_CASES,
    case_name,
    valid_case,
    write_cohort,
    write_files,
)

pytestmark = pytest.mark.release


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    """A workflow with a validated and normalised cohort, and the expected problem code of each invalid case."""
    workflow = Workflow(tmp_path_factory.mktemp("full scale") / "run")
    codes = write_cohort(workflow.folder / "cohort")
    configure(workflow, CASES - INVALID_CASES)
    workflow.succeed("validate", "normalise")
    return workflow, codes


def configure(workflow, expected_usable):
    workflow.configure({"cohort": {"root": "cohort", "shards": 32, "expected_usable": expected_usable}, "demo": None})


def manifest(workflow):
    return pd.read_csv(workflow.results / "cohort/manifest.tsv", sep="\t", index_col="case")


def test_each_invalid_case_has_its_code_and_all_others_are_usable(cohort):
    workflow, codes = cohort
    assert set(codes.values()) == {code for code, _ in PROBLEM_CASES}
    table = manifest(workflow)
    assert (len(table), table["usable"].sum()) == (1253, 989)
    assert table.loc[~table["usable"], "problems"].to_dict() == codes


def test_all_usable_cases_are_normalised_and_no_invalid_one(cohort):
    workflow, codes = cohort
    normalised = {path.stem for path in workflow.results.glob("normalised/*/*.safetensors")}
    # Duplicates are found after normalisation, by comparing all cases of the cohort. They are normalised but not used.
    dropped = {case for case, code in codes.items() if code != "duplicate_case"}
    assert normalised == {case_name(number) for number in range(CASES)} - dropped


def test_the_page_shows_every_case(cohort):
    workflow, _ = cohort
    page = (workflow.results / "cohort/cohort.html").read_text()
    assert all(f">{case_name(number)}<" in page for number in range(CASES))
    assert page.count('class="strip"') > CASES - INVALID_CASES


def test_a_repaired_case_revalidates_only_its_shard_and_is_counted(cohort):
    workflow, _ = cohort
    case = case_name(CASES - 1)
    write_files(workflow.folder / "cohort", valid_case(case, CASES - 1))
    planned = workflow.planned("validate", "normalise")
    assert planned == Counter(validate_batch=1, manifest=1, cohort_page=1, check_cohort=1, normalise_batch=1)
    refused = workflow.run("validate")
    assert refused.returncode != 0
    assert "990" in refused.stdout
    assert "cohort.expected_usable" in refused.stdout
    assert manifest(workflow)["usable"].sum() == 990
    configure(workflow, 990)
    workflow.succeed("validate", "normalise")
    assert workflow.planned("validate", "normalise") == Counter()
