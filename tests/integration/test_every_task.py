"""Each built-in task and a user's task, from raw files to the report on a tiny demo cohort.

All tests of a task share one run.
"""

import json
import re
from dataclasses import dataclass
from itertools import chain

import nibabel
import numpy as np
import pandas as pd
import pytest
import yaml
from markupsafe import escape

from tests.integration.workflow import Workflow
from tumorseg.cohort.splits import read_splits, validation_cases
from tumorseg.demo.plan import demo_convention
from tumorseg.errors import UserError
from tumorseg.networks.model import read_model
from tumorseg.preprocessing.store import read_case
from tumorseg.segmentation.models import read_models
from tumorseg.task import DEFAULT_TASK, Task, built_in_tasks, load_task, task_path

pytestmark = pytest.mark.release

SMALL = {
    "demo": {"cases": 6, "spacing_mm": 8, "seed": 1},
    "cohort": {"root": "cohort", "shards": 1, "validation_fraction": 0.4},
    "training": {"epochs": 1, "steps_per_epoch": 1},
    "report": {"viewer_cases": 1},
}
USER_TASK = "own/our centre.yaml"
USABLE = 3
"""Number of usable cases of the demo; the last three are corrupted."""


def write_user_task(path):
    """Write a task with five channels, and other label values and names than the built-in task it is based on."""
    content = yaml.safe_load(task_path("brats-glioma-post-treatment").read_text())
    names = {"t1": "plain", "t1ce": "gd", "t2": "t2", "flair": "flair"}
    channels = {names[name]: {**given, "files": [f"{names[name]}_reg"]} for name, given in content["channels"].items()}
    values = {1: 1, 2: 2, 3: 3, 4: 7}
    regions = {"WT": "lesion", "TC": "solid", "ET": "bright", "RC": "hole"}
    changes = {
        "title": "Our centre & its scanners",
        "case_name": "P{patient}",
        "case_names": r"P\d{1,9}",
        "channels": {**channels, "adc": {"title": "ADC <map>", "files": ["adc"]}},
        "mask": {"files": ["drawn"]},
        "classes": 8,
        "labels": {values[value]: label for value, label in content["labels"].items()},
        "regions": {
            regions[name]: {**region, "labels": [values[value] for value in region["labels"]]}
            for name, region in content["regions"].items()
        },
    }
    changes["regions"]["hole"]["holes"] = 7
    del content["grids"], content["first_time_point"]
    path.parent.mkdir(parents=True)
    path.write_text(yaml.safe_dump({**content, **changes}, sort_keys=False))


@dataclass(frozen=True)
class FinishedTask:
    """A finished run of a task."""

    run: Workflow
    task: Task
    name: str
    """Name or path in the configuration."""

    def read(self, path: str) -> str:
        return (self.run.results / path).read_text()


@pytest.fixture(scope="module", params=[*built_in_tasks(), USER_TASK])
def finished(request, tmp_path_factory):
    run = Workflow(tmp_path_factory.mktemp("task") / "run")
    if request.param == USER_TASK:
        write_user_task(run.folder / USER_TASK)
    run.configure({**SMALL, "cohort": {**SMALL["cohort"], "task": request.param}})
    run.succeed()
    given = run.folder / USER_TASK if request.param == USER_TASK else request.param
    return FinishedTask(run, load_task(str(given)), request.param)


def labels_of_masks(folder, task: Task) -> set[int]:
    """Return all labels in the masks below a folder."""
    labels = task.labels_by_value(demo_convention(task))
    files = (file for file in folder.glob("**/*.nii.gz") if "-probabilities" not in file.name)
    return {labels[int(value)] for value in chain(*(np.unique(nibabel.load(file).dataobj) for file in files))}


