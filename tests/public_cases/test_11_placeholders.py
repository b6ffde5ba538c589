import re

import pytest

from tests.public_cases import made
from tests.support.case_files import TASK, check_case
from tumorseg.cohort.discovery import discover_cases


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    root = made("11", tmp_path_factory.mktemp("11")) / "cohort"
    return [check_case(root, files, shape=None, labels="auto") for files in discover_cases(root, TASK)]


def test_what_was_downloaded_is_usable(results):
    assert [result.usable for result in results] == [True] + [False] * 5


@pytest.mark.parametrize(
    ("number", "codes", "words"),
    [
        (1, {"not_downloaded"}, "git-annex.*`datalad get FILE` or `git annex get FILE`"),
        (2, {"not_downloaded"}, "git-annex.*`datalad get FILE` or `git annex get FILE`"),
        (3, {"not_downloaded"}, "Git LFS.*`git lfs pull`"),
        (4, {"not_downloaded"}, "DVC.*`dvc pull`"),
        (5, {"not_nifti"}, "web page"),
    ],
)
def test_a_placeholder_is_told_by_what_it_is_and_how_its_content_is_fetched(results, number, codes, words):
    problems = results[number].problems
    assert len(problems) == 5
    assert {problem.code for problem in problems} == codes
    for problem in problems:
        assert re.search(words, problem.message)
