"""The rules that rerun after a change in a task file are those of workflow/docs/reruns.md."""

import re

import pytest

from tests.integration.test_reruns import TABLES, assert_planned, jobs  # noqa: F401 - a fixture
from tests.integration.workflow import Workflow, copy_repository, edit

pytestmark = pytest.mark.release


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    return copy_repository(tmp_path_factory.mktemp("tasks") / "a checkout")


@pytest.mark.parametrize(("change", "cell"), TABLES["The file of a task"])
def test_changed_task_file(change, cell, finished, repository, jobs):  # noqa: F811
    file = repository / "scripts/tumorseg/tasks/brats-glioma.yaml"  # a link in the repository, a copy here
    before = file.read_text()
    edit(file, *re.findall(r"`([^`]+)`", change))
    try:
        planned = Workflow(finished.folder, repository).planned()
        planned.pop("demo_cohort", None)  # the demo cohort depends on the task
        assert_planned(planned, cell, jobs)
    finally:
        file.write_text(before)