def test_valid_cases_are_read_with_all_channels_and_labels(finished):
    cases = [read_case(path) for path in sorted((finished.run.results / "normalised").glob("*/*.safetensors"))]
    assert len(cases) == USABLE
    assert {case.image.shape[0] for case in cases} == {len(finished.task.channels)}
    assert set(chain(*(np.unique(case.mask) for case in cases))) == {0, *finished.task.label_values}


def test_each_held_out_case_is_scored_in_each_structure(finished):
    table = pd.read_csv(finished.run.results / "evaluation/cases.csv")
    cases = validation_cases(read_splits(finished.run.results / "cohort/splits.tsv"), 0)
    assert cases
    found = table.groupby("case")["region"].apply(list).to_dict()
    assert found == {case: list(finished.task.structures) for case in cases}
    assert table["dice"].between(0, 1).all()
    volumes = table.pivot_table(index="case", columns="region", values="reference_voxels")
    for region, values in finished.task.region_labels.items():
        assert (volumes[region] == volumes[[f"label_{value}" for value in values]].sum(axis=1)).all()
    summary = json.loads(finished.read("evaluation/summary.json"))
    assert {name: part["scores"]["dice"]["n"] for name, part in summary["structures"].items()} == dict.fromkeys(
        finished.task.structures, len(cases)
    )


def test_predictions_have_only_labels_of_the_task(finished):
    assert labels_of_masks(finished.run.results / "predictions", finished.task) <= {0, *finished.task.label_values}


def test_the_pages_name_only_labels_regions_and_channels_of_the_task(finished):
    others = {"WT", "TC", "ET", "RC", "GTV"} - set(finished.task.region_labels)
    for page in ("report.html", "cohort/cohort.html"):
        text = finished.read(page)
        for title in (*finished.task.channel_titles.values(), *finished.task.label_titles.values()):
            assert str(escape(title)) in text
        assert str(escape(finished.task.title)) in text
    report = finished.read("report.html")
    for region in finished.task.regions:
        assert f"{region.name}: {region.title}" in report
    for name in others:
        assert f">{name}<" not in report
        assert f"Dice {name}" not in report


def test_the_viewer_has_the_channels_and_structures_of_the_task(finished):
    (case,) = json.loads(finished.read("figures/viewer.json"))["cases"]
    assert set(case["volumes"]) == {*finished.task.channel_names, "reference", "prediction"}
    assert set(case["dice"]) == set(finished.task.structures)


def test_the_model_and_its_card_have_the_task(finished):
    _, card = read_model(finished.run.results / "model/fold-0.safetensors")
    assert card.task == finished.task
    assert (card.architecture.channels, card.architecture.classes) == (len(card.task.channels), card.task.classes)
    text = finished.read("model/README.md")
    assert f"- **Input**: {', '.join(finished.task.channel_titles.values())}" in text
    for value, title in finished.task.label_titles.items():
        assert f"{value} {title}" in text


def test_patients_are_segmented_with_the_label_values_of_the_task(finished, tmp_path):
    run = finished.run.copy(tmp_path / "run")
    section = {**SMALL["cohort"], "task": finished.name}
    run.configure({**SMALL, "cohort": section, "segment": {"cases": "cohort"}})
    run.succeed("segment")
    table = pd.read_csv(run.results / "segmentations/volumes.tsv", sep="\t").query("segmented")
    assert len(table) == USABLE + 1  # one of the corrupted cases has valid images and a mask of another shape
    assert {f"{structure}_mm3" for structure in finished.task.region_labels} <= set(table.columns)
    assert labels_of_masks(run.results / "segmentations", finished.task) <= {0, *finished.task.label_values}


def test_the_model_is_refused_for_another_task(finished):
    other = "brats-meningioma-radiotherapy" if len(finished.task.channels) > 1 else DEFAULT_TASK
    model = finished.run.results / "model/fold-0.safetensors"
    message = f"{model}: this model is of the task {finished.task.name}, not {other} "
    with pytest.raises(UserError, match=re.escape(message)):
        read_models([model], load_task(other))
