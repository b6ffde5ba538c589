"""One case of the demo cohort put together, and the whole cohort written."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorseg.cohort.naming import MASK
from tumorseg.console import Progress
from tumorseg.conventions import from_canonical
from tumorseg.demo.anatomy import Grid, Template, cohort_grid, deformed, load_template
from tumorseg.demo.contrast import acquired
from tumorseg.demo.damage import damaged_bytes, damaged_volume
from tumorseg.demo.labelling import task_labels
from tumorseg.demo.layout import DATASET, DemoCase, in_one_file, newest_convention, planned_cases
from tumorseg.demo.lookalikes import look_alikes
from tumorseg.demo.randomness import Purpose, generator
from tumorseg.demo.tumour import grown_tumour
from tumorseg.files import write_bytes, write_json
from tumorseg.nifti import nifti_bytes
from tumorseg.task import Task


def write_cohort(settings: dict[str, Any], task: Task, root: Path) -> None:
    """Write all files that `layout.planned_cases` and `layout.other_files` name below `root`.

    Equal settings and tasks give equal bytes.
    """
    cases = planned_cases(settings, task)
    spacing = float(settings["spacing_mm"])
    template = load_template(spacing)
    grid = cohort_grid(template, spacing)
    if in_one_file(task):
        write_json(root / DATASET, _dataset(cases, task))
    progress = Progress(len(cases), "case", every=0)
    for case in cases:
        for path, content in _files(case, made_case(case, task, template, grid), task, grid).items():
            write_bytes(root / path, content)
        progress.step(f"{case.case}, {_described(case)}")


def made_case(case: DemoCase, task: Task, template: Template, grid: Grid) -> dict[str, NDArray[Any]]:
    """The sound volumes of a case by role, (X, Y, Z): int16 images and the uint8 mask as it is written on disk."""
    anatomy = deformed(template, grid, generator(case.patient_seed, Purpose.DEFORMATION))
    parts = grown_tumour(
        anatomy,
        grid.spacing,
        foci=case.foci,
        enhancing=case.enhancing,
        time_point=case.time_point,
        rng=generator(case.patient_seed, Purpose.TUMOUR),
    )
    mask = task_labels(parts, anatomy, grid.spacing, task, generator(case.patient_seed, Purpose.LABELS))
    images = acquired(
        anatomy,
        mask,
        look_alikes(anatomy, grid.spacing, generator(case.patient_seed, Purpose.LOOKALIKES)),
        grid.spacing,
        task=task,
        contrast=generator(case.seed, Purpose.CONTRAST),
        noise=generator(case.seed, Purpose.NOISE),
    )
    return {**images, MASK: from_canonical(mask, task, newest_convention(task))}


def _files(case: DemoCase, volumes: dict[str, NDArray[Any]], task: Task, grid: Grid) -> dict[str, bytes]:
    """The bytes of each file of a case, by its path."""
    if in_one_file(task):
        order = sorted(task.channels, key=lambda channel: channel.volume or 0)
        kept = [
            channel.name for channel in order if case.damage != "missing_modality" or channel.name != case.damaged_role
        ]
        whole = np.stack([volumes[name] for name in kept], axis=-1)
        struck = case.damaged_role if case.damage == "truncated" else None
        contents = {kept[0] if struck is None else struck: whole, MASK: volumes[MASK]}
    else:
        contents = {role: volumes[role] for role in case.files}
    return {
        case.files[role]: damaged_bytes(case, role, nifti_bytes(damaged_volume(case, role, volume), grid.affine))
        for role, volume in contents.items()
    }


def _dataset(cases: Sequence[DemoCase], task: Task) -> dict[str, Any]:
    """What the Decathlon's `dataset.json` holds."""
    order = sorted(task.channels, key=lambda channel: channel.volume or 0)
    written = task.written(newest_convention(task))
    return {
        "name": task.title,
        "tensorImageSize": "4D",
        "modality": {str(number): channel.title for number, channel in enumerate(order)},
        "labels": {"0": "background", **{str(written[label.value]): label.title for label in task.labels}},
        "numTraining": len(cases),
        "training": [{"image": f"./{case.files[order[0].name]}", "label": f"./{case.files[MASK]}"} for case in cases],
        "test": [],
    }


def _described(case: DemoCase) -> str:
    traits = [f"time point {case.time_point + 1}", "one focus" if case.foci == 1 else f"{case.foci} foci"]
    if not case.enhancing:
        traits.append("no enhancement")
    if case.damage is not None:
        traits.append(f"damaged on purpose ({case.damage})")
    return ", ".join(traits)
