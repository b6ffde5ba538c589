"""The library for other code: public names, dependencies and version."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import tumorseg
from tests.support.builders import REPOSITORY
from tests.support.documents import library_example
from tumorseg.codedigest.digest import distributions, imported_modules
from tumorseg.codedigest.project import Project
from tumorseg.task import load_task

SETTINGS = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
PROJECT, BUILD = SETTINGS["project"], SETTINGS["build-system"]["requires"]
BASE, ALL = PROJECT["dependencies"], PROJECT["optional-dependencies"]["all"]
CODE = Project(REPOSITORY / "scripts")
INDIRECT = {"onnxscript"}
"""Packages that only torch imports, for the export to ONNX."""


def names(requirements: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(requirement).name) for requirement in requirements}


def pins() -> dict[str, str]:
    """Return the version of each pinned package."""
    files = [REPOSITORY / f"envs/requirements{suffix}.txt" for suffix in ("", "-dev")]
    lines = [line.split("==") for file in files for line in file.read_text().splitlines() if "==" in line]
    return {canonicalize_name(name): pin for name, pin in lines}


def needed(modules: set[str]) -> set[str]:
    """Return the distributions that modules import."""
    packages = {source.partition(".")[0] for name in modules for source, _ in CODE.module(name).imported}
    return {canonicalize_name(name) for name in distributions(packages - {"tumorseg"})}


def run(code: str) -> str:
    """Run code with only the library on Python's path, and return its output."""
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(CODE.root)!r})\n{code}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_public_names_exist_for_users_and_for_type_checkers():
    tree = ast.parse((CODE.root / "tumorseg/__init__.py").read_text())
    (typed,) = (node for node in tree.body if isinstance(node, ast.If))
    typed_names = {alias.asname or alias.name for node in typed.body for alias in node.names}
    assert {*typed_names, "__version__"} == set(tumorseg.__all__) == set(dir(tumorseg))
    for statement in typed.body:
        for alias in statement.names:
            module = __import__(statement.module, fromlist=["_"])
            assert getattr(tumorseg, alias.asname or alias.name) is getattr(module, alias.name)


def test_another_name_is_refused():
    with pytest.raises(AttributeError, match="module tumorseg has no attribute case_score"):
        _ = tumorseg.case_score


def test_a_task_file_is_validated_as_in_the_workflow(tmp_path):
    content = yaml.safe_load((REPOSITORY / "workflow/tasks/brats-glioma.yaml").read_text())
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump(content))
    assert tumorseg.load_task(str(path)).region_labels == load_task().region_labels
    path.write_text(yaml.safe_dump({**content, "convention": {"odd": {}}}))
    with pytest.raises(tumorseg.UserError, match=r"^/.*own.yaml: convention: there is no such key; did you mean conv"):
        tumorseg.load_task(str(path))


@pytest.mark.parametrize("name", tumorseg.built_in_tasks())
def test_the_library_has_the_tasks_of_the_workflow(name):
    assert tumorseg.load_task(name) == load_task(name)


def test_importing_the_library_imports_no_other_package():
    loaded = run("import tumorseg\nprint(*sys.modules)").split()
    assert not {"numpy", "yaml", "scipy", "torch"} & set(loaded)
    assert {name for name in loaded if name.startswith("tumorseg")} == {"tumorseg", "tumorseg.version"}


def test_the_example_prints_the_expected_lines_without_torch():
    code, expected = library_example()
    *printed, loaded = run(f"{code}\nprint(*sys.modules)").splitlines()
    assert printed == expected
    packages = packages_distributions()
    found = {canonicalize_name(packages[name][0]) for name in loaded.split() if name in packages}
    assert found >= {"numpy", "scipy", "jsonschema"}
    assert not names(ALL) & found


def test_tasks_and_scores_need_exactly_the_dependencies():
    entry = [CODE.module(f"tumorseg.{module}") for module, _ in tumorseg._PUBLIC.values()]
    assert needed(imported_modules(CODE, entry)) == names(BASE)


def test_the_library_needs_exactly_the_dependencies_and_the_extra():
    library = {name for name in CODE.all_names() if name.partition(".")[0] == "tumorseg"}
    assert needed(library) | INDIRECT == names(BASE) | names(ALL)


@pytest.mark.parametrize("requirement", [*BASE, *ALL, *BUILD])
def test_the_pinned_version_is_within_the_range(requirement):
    """This includes the build tool."""
    found = Requirement(requirement)
    assert found.specifier.contains(pins()[canonicalize_name(found.name)])


def test_the_version_is_the_same_everywhere():
    assert PROJECT["dynamic"] == ["version"]
    assert SETTINGS["tool"]["hatch"]["version"] == {"path": "scripts/tumorseg/version.py"}
    citation = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text())
    assert str(citation["version"]) == tumorseg.__version__
    released = re.findall(r"^## \[(\d\S*)\] - (\S+)$", (REPOSITORY / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert released[0] == (tumorseg.__version__, str(citation["date-released"]))
    assert re.fullmatch(r"\d+\.\d+\.\d+", tumorseg.__version__)


def test_the_citation_has_the_fields_of_its_format():
    citation = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text())
    required = {"cff-version", "message", "title", "authors"}
    optional = {"type", "version", "date-released", "license", "references"}
    assert required <= set(citation) <= required | optional
    assert citation["cff-version"] == "1.2.0"
    assert citation["type"] == "software"
    assert citation["license"] == PROJECT["license"]
    for reference in citation["references"]:
        assert {"type", "title", "authors"} <= set(reference) <= {"type", "title", "authors", "year", "doi", "url"}
    for work in (citation, *citation["references"]):
        for author in work["authors"]:
            assert set(author) in ({"name"}, {"family-names", "given-names"})


def test_the_entry_of_the_workflow_catalogue_is_valid():
    usage = yaml.safe_load((REPOSITORY / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert set(usage) == {"software-stack-deployment", "report"}  # no flag is mandatory
    assert set(usage["software-stack-deployment"]) <= {"conda", "apptainer", "apptainer+conda"}
    assert all(value is True for value in [usage["report"], *usage["software-stack-deployment"].values()])
