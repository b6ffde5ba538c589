"""Segment new patients with a tiny network."""

import nibabel
import torch
import yaml

from tests.support.builders import REPOSITORY, TASK, architecture, model_card, random_network
from tumorseg.cohort.discovery import discover_cases
from tumorseg.configuration.task_validation import fill_task_defaults
from tumorseg.inference.segmenter import Segmenter
from tumorseg.networks.devices import Execution
from tumorseg.plotting.style import FigureSettings
from tumorseg.segmentation.patient import segment_patient
from tumorseg.segmentation.used_model import UsedModel

CPU = Execution(torch.device("cpu"), torch.float32)
CONFIGURATION = fill_task_defaults(yaml.safe_load((REPOSITORY / "config.yaml").read_text()), TASK)
FIGURES = FigureSettings.from_dict(CONFIGURATION["figures"] | {"dpi": 50})
CARD = model_card(architecture())


def tiny_segmenter(**changes) -> Segmenter:
    """Return a segmenter that finds every label somewhere in noise. changes: of the settings of prediction."""
    return Segmenter([random_network()], CPU, CONFIGURATION["prediction"] | changes, task=TASK)


def segment(root, folder, segmenter, card=CARD, *, scores=None, **options):
    """Segment each patient below `root`, write masks and pictures to `folder`, and return the results.

    card: of the model, or a list of several; scores: of each model; options: further arguments of `segment_patient`.
    """
    folder.mkdir(exist_ok=True)
    cards = card if isinstance(card, list) else [card]
    models = [
        UsedModel(f"fold-{fold}.safetensors", *facts)
        for fold, facts in enumerate(zip(cards, scores or [None] * len(cards), strict=True))
    ]
    return [
        segment_patient(root, files, segmenter, models, task=TASK, folder=folder, figures=FIGURES, **options)
        for files in discover_cases(root, TASK, "segment.cases")
    ]


def mask_of(folder, case):
    return nibabel.load(folder / f"{case}.nii.gz")
