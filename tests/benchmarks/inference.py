"""Segmenting a full-size case: time against MONAI's sliding window with the same network, and memory."""

import json
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import torch
import yaml

from tests.benchmarks.timing import Figure, best_seconds
from tests.support.builders import REPOSITORY, model_card, recipe
from tests.support.case_files import TASK, check_case
from tumorseg.cli.console import job_record_path
from tumorseg.cohort.case_files import case_to_json
from tumorseg.cohort.discovery import discover_cases
from tumorseg.inference.predictor import PredictionSettings, Predictor
from tumorseg.inference.whole_volume import logits_of, mask_of, pad_image, probabilities_of
from tumorseg.io.files import read_json
from tumorseg.metrics.overlap import overlaps
from tumorseg.networks.base import Network
from tumorseg.networks.devices import Execution
from tumorseg.networks.factory import build
from tumorseg.networks.model import write_model
from tumorseg.preprocessing.crop import cropped_start, uncrop
from tumorseg.preprocessing.normalisation import normalise_validated_case
from tumorseg.preprocessing.store import read_case, write_case
from tumorseg.task import load_task
from tumorseg.training.batches import iterate_batches
from tumorseg.training.losses import LossTerms, segmentation_loss

CASES = 4
STEPS = 80
THREADS = 2
CPU = Execution(torch.device("cpu"), torch.float32)
WHOLE = PredictionSettings("whole", (128, 128, 128), 0.5, test_time_mirroring=False, probabilities=False)


def figures(root: Path) -> Iterator[Figure]:
    """Yield seconds, ratios, Dice between masks and GB on real cases below `root`, on two threads in fp32."""
    torch.set_num_threads(THREADS)
    normalisation = yaml.safe_load((REPOSITORY / "config.yaml").read_text())["normalisation"]
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for case in discover_cases(root, TASK)[:CASES]:
            result = check_case(root, case, shape=None, labels="auto")
            files.append(Path(folder, f"{case.case}.safetensors"))
            write_case(files[-1], normalise_validated_case(root, result, normalisation, task=TASK))
        network = _trained(files)
        case = read_case(files[0])
        here = Predictor([network], CPU, WHOLE, TASK.unused_classes)
        volume = torch.from_numpy(np.stack([uncrop(image, case.origin) for image in case.image])).float()[None]
        with warnings.catch_warnings(action="ignore"):
            from monai.inferers import SlidingWindowInferer
        inferer = SlidingWindowInferer((128, 128, 128), sw_batch_size=1, overlap=0.5, mode="gaussian")

        def monai():
            with torch.inference_mode():
                return inferer(volume, network)

        best = best_seconds(
            {"here": lambda: here.predict(case.image, cropped_start(case.origin)), "monai": monai}, rounds=2
        )
        yield Figure("segment a 240x240x155 case, base 16, two threads", best["here"], "s")
        yield Figure("MONAI's sliding window, the same network / here", best["monai"] / best["here"], "", least=3)
        yield from _agreement(network, here, files)
        yield from _jobs(root, Path(folder), network, normalisation)


def _jobs(root: Path, folder: Path, network: Network, normalisation: dict) -> Iterator[Figure]:
    """Yield seconds and GB of jobs that segment the cases below `root`, from raw files to masks and pictures."""
    model, log = folder / "model.safetensors", folder / "log"
    write_model(model, network, model_card(network.architecture, normalisation=normalisation))
    configuration = yaml.safe_load((REPOSITORY / "config.yaml").read_text())
    settings = {
        "prediction": configuration["prediction"] | {"mode": "whole"},
        "execution": {"device": "cpu", "precision": "fp32", "threads": THREADS},
        "figures": configuration["figures"],
    }

    def job(cases: list[str]) -> tuple[float, float]:
        command = [sys.executable, str(REPOSITORY / "scripts/segment_batch.py"), "--root", str(root), "--cases", *cases]
        command += ["--models", str(model), "--settings", json.dumps(settings), "--output", str(folder / "out")]
        subprocess.run([*command, "--log", str(log)], check=True, capture_output=True)
        record = read_json(job_record_path(log))
        return record["seconds"], record["peak_memory_mib"] * 2**20 / 1e9

    cases = [case_to_json(case) for case in discover_cases(root, TASK)]
    seconds, gigabytes = job(cases)
    yield Figure("from raw files to mask and picture, a case", seconds / len(cases), "s")
    yield Figure(
        "peak memory of a job of one case, the highest of all", max(job([case])[1] for case in cases), "GB", most=2
    )
    yield Figure(f"peak memory of a job of {len(cases)} cases", gigabytes, "GB")


def _trained(files: list[Path]) -> Network:
    """Return a network with 16 base channels, trained until it predicts every label."""
    settings = recipe(
        base_channels=16,
        input_shape=(64, 64, 64),
        batch_size=2,
        steps_per_epoch=STEPS,
        foreground_fraction=0.7,
        threads=THREADS,
    )
    torch.manual_seed(0)
    network = build(settings.architecture)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.005)
    for batch in islice(iterate_batches(files, settings.training, 0, 1), STEPS):
        optimizer.zero_grad()
        segmentation_loss(
            network(CPU.place(batch.images)), batch.masks, LossTerms.of_labels(TASK.label_values)
        ).backward()
        optimizer.step()
    return network.eval()


def _agreement(network: Network, here: Predictor, files: list[Path]) -> Iterator[Figure]:
    """Yield per label the lowest Dice between our mask and that of the network on the whole volume."""
    lowest = dict.fromkeys(TASK.label_values, 1.0)
    for file in files:
        case = read_case(file)
        padded = pad_image(np.stack([uncrop(image, case.origin) for image in case.image]), (0, 0, 0), network.divisor)
        logits = logits_of(network, CPU.place(padded.images), CPU)
        whole = mask_of(probabilities_of(logits, TASK.unused_classes)[0, :, *padded.inside])
        ours = uncrop(here.predict(case.image, cropped_start(case.origin)).mask, case.origin)
        found = overlaps(whole, ours, load_task())
        for label in TASK.label_values:
            assert found[f"label_{label}"].reference_voxels > 0, "a label is never predicted"
            lowest[label] = min(lowest[label], found[f"label_{label}"].dice)
    for label, dice in lowest.items():
        yield Figure(
            f"lowest Dice with the whole volume's mask, label {label}, {len(files)} cases", dice, "", least=0.99
        )
