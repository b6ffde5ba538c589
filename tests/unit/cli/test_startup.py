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


def start_program(lock_file: Path) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(lock_file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def test_a_second_run_gets_the_process_of_the_first_until_that_ends(tmp_path):
    lock_file = tmp_path / ".snakemake/running"
    with start_program(lock_file) as first:
        assert first.stdout.readline() == "None\n"
        with start_program(lock_file) as second:
            assert second.stdout.readline() == f"{first.pid}\n"
            second.stdin.close()
        first.kill()
    assert lock_run_folder(lock_file) is None


def test_a_process_can_lock_a_folder_twice(tmp_path):
    assert lock_run_folder(tmp_path / "running") is None
    assert lock_run_folder(tmp_path / "running") is None


def test_exports_work_with_any_text(tmp_path):
    content = {"ONE": 'it\'s "a" $HOME `b`\nnext line', "NONE": ""}
    file = tmp_path / "environment.sh"
    file.write_text(shell_exports(content))
    program = "import os; print([os.environ[name] for name in ('ONE', 'NONE')])"
    command = f". {shlex.quote(str(file))}; {shlex.quote(sys.executable)} -c {shlex.quote(program)}"
    output = subprocess.run(["sh", "-c", command], stdout=subprocess.PIPE, text=True, check=True).stdout
    assert output == f"{list(content.values())}\n"


def test_a_lock_file_that_cannot_be_made_is_ignored(tmp_path):
    (tmp_path / "file").touch()
    assert lock_run_folder(tmp_path / "file/running") is None


def test_no_variable_is_set_if_the_home_folder_is_writable(tmp_path):
    assert cache_variables({"XDG_CONFIG_HOME": str(tmp_path)}, Path("/run")) == {}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("home", ["/proc/1", "/nowhere/at/all"])
def test_the_cache_is_beside_the_run_if_the_home_folder_is_read_only(home, monkeypatch):
    monkeypatch.setenv("HOME", home)
    assert cache_variables(os.environ | {"XDG_CONFIG_HOME": ""}, Path("/run")) == {"MPLCONFIGDIR": "/run/matplotlib"}


def test_a_variable_of_the_user_stays():
    assert cache_variables({"MPLCONFIGDIR": "/own", "XDG_CONFIG_HOME": "/nowhere"}, Path("/run")) == {}
