import ast
import json
import re

import numpy as np
import pytest

import write_synthetic_cases
from tests.support.builders import REPOSITORY
from tumorseg.codedigest.digest import imported_modules
from tumorseg.codedigest.project import Project
from tumorseg.preprocessing.store import read_case
from tumorseg.synthetic.case import synthetic_case
from tumorseg.synthetic.pool import write_pool
from tumorseg.task import load_task

SETTINGS = {"clip_percentiles": [0.5, 99.5], "margin_voxels": 2, "spacing_mm": 8}

FORBIDDEN = re.compile(r"random\.|np\.random\.(?!default_rng|Generator)|(id|hash)$|os\.|time\.|uuid|datetime")
"""Calls whose result depends on the process."""


def write(folder, *options):
    write_synthetic_cases.main(["--output", str(folder), "--settings", json.dumps(SETTINGS), "--seed", "7", *options])
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_files_are_normalised_cases(tmp_path):
    written = write(tmp_path / "pool", "--cases", "2", "--first", "3")
    assert sorted(written) == ["synthetic-7-000003.safetensors", "synthetic-7-000004.safetensors"]
    case = read_case(tmp_path / "pool" / "synthetic-7-000003.safetensors")
    np.testing.assert_array_equal(case.image, synthetic_case(SETTINGS, load_task(), 7, 3).image)


@pytest.mark.parametrize("processes", [2, 3])
def test_neither_the_number_of_processes_nor_the_order_of_cases_changes_a_byte(tmp_path, processes):
    one = write(tmp_path / "one", "--cases", "4")
    several = tmp_path / "several"
    several.mkdir()
    list(write_pool(several, SETTINGS, load_task(), 7, [2, 0, 3, 1], processes=processes))
    assert {path.name: path.read_bytes() for path in several.iterdir()} == one


def test_the_code_of_cases_keeps_no_state_from_one_case_to_the_next():
    """Checks what would make a case depend on the process that simulates it: random state, time, environment, caches.

    The template is the only cache.
    """
    project = Project(REPOSITORY / "scripts")
    simulated = imported_modules(project, [project.module("tumorseg.synthetic.case")])
    modules = [name for name in simulated if name.startswith(("tumorseg.synthetic.", "tumorseg.demo."))]
    assert len(modules) > 15
    found = set()
    for name in modules:
        for node in ast.walk(project.module(name).tree):
            if isinstance(node, ast.Global | ast.Nonlocal):
                found.add(f"{name}: {ast.unparse(node)}")
            if isinstance(node, ast.Call) and FORBIDDEN.match(called := ast.unparse(node.func)):
                found.add(f"{name}: {called}")
            if isinstance(node, ast.FunctionDef) and any("cache" in ast.unparse(each) for each in node.decorator_list):
                found.add(f"{name}: cached {node.name}")
    assert found == {"tumorseg.synthetic.case: cached _template"}


def test_a_task_that_cannot_be_simulated_ends_the_job(tmp_path, capsys):
    with pytest.raises(SystemExit):
        write(tmp_path, "--cases", "1", "--task", "brats-paediatric")
    assert "means cyst" in capsys.readouterr().err
