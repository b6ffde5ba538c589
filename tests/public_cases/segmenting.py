"""Run the target `segment` on the patients of a public case with a model of random weights."""

from dataclasses import replace
from pathlib import Path

import pandas as pd

from tests.integration.workflow import Workflow
from tests.support.builders import TASK, model_card, random_network, trained_on
from tumorseg.networks.model import write_model
from tumorseg.networks.training_facts import Range, TrainingFacts

MEDIAN_POSITIONS = {"t1": (0.47, 0.59), "t1ce": (0.39, 0.48), "t2": (0.37, 0.47), "flair": (0.49, 0.58)}
"""Position of the median between the percentiles 1 and 99, in the demo cohort: lowest and highest."""


def demo_training_facts(spacing_mm: float, *, demo: bool = False) -> TrainingFacts:
    """Return the training facts of the demo's model, scaled to another voxel size."""
    intensities = {
        name: {"median_position": Range(low, (low + high) / 2, high)} for name, (low, high) in MEDIAN_POSITIONS.items()
    }
    voxels = 1.9e6 / spacing_mm**3
    return replace(
        trained_on((spacing_mm,) * 3, demo=demo),
        brain_voxels=Range(0.9 * voxels, voxels, 1.1 * voxels),
        intensities={channel: intensities[channel] for channel in TASK.channel_names},
    )


def write_random_model(path: Path, facts: TrainingFacts, **changes) -> Path:
    """Write a model of random weights that predicts every label, and return its path. changes: of its card."""
    network = random_network()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_model(path, network, model_card(network.architecture, trained_on=facts, **changes))
    return path


def segment_workflow(folder: Path, patients: Path, models: list[Path]) -> Workflow:
    """Return a workflow that is configured for `segment` alone."""
    workflow = Workflow(folder)
    segment = {"cases": str(patients), "models": [str(model) for model in models]}
    workflow.configure({"cohort": {"root": "nowhere", "shards": 1}, "demo": None, "segment": segment})
    return workflow


def read_volumes_table(workflow: Workflow) -> pd.DataFrame:
    """Return the table of `segment` as text, indexed by case."""
    table = pd.read_csv(workflow.results / "segmentations/volumes.tsv", sep="\t", dtype=str, keep_default_na=False)
    return table.set_index("case")
