"""Run the real workflow on a tiny demo cohort, and read its plan and results."""

import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.support.builders import REPOSITORY

TINY: dict[str, Any] = {
    "cohort": {"root": "cohort", "shards": 4, "validation_fraction": 0.25},
    "demo": {"cases": 8, "spacing_mm": 6, "seed": 1},
    "normalisation": {"margin_voxels": 1},
    "model": {"base_channels": 2},
    "training": {
        "epochs": 3,
        "input_shape": [16, 16, 16],
        "batch_size": 2,
        "steps_per_epoch": 3,
        "learning_rate": 0.01,
        "precision": "fp32",
        "device": "cpu",
        "threads": 1,
    },
    "evaluation": {"bootstrap_samples": 100},
    "figures": {"cases": 1, "dpi": 60},
}


@dataclass(frozen=True)
class Workflow:
    """The workflow of a repository, run in its own folder."""

    folder: Path
    repository: Path = REPOSITORY

    @property
    def results(self) -> Path:
        """Return the folder of the results."""
        return self.folder / "results"

    def configure(self, changes: dict[str, Any] | None = None) -> None:
        """Write the tiny configuration, updated with `changes` section by section."""
        self.folder.mkdir(parents=True, exist_ok=True)
        content = {
            section: {**TINY.get(section, {}), **changes[section]}
            if isinstance((changes or {}).get(section), dict)
            else (changes or {}).get(section, TINY.get(section))
            for section in {**TINY, **(changes or {})}
        }
        (self.folder / "tiny.yaml").write_text(yaml.safe_dump(content))

    def command(self, *targets: str, options: tuple[str, ...] = ()) -> list[str]:
        """Return the command line of a run."""
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(self.repository / "Snakefile"), "--cores", "2"]
        command += [*targets, *options, "--directory", str(self.folder), "--configfile", str(self.folder / "tiny.yaml")]
        return command

    def run(self, *targets: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        """Run Snakemake as a user does. Both streams of its output are in `stdout`."""
        command = self.command(*targets, options=options)
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)

    def succeed(self, *targets: str) -> str:
        """Run, check that the run succeeds, and return its output."""
        completed = self.run(*targets)
        assert completed.returncode == 0, completed.stdout[-8000:]
        return completed.stdout

    def planned(self, *targets: str, options: tuple[str, ...] = ()) -> Counter[str]:
        """Return the number of jobs of each rule that a dry run plans, without targets."""
        output = self.run(*targets, options=("--dry-run", *options)).stdout
        if "Nothing to be done" in output:
            return Counter()
        table = re.search(r"Job stats:\njob +count\n-+ +-+\n(.*?)\ntotal", output, re.DOTALL)
        assert table, output[-4000:]
        rows = [line.split() for line in table[1].splitlines()]
        return Counter({rule: int(count) for rule, count in rows if rule not in TARGETS})

    def copy(self, folder: Path, repository: Path = REPOSITORY) -> "Workflow":
        """Copy the run to another folder, with its file times."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Workflow(folder, repository)


TARGETS = ("all", "validate", "normalise", "train", "verify", "figures", "onnx", "learning_curve")
FIGURE_RULES = (
    "figure_modalities",
    "figure_ground_truth",
    "figure_predictions",
    "figure_overlays",
    "figure_gallery",
    "figure_learning_curves",
    "figure_scores",
    "figure_distance_distributions",
    "figure_lesion_detection",
    "figure_volume_agreement",
    "figure_dice_by_volume",
    "figure_predicted_quality",
    "figure_confusion_matrix",
)
"""Rules of figures that depend on the training."""


def copy_repository(folder: Path) -> Path:
    """Copy the repository to a folder, with new file times as in a fresh checkout."""
    ignored = shutil.ignore_patterns(".*", "__pycache__", "results", "demo", "tests")
    shutil.copytree(
        REPOSITORY,
        folder,
        ignore=lambda where, names: ignored(where, names) if where == str(REPOSITORY) else [],
        copy_function=shutil.copy,
    )
    return folder


def edit(path: Path, before: str, after: str) -> None:
    """Replace a text in a file, which must contain it."""
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))
