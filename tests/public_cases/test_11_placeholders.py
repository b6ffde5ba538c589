"""Case 11: placeholders of git-annex, Git LFS, DVC and failed downloads in the place of images."""

import re

import pytest

from tests.public_cases import generate_case
from tests.support.case_files import TASK, check_case
from tumorseg.cohort.discovery import discover_cases


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    root = generate_case("11", tmp_path_factory.mktemp("11")) / "cohort"
    return [check_case(root, files, shape=None, labels="auto") for files in discover_cases(root, TASK)]


def test_only_the_downloaded_case_is_usable(results):
    assert [result.usable for result in results] == [True] + [False] * 5


@pytest.mark.parametrize(
    ("number", "codes", "pattern"),
    [
        (1, {"not_downloaded"}, "git-annex.*`datalad get FILE` or `git annex get FILE`"),
        (2, {"not_downloaded"}, "git-annex.*`datalad get FILE` or `git annex get FILE`"),
        (3, {"not_downloaded"}, "Git LFS.*`git lfs pull`"),
        (4, {"not_downloaded"}, "DVC.*`dvc pull`"),
        (5, {"not_nifti"}, "web page"),
    ],
)
def test_the_message_names_the_kind_of_placeholder_and_how_to_fetch_the_file(results, number, codes, pattern):
    problems = results[number].problems
    assert len(problems) == 5
    assert {problem.code for problem in problems} == codes
    for problem in problems:
        assert re.search(pattern, problem.message)
