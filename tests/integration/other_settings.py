"""Another value of every setting."""

from typing import Any

from tests.integration.workflow import Workflow
from tumorseg.cohort.manifest import read_manifest

SETTINGS: dict[str, Any] = {
    "cohort.task": "brats-africa",
    "cohort.root": "elsewhere",
    "cohort.samples": "samples.tsv",
    "cohort.labels": "mixed",
    "cohort.label_map": {1: 1, 2: 2, 3: 4},
    "cohort.shape": [40, 40, 40],
    "cohort.max_voxels": 10**7,
    "cohort.empty_masks": "keep",
    "cohort.shards": 5,
    "cohort.expected_usable": 5,
    "cohort.folds": 2,
    "cohort.validation_fraction": 0.3,
    "cohort.patient": r"(BraTS-GLI-\d+-\d+)",
    "cohort.split_file": "own.tsv",
    "cohort.seed": 5,
    "normalisation.clip_percentiles": [1, 99],
    "normalisation.margin_voxels": 2,
    "normalisation.spacing_mm": 5,
    "model.name": "residual_unet",
    "model.base_channels": 4,
    "model.depth": 2,
    "model.norm": "instance",
    "model.down_sampling": "stride",
    "model.deep_supervision": True,
    "training.start_from": "start.safetensors",
    "training.epochs": 4,
    "training.epochs_per_checkpoint": 3,
    "training.input_shape": [24, 16, 16],
    "training.batch_size": 1,
    "training.steps_per_epoch": 4,
    "training.foreground_fraction": 0.5,
    "training.foreground_sampling": "voxel",
    "training.synthetic_fraction": 0.5,
    "training.synthetic_cases": 3,
    "training.augmentation": ["flip"],
    "training.learning_rate": 0.1,
    "training.weight_decay": 0.01,
    "training.schedule": "cosine",
    "training.schedule_epochs": 50,
    "training.warmup_epochs": 10,
    "training.dice_structures": "regions",
    "training.dice_absent": "ignore",
    "training.cross_entropy_weights": {"label_1": 3},
    "training.gradient_clip": 1,
    "training.ema_decay": 0.9,
    "training.gradient_checkpointing": True,
    "training.precision": "bf16",
    "training.device": "auto",
    "training.deterministic": True,
    "training.threads": 2,
    "training.tensorboard": True,
    "training.seed": 3,
    "checkpoint.select": "best",
    "prediction.mode": "window",
    "prediction.window": [16, 16, 16],
    "prediction.overlap": 0.25,
    "prediction.test_time_mirroring": True,
    "prediction.probabilities": True,
    "prediction.remove_components": {"WT": 5, "TC": 0, "ET": 0},
    "prediction.min_enhancing_mm3": 5,
    "prediction.fill_holes": True,
    "evaluation.surface_tolerance_mm": 2,
    "evaluation.confidence": 0.9,
    "evaluation.bootstrap_samples": 200,
    "evaluation.seed": 4,
    "evaluation.calibration": True,
    "evaluation.leave_out_modalities": True,
    "figures.cases": 2,
    "figures.dpi": 70,
    "figures.opacity": 0.4,
    "figures.colours": {"label_1": "#112233", "label_2": "#56B4E9", "label_4": "#F0E442"},
    "report.viewer_cases": 1,
    "postprocessing.remove_components_mm3": [20],
    "postprocessing.min_enhancing_mm3": [],
    "postprocessing.fill_holes": False,
    "segment.cases": "patients",
    "segment.models": "model.safetensors",
    "score.predictions": "masks",
    "score.references": "cohort",
    "score.label_map": {3: 4},
}
"""Values that differ from those of the finished run."""


def write_sheet(run: Workflow) -> None:
    """Write a sample sheet of the existing cohort."""
    table = read_manifest(run.results / "cohort/manifest.tsv")
    columns = {"t1": "t1n", "t1ce": "t1c", "t2": "t2w", "flair": "t2f", "mask": "seg"}
    rows = [[case, *(f"cohort/{case}/{case}-{ending}.nii.gz" for ending in columns.values())] for case in table["case"]]
    lines = ["\t".join(row) for row in [["case", *columns], *rows]]
    (run.folder / SETTINGS["cohort.samples"]).write_text("\n".join(lines) + "\n")
