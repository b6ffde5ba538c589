"""The demo through Snakemake, in folders of their own, as a user runs it."""

import copy
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from snakemake.utils import update_config

from tests.gpu_check.scale import Scale
from tests.integration.workflow import TINY
from tests.support.builders import REPOSITORY
from tumorseg.training.checkpoint import load_checkpoint


@dataclass(frozen=True)
class DemoRun:
    """A folder in which the workflow runs on the demo cohort."""

    folder: Path
    scale: Scale

    def run(self, *targets: str, options: tuple[str, ...] = (), **training: Any) -> None:
        """Run the workflow; its lines go to the log of the check.

        training: changes of the section `training` of the configuration.

        Raises RuntimeError if it fails.
        """
        settings: dict[str, Any] = copy.deepcopy(self._demo())
        update_config(settings, {"training": {"device": self.scale.device, **training}})
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / "settings.yaml"
        file.write_text(yaml.safe_dump(settings))
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(REPOSITORY / "Snakefile"), "--cores", "all"]
        command += [*targets, *options, "--directory", str(self.folder), "--configfile", str(file)]
        status = subprocess.run(command, check=False).returncode
        if status != 0:
            raise RuntimeError(f"the workflow ended with status {status} in {self.folder}")

    def checkpoint(self, epoch: int) -> Path:
        """Return the path of a checkpoint."""
        return self.folder / f"results/training/fold-0/epoch-{epoch:04d}.pt"

    def content(self, epoch: int) -> dict[str, Any]:
        """Return the content of a checkpoint."""
        return load_checkpoint(self.checkpoint(epoch))

    def _demo(self) -> Mapping[str, Any]:
        if self.scale.reduced:
            return TINY
        content: Mapping[str, Any] = yaml.safe_load((REPOSITORY / "workflow/demo.yaml").read_text())
        return content


def untrained(name: str, folder: Path, scale: Scale) -> DemoRun:
    """Return a new run whose cohort is normalised. The cohort is the same for all of them and made only once."""
    prepared = DemoRun(folder / "demo/normalised", scale)
    prepared.run("normalise", "split")
    run = DemoRun(folder / "demo" / name, scale)
    shutil.copytree(prepared.folder, run.folder, symlinks=True)
    return run
