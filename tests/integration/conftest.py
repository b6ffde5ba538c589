import pytest
from filelock import FileLock

from tests.integration.workflow import Workflow


@pytest.fixture(scope="session")
def finished(tmp_path_factory, worker_id):
    """A finished run of the whole workflow, made once for all test processes. Do not change it; change a copy."""
    own_folder = tmp_path_factory.getbasetemp()
    workflow = Workflow((own_folder if worker_id == "master" else own_folder.parent) / "finished/a run")
    output = workflow.folder / "output.txt"
    workflow.folder.parent.mkdir(exist_ok=True)
    with FileLock(workflow.folder.parent / "lock"):
        if not output.is_file():
            workflow.configure()
            output.write_text(workflow.succeed())
    return workflow
