"""The library built as a wheel from the files in git, installed, and used as in the documentation."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.builders import REPOSITORY
from tests.support.documents import library_example

PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]


def run(command: list[str], folder: Path) -> str:
    completed = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert completed.returncode == 0, completed.stderr[-4000:]
    return completed.stdout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """The current files that git tracks, with links as links."""
    folder = tmp_path_factory.mktemp("checkout") / "tumorseg"
    for name in run(["git", "ls-files", "-z"], REPOSITORY).split("\0")[:-1]:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(REPOSITORY / name, target, follow_symlinks=False)
    return folder


@pytest.fixture(scope="module")
def wheel(checkout, tmp_path_factory):
    """The wheel, built with the installed build tool and without network."""
    folder = tmp_path_factory.mktemp("wheel")
    before = sorted(checkout.rglob("*"))
    run([*PIP, "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), "."], checkout)
    assert sorted(checkout.rglob("*")) == before  # a left-over folder `build` would become part of the next wheel
    (built,) = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory):
    """The Python of an environment with the installed library and the packages of the tests."""
    folder = tmp_path_factory.mktemp("environment")
    run([sys.executable, "-m", "venv", "--without-pip", str(folder)], folder)
    (packages,) = folder.glob("lib/python*/site-packages")
    (here,) = {path for path in sys.path if path.endswith("site-packages")}
    (packages / "shared.pth").write_text(here)
    run([*PIP, "--python", str(folder / "bin/python"), "install", "--quiet", "--no-deps", str(wheel)], folder)
    return folder / "bin/python"


@pytest.mark.release
def test_the_wheel_has_only_the_library_and_its_data_files(checkout, wheel):
    library = checkout / "scripts"
    files = [path for path in library.rglob("*") if path.is_file()]
    links = {f"tumorseg/{name}": f"workflow/{name}" for name in ("models", "schemas", "tasks")}
    wanted_files = {path.relative_to(library).as_posix() for path in files if path.parent != library}
    for name, target in links.items():
        assert (library / name).is_symlink()
        wanted_files |= {f"{name}/{path.name}" for path in (checkout / target).iterdir()}
    with zipfile.ZipFile(wheel) as content:
        names = {name for name in content.namelist() if ".dist-info/" not in name}
        assert names == wanted_files
        task = checkout / "workflow/tasks/brats-glioma.yaml"
        assert content.read("tumorseg/tasks/brats-glioma.yaml") == task.read_bytes()


@pytest.mark.release
def test_the_example_runs_with_the_installed_library(python, tmp_path):
    code, expected = library_example()
    where = "print(tumorseg.__file__, tumorseg.__version__, *tumorseg.built_in_tasks())"
    *printed, found = run([str(python), "-I", "-c", f"{code}\n{where}"], tmp_path).splitlines()
    assert printed == expected
    file, _version, *tasks = found.split()
    assert Path(file).is_relative_to(python.parent.parent)
    assert tasks == sorted(path.stem for path in (REPOSITORY / "workflow/tasks").glob("*.yaml"))


@pytest.mark.release
def test_every_module_of_the_installed_library_can_be_imported(python, tmp_path):
    code = (
        "import importlib, pkgutil, tumorseg\n"
        "names = [found.name for found in pkgutil.walk_packages(tumorseg.__path__, 'tumorseg.')]\n"
        "for name in names:\n    importlib.import_module(name)\n"
        "print(len(names))"
    )
    modules = [path for path in (REPOSITORY / "scripts/tumorseg").rglob("*.py") if path.parent.name != "tumorseg"]
    assert int(run([str(python), "-I", "-c", code], tmp_path)) > len(modules)
