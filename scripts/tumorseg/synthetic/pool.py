"""Write a cohort of synthetic cases: normalised files for a training, or NIfTI files as in the folder of a cohort."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final

from tumorseg.cli.processes import initialise_worker
from tumorseg.cohort.file_names import MASK
from tumorseg.demo.plan import case_files, demo_convention, demo_facts, has_one_file_per_case
from tumorseg.errors import UserError
from tumorseg.io.files import read_json, write_json
from tumorseg.io.nifti import write_nifti
from tumorseg.preprocessing.store import write_case
from tumorseg.synthetic.case import case_name, simulate_case, synthetic_case
from tumorseg.synthetic.requirements import cube_edge_mm, require_simulated
from tumorseg.task import Task
from tumorseg.task.conventions import from_canonical

SETTINGS_FILE: Final = "synthetic.json"
"""In a cohort of NIfTI files: what its cases were simulated with."""


def write_pool(
    folder: Path,
    settings: Mapping[str, Any],
    task: Task,
    seed: int,
    indices: Sequence[int],
    *,
    processes: int = 1,
) -> Iterator[Path]:
    """Write normalised cases. Equal arguments give equal bytes, whatever `processes` is.

    Args:
        folder: folder for the files, which must exist; files of the same names are replaced.
        settings: as for `synthetic_case`.
        task: its channels and labels are simulated.
        seed: seed of the cohort.
        indices: numbers of the cases.
        processes: number of processes.

    Yields:
        The file of each case, once it is written.
    """
    require_simulated(task)
    yield from _each(partial(_write_normalised, folder, dict(settings), task, seed), indices, processes)


def write_cohort(
    folder: Path,
    settings: Mapping[str, Any],
    task: Task,
    seed: int,
    indices: Sequence[int],
    *,
    processes: int = 1,
) -> Iterator[Path]:
    """Write cases as NIfTI files, in folders with the names of the task, and keep the cases that are complete.

    Equal arguments give equal bytes, whatever `processes` is. Masks have the newest label convention of the task.
    Normalised by the workflow, the cases equal those of `write_pool`.

    Args:
        folder: folder of the cohort, which must exist.
        settings: as for `simulate_case`.
        task: its channels, labels and file names are used.
        seed: seed of the cohort.
        indices: numbers of the cases.
        processes: number of processes.

    Yields:
        The folder of each case, once it is complete.

    Raises:
        UserError: the task has all channels in one file, or the folder has cases with other settings.
    """
    require_simulated(task)
    if has_one_file_per_case(task):
        raise UserError(
            f"task {task.name}: its cases have all channels in one file, which is not supported here; use a task with "
            "one file for each channel"
        )
    _require_same_settings(folder, settings, task, seed)
    yield from _each(partial(_write_files, folder, dict(settings), task, seed), indices, processes)


def _each(write: Callable[[int], Path], indices: Sequence[int], processes: int) -> Iterator[Path]:
    if processes == 1:
        yield from map(write, indices)
        return
    with ProcessPoolExecutor(processes, initializer=initialise_worker) as workers:
        yield from workers.map(write, indices)


def _require_same_settings(folder: Path, settings: Mapping[str, Any], task: Task, seed: int) -> None:
    """Record the settings of a cohort, or compare them with the recorded ones."""
    own = {"seed": seed, "spacing_mm": cube_edge_mm(settings), "task": demo_facts(task)}
    file = folder / SETTINGS_FILE
    if not file.exists():
        write_json(file, own)
    elif read_json(file) != own:
        raise UserError(f"{file}: this cohort was written with another seed, voxel size or task; use another folder")


def _write_files(folder: Path, settings: Mapping[str, Any], task: Task, seed: int, index: int) -> Path:
    name = case_name(seed, index)
    paths = {role: folder / path for role, path in case_files(name, task).items()}
    if not all(path.exists() for path in paths.values()):
        case = simulate_case(settings, task, seed, index)
        for channel, image in case.images.items():
            write_nifti(paths[channel], image, case.grid.affine)
        write_nifti(paths[MASK], from_canonical(case.mask, task, demo_convention(task)), case.grid.affine)
    return folder / name


def _write_normalised(folder: Path, settings: Mapping[str, Any], task: Task, seed: int, index: int) -> Path:
    path = folder / f"{case_name(seed, index)}.safetensors"
    write_case(path, synthetic_case(settings, task, seed, index))
    return path
