"""The conda environments have the versions of the pip requirements."""

import ast
import re

import pytest
import yaml

from tests.support.builders import REPOSITORY
from tumorseg.codedigest.digest import distributions, imported_modules
from tumorseg.codedigest.project import Project

CONDA_NAMES = {
    "pytorch": "torch",
    "matplotlib-base": "matplotlib",
    "python-xxhash": "xxhash",
    "tensorboardx": "tensorboardX",
}


def pins(name: str) -> dict[str, str]:
    lines = (REPOSITORY / "envs" / name).read_text().splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith(("#", "-r")))


def conda_versions(name: str) -> dict[str, str]:
    """Return the version of each package of a conda environment, including those from pip, by the name on PyPI."""
    *conda, by_pip = yaml.safe_load((REPOSITORY / "envs" / name).read_text())["dependencies"]
    packages = [package.split("=") for package in conda if package != "pip" and not package.startswith("python=")]
    versions = {CONDA_NAMES.get(package, package): version for package, version in packages}
    return versions | dict(package.split("==") for package in by_pip["pip"])


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt", "requirements-slurm.txt"])
def test_every_requirement_has_an_exact_version(name):
    lines = (REPOSITORY / "envs" / name).read_text().splitlines()
    requirements = [line for line in lines if line and not line.startswith(("#", "-r"))]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in requirements)


@pytest.mark.parametrize("name", ["light.yaml", "torch.yaml"])
def test_conda_has_the_versions_of_pip(name):
    versions = conda_versions(name)
    assert len(versions) >= 6
    for package, version in versions.items():
        assert pins("requirements.txt")[package] == version


WITHOUT_RULE = ("write_samples", "export_starter")
"""Scripts that users run themselves."""


@pytest.mark.parametrize("script", sorted(path.stem for path in (REPOSITORY / "scripts").glob("*.py")))
def test_the_conda_environment_of_a_script_has_its_packages(script):
    project = Project(REPOSITORY / "scripts")
    modules = map(project.module, imported_modules(project, [project.module(script)]))
    statements = [statement for module in modules for statement in module.tree.body]
    packages = {
        name.partition(".")[0]
        for statement in statements
        if isinstance(statement, ast.Import | ast.ImportFrom)
        for name in (
            [alias.name for alias in statement.names] if isinstance(statement, ast.Import) else [statement.module]
        )
    }
    used = {package.lower() for package in distributions(packages - {path.stem for path in project.root.iterdir()})}
    name = "torch.yaml" if "torch" in used else "light.yaml"
    assert used <= {package.lower() for package in conda_versions(name)}
    if script not in WITHOUT_RULE:
        rule = next(text for text in rules() if f"{script}.py" in text)
        assert f"../../envs/{name}" in rule


def rules() -> list[str]:
    """Return the text of each rule of the workflow."""
    files = (REPOSITORY / "workflow/rules").glob("*.smk")
    return [text for file in files for text in file.read_text().split("\nrule ")]
