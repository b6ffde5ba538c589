"""Normalising a case from arrays to the written file, against the same steps of MONAI in memory."""

import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import yaml

from tests.benchmarks.timing import Figure, best_seconds
from tests.support.builders import REPOSITORY
from tests.support.case_files import TASK, check_case
from tumorseg.cohort.background import backgrounds_from_facts
from tumorseg.cohort.discovery import discover_cases
from tumorseg.cohort.validated_files import reread_images, reread_mask
from tumorseg.preprocessing.normalisation import normalise_case
from tumorseg.preprocessing.store import write_case

CASES = 4


def figures(root: Path) -> Iterator[Figure]:
    """Yield milliseconds per real case below `root`. MONAI runs on one thread, like a job, and on all threads."""
    with warnings.catch_warnings(action="ignore"):
        from monai.transforms import ClipIntensityPercentiles, Compose, CropForeground, NormalizeIntensity
    settings = yaml.safe_load((REPOSITORY / "config.yaml").read_text())["normalisation"]
    cases = []
    for files in discover_cases(root, TASK)[:CASES]:
        result = check_case(root, files, shape=None, labels="auto")
        cases.append(
            (
                result,
                reread_images(root, result.facts, TASK) | {"seg": reread_mask(root, result.facts, TASK)},
            )
        )
    pipeline = Compose(
        [
            CropForeground(margin=settings["margin_voxels"]),
            ClipIntensityPercentiles(*settings["clip_percentiles"], channel_wise=True),
            NormalizeIntensity(nonzero=True, channel_wise=True),
        ]
    )
    stacks = [np.stack([volumes[role].array for role in TASK.channel_names]).astype(np.float32) for _, volumes in cases]
    all_threads = torch.get_num_threads()

    def monai(threads: int):
        torch.set_num_threads(threads)
        for stack in stacks:
            pipeline(stack)

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "case.safetensors")

        def normalise():
            for result, volumes in cases:
                case = normalise_case(
                    result.case,
                    volumes,
                    task=TASK,
                    backgrounds=backgrounds_from_facts(result.facts),
                    convention=result.facts["convention"],
                    settings=settings,
                )
                write_case(file, case)

        best = best_seconds(
            {"here": normalise, "monai, one": lambda: monai(1), "monai, all": lambda: monai(all_threads)}, rounds=4
        )
    milliseconds = {name: seconds / len(cases) * 1000 for name, seconds in best.items()}
    yield Figure("normalise a case and write it, one thread", milliseconds["here"], "ms")
    yield Figure("MONAI, in memory, one thread", milliseconds["monai, one"], "ms")
    yield Figure(f"MONAI, in memory, {all_threads} threads", milliseconds["monai, all"], "ms")
    yield Figure("MONAI / normalisation, a thread each", milliseconds["monai, one"] / milliseconds["here"], "", least=4)
