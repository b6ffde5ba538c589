"""Case 17: folders and cases with spaces, quotes and other special characters work. Braces are refused."""

import pytest

from tests.integration.workflow import Workflow
from tests.public_cases import generate_case
from tumorseg.cohort.manifest import read_manifest
from tumorseg.cohort.splits import read_splits

CASES = ["-3", "BraTS2021_00001 (1)", "Müller 01", "a b", "case,2", "x'y"]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return generate_case("17", tmp_path_factory.mktemp("awkward"))


def configured(folder, root):
    run = Workflow(folder)
    run.configure({"demo": None, "cohort": {"root": str(root), "shards": 1}})
    return run


@pytest.mark.parametrize(
    "root",
    [
        "Übung Daten (neu)",
        *(
            pytest.param(root, marks=pytest.mark.release)
            for root in ("O'Brien's data", "50% #1 & co; $HOME", "very " + "long " * 30)
        ),
    ],
)
def test_every_case_is_usable_and_split(data, tmp_path, root):
    run = configured(tmp_path / "run", data / root)
    run.succeed("split")
    table = read_manifest(run.results / "cohort/manifest.tsv")
    assert list(table["case"]) == CASES
    assert table["usable"].all()
    assert [row.case for row in read_splits(run.results / "cohort/splits.tsv")] == CASES
    assert not run.planned("split")


def test_braces_are_refused_and_the_folder_is_named(data, tmp_path):
    completed = configured(tmp_path / "run", data / "a{b}").run("validate")
    assert completed.returncode != 0
    assert "cohort.root" in completed.stdout
    assert "a{b}" in completed.stdout
    assert "without braces" in completed.stdout
    assert not (tmp_path / "run/results").exists()
