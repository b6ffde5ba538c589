import pytest

from tests.integration.workflow import Workflow


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A finished run of the whole workflow. Read it only; copy it to change it."""
    workflow = Workflow(tmp_path_factory.mktemp("finished") / "a run")
    workflow.configure()
    said = workflow.succeed()
    (workflow.folder / "said.txt").write_text(said)
    return workflow
