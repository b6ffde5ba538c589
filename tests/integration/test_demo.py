"""The demo as `make demo` runs it: its network scores higher than a classifier of single voxels."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from tests.support.builders import REPOSITORY
from tumorseg.cohort.splits import read_splits, training_cases, validation_cases
from tumorseg.metrics.overlap import overlaps
from tumorseg.preprocessing.store import find_case, read_case
from tumorseg.task import load_task

pytestmark = pytest.mark.slow
LABELS = ("label_1", "label_2", "label_4")


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "snakemake", "--snakefile", REPOSITORY / "Snakefile", "--cores", "all"]
    subprocess.run([*command, "--directory", folder, "--configfile", REPOSITORY / "workflow/demo.yaml"], check=True)
    return folder / "results"


def network_dice(demo) -> dict[str, float]:
    summary = json.loads((demo / "evaluation/summary.json").read_text())
    return {name: content["scores"]["dice"]["mean"] for name, content in summary["structures"].items()}


def classifier_dice(demo) -> dict[str, float]:
    """Return the mean Dice of boosted trees on the four intensities of a voxel, with the split of the demo."""
    folders = sorted((demo / "normalised").iterdir())
    splits = read_splits(demo / "cohort/splits.tsv")
    rng = np.random.default_rng(0)
    intensities, labels = [], []
    for name in training_cases(splits, 0):
        case = read_case(find_case(folders, name))
        brain = np.flatnonzero((case.image != 0).any(axis=0))
        chosen = rng.choice(brain, 20_000, replace=False)
        intensities.append(case.image.reshape(4, -1)[:, chosen].T.astype(np.float32))
        labels.append(case.mask.ravel()[chosen])
    trees = HistGradientBoostingClassifier(random_state=0)
    trees.fit(np.concatenate(intensities), np.concatenate(labels))
    rows = []
    for name in validation_cases(splits, 0):
        case = read_case(find_case(folders, name))
        brain = (case.image != 0).any(axis=0)
        prediction = np.zeros_like(case.mask)
        prediction[brain] = trees.predict(case.image[:, brain].T.astype(np.float32))
        rows.append(
            {structure: overlap.dice for structure, overlap in overlaps(case.mask, prediction, load_task()).items()}
        )
    return pd.DataFrame(rows).mean().to_dict()


def test_the_network_segments_the_tumour_and_each_label(demo):
    dice = network_dice(demo)
    assert dice["WT"] >= 0.85
    assert min(dice[label] for label in LABELS) >= 0.5


def test_a_classifier_of_intensities_scores_clearly_below_the_network(demo):
    network, classifier = network_dice(demo), classifier_dice(demo)
    assert classifier["WT"] < network["WT"] - 0.2
    assert np.mean([classifier[label] for label in LABELS]) < np.mean([network[label] for label in LABELS]) - 0.15
