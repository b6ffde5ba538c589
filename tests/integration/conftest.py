import pytest

from tests.integration.workflow import Workflow


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A finished run of the whole workflow. Do not change it; change a copy."""
    workflow = Workflow(tmp_path_factory.mktemp("finished") / "a run")
    workflow.configure()
    output = workflow.succeed()
    (workflow.folder / "output.txt").write_text(output)
    return workflow
