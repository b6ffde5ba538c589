"""Simulate the cases of the demo cohort and write their files. Some are corrupted on purpose."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tumorseg.cli.console import Progress
from tumorseg.cohort.file_names import MASK
from tumorseg.demo.acquisition import simulate_acquisition
from tumorseg.demo.anatomy import CohortGrid, Template, cohort_grid, deform_template, load_template
from tumorseg.demo.lookalikes import make_lookalikes
from tumorseg.demo.plan import DATASET_JSON, DemoCase, demo_convention, has_one_file_per_case, plan_cases
from tumorseg.demo.random_fields import Purpose, generator
from tumorseg.demo.tumour import grow_tumour, task_labels
from tumorseg.io.files import write_bytes, write_json
from tumorseg.io.nifti import nifti_bytes
from tumorseg.task import Task
from tumorseg.task.conventions import from_canonical


def write_cohort(settings: dict[str, Any], task: Task, root: Path) -> None:
    """Write all files of the demo cohort. Equal settings and tasks give equal bytes.

    Args:
        settings: the `demo` section of the configuration.
        task: its channels, labels and file names are used.
        root: folder for the files that `plan.plan_cases` and `plan.other_files` list.
    """
    cases = plan_cases(settings, task)
    spacing_mm = float(settings["spacing_mm"])
    template = load_template(spacing_mm)
    grid = cohort_grid(template, spacing_mm)
    if has_one_file_per_case(task):
        write_json(root / DATASET_JSON, _dataset_json(cases, task))
    progress = Progress(len(cases), "case", every_s=0)
    for case in cases:
        for path, content in _file_contents(case, make_case(case, task, template, grid), task, grid).items():
            write_bytes(root / path, content)
        progress.step(f"{case.case}, {_describe_case(case)}")


def make_case(case: DemoCase, task: Task, template: Template, grid: CohortGrid) -> dict[str, NDArray[Any]]:
    """Simulate the volumes of a case, before any corruption.

    Args:
        case: the planned case.
        task: its channels and labels are used.
        template: anatomy to deform.
        grid: grid of the volumes.

    Returns:
        By role, (X, Y, Z): int16 images, and the uint8 mask in the newest label convention of the task.
    """
    anatomy = deform_template(template, grid, generator(case.patient_seed, Purpose.DEFORMATION))
    parts = grow_tumour(
        anatomy,
        grid.spacing_mm,
        foci=case.foci,
        enhancing=case.enhancing,
        time_point=case.time_point,
        rng=generator(case.patient_seed, Purpose.TUMOUR),
    )
    mask = task_labels(parts, anatomy, grid.spacing_mm, task, generator(case.patient_seed, Purpose.LABELS))
    images = simulate_acquisition(
        anatomy,
        mask,
        make_lookalikes(anatomy, grid.spacing_mm, generator(case.patient_seed, Purpose.LOOKALIKES)),
        grid.spacing_mm,
        task=task,
        contrast=generator(case.seed, Purpose.CONTRAST),
        noise=generator(case.seed, Purpose.NOISE),
    )
    return {**images, MASK: from_canonical(mask, task, demo_convention(task))}


def _file_contents(case: DemoCase, volumes: dict[str, NDArray[Any]], task: Task, grid: CohortGrid) -> dict[str, bytes]:
    """Return the bytes of each file of a case, by path."""
    if has_one_file_per_case(task):
        order = sorted(task.channels, key=lambda channel: channel.volume or 0)
        kept = [
            channel.name
            for channel in order
            if case.corruption != "missing_modality" or channel.name != case.corrupted_role
        ]
        stacked = np.stack([volumes[name] for name in kept], axis=-1)
        truncated_role = case.corrupted_role if case.corruption == "truncated" else None
        contents = {kept[0] if truncated_role is None else truncated_role: stacked, MASK: volumes[MASK]}
    else:
        contents = {role: volumes[role] for role in case.files}
    return {
        case.files[role]: corrupt_bytes(case, role, nifti_bytes(corrupt_volume(case, role, volume), grid.affine))
        for role, volume in contents.items()
    }


def _dataset_json(cases: Sequence[DemoCase], task: Task) -> dict[str, Any]:
    """Return the content of the Decathlon's `dataset.json`."""
    order = sorted(task.channels, key=lambda channel: channel.volume or 0)
    written = task.values_by_label(demo_convention(task))
    return {
        "name": task.title,
        "tensorImageSize": "4D",
        "modality": {str(number): channel.title for number, channel in enumerate(order)},
        "labels": {"0": "background", **{str(written[label.value]): label.title for label in task.labels}},
        "numTraining": len(cases),
        "training": [{"image": f"./{case.files[order[0].name]}", "label": f"./{case.files[MASK]}"} for case in cases],
        "test": [],
    }


def _describe_case(case: DemoCase) -> str:
    traits = [f"time point {case.time_point + 1}", "one focus" if case.foci == 1 else f"{case.foci} foci"]
    if not case.enhancing:
        traits.append("no enhancement")
    if case.corruption is not None:
        traits.append(f"corrupted on purpose ({case.corruption})")
    return ", ".join(traits)


_KEPT_FRACTION: Final = 0.7
"""Fraction of a truncated file that remains."""


def corrupt_volume(case: DemoCase, role: str, volume: NDArray[Any]) -> NDArray[Any]:
    """Return the volume of one file, without its top slice if the case needs a mask of a wrong shape.

    Args:
        case: the planned case.
        role: channel or mask of the file.
        volume: (X, Y, Z), or (X, Y, Z, channels) if the channels share a file.
    """
    return volume[:, :, :-1] if _is_corrupted(case, role, "mask_shape") else volume


def corrupt_bytes(case: DemoCase, role: str, content: bytes) -> bytes:
    """Return the bytes of one file, without their end if the case needs this file truncated.

    Args:
        case: the planned case.
        role: channel or mask of the file.
        content: bytes of the intact file.
    """
    return content[: int(len(content) * _KEPT_FRACTION)] if _is_corrupted(case, role, "truncated") else content


def _is_corrupted(case: DemoCase, role: str, corruption: str) -> bool:
    return case.corruption == corruption and case.corrupted_role == role
