"""Score folders of references and predictions as the rule `score` does."""

import json
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

import score
from tests.support.case_files import AFFINE
from tumorseg.io.nifti import write_nifti

COLOURS = {"colours": {"label_1": "#D55E00", "label_2": "#56B4E9", "label_4": "#F0E442"}}
SETTINGS = {"surface_tolerance_mm": 1, "confidence": 0.95, "bootstrap_samples": 100, "seed": 1}


@dataclass
class Folders:
    """A folder of references, and folders of predictions to score against them."""

    root: Path

    @property
    def references(self) -> Path:
        return self.root / "references"

    def predict(self, name: str, volume, affine=AFFINE, folder: str = "predictions") -> Path:
        """Write a prediction, and return its path."""
        write_nifti(self.root / folder / name, volume, affine)
        return self.root / folder / name

    def score(
        self,
        *folders: str,
        task: str = "brats-glioma",
        labels: str = "auto",
        label_maps=None,
        challenge_2026: bool = False,
        page: bool = False,
        baseline: str | None = None,
    ) -> None:
        """Score folders of predictions; several folders are also compared. page: whether to write page and tables."""
        score_folders = [self.root / "scores" / (folder if len(folders) > 1 else "") for folder in folders]
        comparison = [self.root / "scores/comparison.csv", self.root / "scores/comparison.json"]
        arguments = ["--references", self.references, "--predictions", *(self.root / folder for folder in folders)]
        arguments += ["--task", task, "--labels", labels, "--settings", json.dumps(SETTINGS)]
        arguments += ["--label-maps", json.dumps(label_maps or [None] * len(folders))]
        arguments += ["--scores", *(score_folder / "cases.csv" for score_folder in score_folders)]
        arguments += ["--summaries", *(score_folder / "summary.json" for score_folder in score_folders)]
        if challenge_2026:
            arguments += ["--scores-2026", *(score_folder / "cases_2026.csv" for score_folder in score_folders)]
            arguments += ["--summaries-2026", *(score_folder / "summary_2026.json" for score_folder in score_folders)]
            if page and len(folders) > 1:
                comparison_2026 = [self.root / f"scores/comparison_2026.{suffix}" for suffix in ("csv", "json")]
                arguments += ["--comparison-2026", *comparison_2026]
        if page:
            arguments += ["--page", self.root / "scores/scores.html", "--colours", json.dumps(COLOURS)]
            arguments += ["--paper-tables", self.root / "scores/table.csv", self.root / "scores/table.tex"]
        arguments += ["--baseline", *([baseline] if baseline else [])]
        arguments += ["--comparison", *(comparison if len(folders) > 1 else []), "--clear", self.root / "scores"]
        score.main([str(argument) for argument in arguments])

    def scored(self, **options) -> tuple[pd.DataFrame, dict]:
        """Score the folder `predictions`, and return the scores by case and region and the summary."""
        self.score("predictions", **options)
        table = pd.read_csv(self.root / "scores/cases.csv", index_col=["case", "region"])
        return table, json.loads((self.root / "scores/summary.json").read_text())
