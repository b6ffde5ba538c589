import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.builders import REPOSITORY
from tumorseg.cli.startup import cache_variables, lock_run_folder, shell_exports

PROGRAM = f"""
import sys
sys.path.insert(0, {str(REPOSITORY / "scripts")!r})
from pathlib import Path
from tumorseg.cli.startup import lock_run_folder
print(lock_run_folder(Path(sys.argv[1])), flush=True)
sys.stdin.read()
"""


def started(mark: Path) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(mark)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def test_a_second_run_learns_which_process_is_the_first_and_the_mark_ends_with_it(tmp_path):
    mark = tmp_path / ".snakemake/running"
    with started(mark) as first:
        assert first.stdout.readline() == "None\n"
        with started(mark) as second:
            assert second.stdout.readline() == f"{first.pid}\n"
            second.stdin.close()
        first.kill()
    assert lock_run_folder(mark) is None


def test_a_process_is_no_other_run_than_itself(tmp_path):
    assert lock_run_folder(tmp_path / "running") is None
    assert lock_run_folder(tmp_path / "running") is None


def test_a_shell_gets_variables_with_any_text(tmp_path):
    content = {"ONE": 'it\'s "a" $HOME `b`\nnext line', "NONE": ""}
    file = tmp_path / "environment.sh"
    file.write_text(shell_exports(content))
    program = "import os; print([os.environ[name] for name in ('ONE', 'NONE')])"
    command = f". {shlex.quote(str(file))}; {shlex.quote(sys.executable)} -c {shlex.quote(program)}"
    said = subprocess.run(["sh", "-c", command], stdout=subprocess.PIPE, text=True, check=True).stdout
    assert said == f"{list(content.values())}\n"


def test_where_no_mark_can_be_made_there_is_no_other_run(tmp_path):
    (tmp_path / "file").touch()
    assert lock_run_folder(tmp_path / "file/running") is None


def test_caches_lie_in_the_home_folder_where_that_can_be_written_to(tmp_path):
    assert cache_variables({"XDG_CONFIG_HOME": str(tmp_path)}, Path("/run")) == {}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("home", ["/proc/1", "/nowhere/at/all"])
def test_caches_lie_beside_the_run_where_the_home_folder_cannot_be_written_to(home, monkeypatch):
    monkeypatch.setenv("HOME", home)
    assert cache_variables(os.environ | {"XDG_CONFIG_HOME": ""}, Path("/run")) == {"MPLCONFIGDIR": "/run/matplotlib"}


def test_a_choice_of_the_user_stays():
    assert cache_variables({"MPLCONFIGDIR": "/own", "XDG_CONFIG_HOME": "/nowhere"}, Path("/run")) == {}
