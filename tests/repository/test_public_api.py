"""The library as other code uses it: public names, what they need, and the version."""

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
ONLY_WHEN_ASKED = {"onnxscript"}
"""What torch imports in order to export, and no module of this project."""


def names(requirements: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(requirement).name) for requirement in requirements}


def pins() -> dict[str, str]:
    """The version of each pinned package."""
    files = [REPOSITORY / f"envs/requirements{suffix}.txt" for suffix in ("", "-dev")]
    lines = [line.split("==") for file in files for line in file.read_text().splitlines() if "==" in line]
    return {canonicalize_name(name): pin for name, pin in lines}


def needed(modules: set[str]) -> set[str]:
    """The distributions that these modules import."""
    packages = {source.partition(".")[0] for name in modules for source, _ in CODE.module(name).imported}
    return {canonicalize_name(name) for name in distributions(packages - {"tumorseg"})}


def run(code: str) -> str:
    """What Python prints that has nothing but the library on its path."""
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(CODE.root)!r})\n{code}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_every_public_name_is_there_for_people_and_for_type_checkers():
    tree = ast.parse((CODE.root / "tumorseg/__init__.py").read_text())
    (typed,) = (node for node in tree.body if isinstance(node, ast.If))
    typed_names = {alias.asname or alias.name for node in typed.body for alias in node.names}
    assert {*typed_names, "__version__"} == set(tumorseg.__all__) == set(dir(tumorseg))
    for statement in typed.body:
        for alias in statement.names:
            module = __import__(statement.module, fromlist=["_"])
            assert getattr(tumorseg, alias.asname or alias.name) is getattr(module, alias.name)


def test_a_name_that_is_not_public_is_none_of_the_library():
    with pytest.raises(AttributeError, match="module tumorseg has no attribute case_score"):
        _ = tumorseg.case_score


def test_a_tasks_file_is_read_as_strictly_as_by_the_workflow(tmp_path):
    content = yaml.safe_load((REPOSITORY / "workflow/tasks/brats-glioma.yaml").read_text())
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump(content))
    assert tumorseg.load_task(str(path)).region_labels == load_task().region_labels
    path.write_text(yaml.safe_dump({**content, "convention": {"odd": {}}}))
    with pytest.raises(tumorseg.UserError, match=r"^/.*own.yaml: convention: there is no such key; did you mean conv"):
        tumorseg.load_task(str(path))


@pytest.mark.parametrize("name", tumorseg.built_in_tasks())
def test_the_built_in_tasks_are_those_of_the_workflow(name):
    assert tumorseg.load_task(name) == load_task(name)


def test_importing_the_library_imports_no_other_package():
    loaded = run("import tumorseg\nprint(*sys.modules)").split()
    assert not {"numpy", "yaml", "scipy", "torch"} & set(loaded)
    assert {name for name in loaded if name.startswith("tumorseg")} == {"tumorseg"}


def test_the_example_prints_what_it_says_without_torch():
    code, said = library_example()
    *printed, loaded = run(f"{code}\nprint(*sys.modules)").splitlines()
    assert printed == said
    packages = packages_distributions()
    found = {canonicalize_name(packages[name][0]) for name in loaded.split() if name in packages}
    assert found >= {"numpy", "scipy", "jsonschema"}
    assert not names(ALL) & found


def test_tasks_and_scores_need_the_dependencies():
    entry = [CODE.module(f"tumorseg.{module}") for module, _ in tumorseg._PUBLIC.values()]
    assert needed(imported_modules(CODE, entry)) == names(BASE)


def test_the_whole_library_needs_the_dependencies_and_the_extra():
    library = {name for name in CODE.all_names() if name.partition(".")[0] == "tumorseg"}
    assert needed(library) | ONLY_WHEN_ASKED == names(BASE) | names(ALL)


@pytest.mark.parametrize("requirement", [*BASE, *ALL, *BUILD])
def test_the_pinned_version_is_within_the_range(requirement):
    """Of what the workflow runs with, and of the build tool of the tests."""
    wanted = Requirement(requirement)
    assert wanted.specifier.contains(pins()[canonicalize_name(wanted.name)])


def test_the_version_is_the_same_everywhere():
    assert PROJECT["dynamic"] == ["version"]
    assert SETTINGS["tool"]["hatch"]["version"] == {"path": "scripts/tumorseg/__init__.py"}
    citation = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text())
    assert str(citation["version"]) == tumorseg.__version__
    released = re.findall(r"^## \[(\d\S*)\] - (\S+)$", (REPOSITORY / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert released[0] == (tumorseg.__version__, str(citation["date-released"]))
    assert re.fullmatch(r"\d+\.\d+\.\d+", tumorseg.__version__)


def test_the_citation_has_what_its_format_asks_for():
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


def test_the_workflow_catalogue_finds_how_to_run_the_workflow():
    usage = yaml.safe_load((REPOSITORY / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert set(usage) == {"software-stack-deployment", "report"}  # no flag is mandatory
    assert set(usage["software-stack-deployment"]) <= {"conda", "apptainer", "apptainer+conda"}
    assert all(value is True for value in [usage["report"], *usage["software-stack-deployment"].values()])
